# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one camera's images, on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
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
from fcn_seg_ros.node.reviewed_input import ReviewedInput

TRANSPORTS = {'raw': Image, 'compressed': CompressedImage}


class ImageInput(ReviewedInput):
    """
    Passes every image of a topic to ``on_frame``, in the executor's thread.

    Images are passed on serialised, with their type, because the middleware silently drops what it
    cannot deserialise. With transport ``compressed`` it subscribes to CompressedImage on
    ``TOPIC/compressed``, as image_transport does. Reliability ``auto`` is decided again whenever
    publishers appear or disappear: the subscription is then replaced, and images that arrive during
    these few milliseconds are lost. A ``qos_overrides`` parameter takes precedence.

    Any thread may read the attributes. Over this object's lifetime ``lost`` counts the images that
    the middleware reports lost, and ``missed`` the gaps in the publishers' sequence numbers while
    subscribed: images lost, or replaced by a newer one before the executor took them.
    ``incompatible`` says which publisher does not match and why, or is ''; ``matched`` names those
    that do. ``reliability_in_use`` is '' while closed.
    """

    def __init__(self, node: Node, topic: str, transport: str, reliability: str,
                 on_frame: Callable[[bytes, type], None]) -> None:
        """Declare the parameters; raises InputError for a wrong topic, transport or override."""
        super().__init__(node)
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
        self._on_frame = on_frame
        self._message: type = TRANSPORTS[transport]
        self._overrides = declare_overrides(node, self.topic)
        self._fixed: ReliabilityPolicy | None = self._overrides.pop('reliability', None)
        if self._fixed is None and reliability != 'auto':
            self._fixed = ReliabilityPolicy[reliability.upper()]
        self._numbers: dict[bytes, int] = {}  # the last sequence number of each publisher

    @property
    def is_open(self) -> bool:
        """Return whether it is subscribed."""
        return self._subscription is not None

    def close(self) -> None:
        """Unsubscribe; the counts are kept."""
        super().close()
        self._numbers.clear()
        self.incompatible = self.matched = ''

    def _review(self) -> None:
        """Subscribe as the current publishers require, and record which of them do not match."""
        if self._timer is None:
            return  # a late event: the input is closed
        publishers = self._node.get_publishers_info_by_topic(self.topic)
        of_this_type = [info for info in publishers if info.topic_type == self.type_name]
        if self._fixed is not None:
            wanted = self._fixed
        elif of_this_type or self._profile is None:
            wanted = choose_reliability(of_this_type)
        else:
            wanted = self._profile.reliability  # probably the same camera will be back
        if self._profile is None or self._profile.reliability != wanted:
            self._unsubscribe()
            self._subscribe(wanted)
        assert self._profile is not None
        incompatible = mismatch(publishers, self.type_name, self._profile)
        if incompatible and incompatible != self.incompatible:
            self._node.get_logger().warning(f'{self.topic}: a publisher does not match: '
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
        super()._unsubscribe()
        self.reliability_in_use = ''

    def _on_message(self, serialised: bytes, info: Mapping[str, Any]) -> None:
        # Some middlewares have no sequence numbers, and older distributions lack publisher_gid.
        publisher, number = info.get('publisher_gid'), info.get('publication_sequence_number')
        if publisher is not None and number is not None:
            key = bytes(publisher['data'])
            self.missed += max(0, number - self._numbers.get(key, number - 1) - 1)
            self._numbers[key] = number
        self._on_frame(serialised, self._message)

    def _on_lost(self, count: int) -> None:
        self.lost += count

    @property
    def type_name(self) -> str:
        """Return the images' type as spelt in the ROS graph."""
        return f'sensor_msgs/msg/{self._message.__name__}'
