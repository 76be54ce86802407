# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one camera's images: made and dropped on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CompressedImage, Image

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.node.events import subscribe_with_events
from fcn_seg_ros.node.qos import (
    RELIABILITIES,
    choose_reliability,
    declare_overrides,
    matching,
    mismatch,
    name_of,
)

TRANSPORTS = {'raw': Image, 'compressed': CompressedImage}
# Events tell of most changes at once. This finds the rest: what an event came too early for, and
# a publisher of another type, of which there is no event.
_REVIEW_PERIOD_S = 1.0


class ImageInput:
    """
    Hands every image of a topic to ``on_frame``, in the executor's thread.

    As the bytes that were on the wire, with their type: the middleware drops without a word what
    it cannot turn into a message. With transport ``compressed`` it subscribes to
    ``TOPIC/compressed``, as image_transport does, for CompressedImage. Reliability ``auto`` is
    decided again whenever publishers come or go: the subscription is then made anew, and what
    arrives in these few milliseconds is lost. A ``qos_overrides`` parameter wins over it.

    All methods belong to the executor's thread; the attributes may be read from any. Over the
    whole life of this object ``lost`` counts what the middleware says it lost, and ``missed`` the
    gaps in the publishers' own numbering while subscribed: what was lost, and what a newer image
    replaced before the executor came to take it. ``incompatible`` says which publisher cannot be
    heard and why, or is ''; ``matched`` names those that can. ``reliability_in_use`` is '' while
    closed.
    """

    def __init__(self, node: Node, topic: str, transport: str, reliability: str,
                 on_frame: Callable[[bytes, type], None]) -> None:
        """Declare the parameters; raises InputError for a wrong topic, transport or override."""
        for name, value, allowed in (('transport', transport, tuple(TRANSPORTS)),
                                     ('reliability', reliability, RELIABILITIES)):
            if value not in allowed:
                raise InputError(f'parameter {name}: expected one of {", ".join(allowed)}, '
                                 f'found {value!r}')
        try:
            self.topic: str = node.resolve_topic_name(topic)
        except (InvalidTopicNameException, RuntimeError) as error:
            raise InputError(f'topic of a camera: expected a topic name, found {topic!r} '
                             f'({one_line(error)})') from None
        if transport == 'compressed':
            self.topic += '/compressed'
        self.transport: str = transport
        self.lost: int = 0
        self.missed: int = 0
        self.incompatible: str = ''
        self.matched: str = ''
        self.reliability_in_use: str = ''
        self._node = node
        self._on_frame = on_frame
        self._message: type = TRANSPORTS[transport]
        self._overrides = declare_overrides(node, self.topic)
        self._fixed: ReliabilityPolicy | None = self._overrides.pop('reliability', None)
        if self._fixed is None and reliability != 'auto':
            self._fixed = ReliabilityPolicy[reliability.upper()]
        self._numbers: dict[bytes, int] = {}  # of the last image of each publisher
        self._profile: QoSProfile | None = None
        self._subscription: Subscription | None = None
        self._timer: Timer | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether it subscribes."""
        return self._subscription is not None

    def open(self) -> None:
        """Subscribe; nothing changes where it does already."""
        if self._timer is None:
            # Not the node's clock: it stands still while a bag pauses.
            self._timer = self._node.create_timer(_REVIEW_PERIOD_S, self._review,
                                                  clock=Clock(clock_type=ClockType.STEADY_TIME))
            self._review()

    def close(self) -> None:
        """Unsubscribe; what was counted stays."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        self._unsubscribe()
        self._numbers.clear()
        self.incompatible = self.matched = ''

    def _review(self) -> None:
        """Subscribe as the publishers of the moment want it, and note which of them do not fit."""
        if self._timer is None:
            return  # an event that was under way when the input was closed
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        of_this_type = [info for info in publishers if info.topic_type == self._type_name()]
        if self._fixed is not None:
            wanted = self._fixed
        elif of_this_type or self._profile is None:
            wanted = choose_reliability(of_this_type)
        else:
            wanted = self._profile.reliability  # a camera that restarts is likely to be the same
        if self._profile is None or self._profile.reliability != wanted:
            self._unsubscribe()
            self._subscribe(wanted)
        assert self._profile is not None
        incompatible = mismatch(publishers, self._type_name(), self._profile)
        if incompatible and incompatible != self.incompatible:
            self._node.get_logger().warning(f'{self.topic}: no images from a publisher: '
                                            f'{incompatible}')
        self.incompatible = incompatible
        self.matched = matching(of_this_type, self._profile)

    def _subscribe(self, reliability: ReliabilityPolicy) -> None:
        self._profile = QoSProfile(reliability=reliability, **self._overrides)
        self._subscription = subscribe_with_events(
            self._node, self._message, self.topic, self._on_message, self._profile,
            on_lost=self._on_lost, on_change=self._review, raw=True)
        self.reliability_in_use = name_of(reliability)
        self._node.get_logger().debug(f'{self.topic}: subscribed, {self.reliability_in_use}')

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = self._profile = None
        self.reliability_in_use = ''

    def _on_message(self, serialised: bytes, info: Mapping[str, Any]) -> None:
        # Some middlewares number nothing, and older distributions do not say whose number it is.
        publisher, number = info.get('publisher_gid'), info.get('publication_sequence_number')
        if publisher is not None and number is not None:
            key = bytes(publisher['data'])
            self.missed += max(0, number - self._numbers.get(key, number - 1) - 1)
            self._numbers[key] = number
        self._on_frame(serialised, self._message)

    def _on_lost(self, count: int) -> None:
        self.lost += count

    def _type_name(self) -> str:
        return f'sensor_msgs/msg/{self._message.__name__}'
