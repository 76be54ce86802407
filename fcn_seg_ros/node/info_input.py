# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one camera's CameraInfo: made and dropped on demand."""

from __future__ import annotations

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros.node.events import subscribe_with_events
from fcn_seg_ros.node.qos import choose_durability, choose_reliability

# Events tell of most changes at once; this finds what they came too early for.
_REVIEW_PERIOD_S = 1.0
_TYPE = 'sensor_msgs/msg/CameraInfo'


class InfoInput:
    """
    Keeps the newest CameraInfo of a topic while it is open.

    What is asked of the middleware is what every publisher offers, decided again when they come or
    go: a CameraInfo that was sent once, before the node came, is kept by a publisher that is
    reliable and transient local, and comes only to a subscription that is both. All methods belong
    to the executor's thread; ``newest`` may be read from any.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self.newest: CameraInfo | None = None
        self._node = node
        self._topic = topic
        self._profile: QoSProfile | None = None
        self._subscription: Subscription | None = None
        self._timer: Timer | None = None

    def open(self) -> None:
        """Subscribe; nothing changes where it does already."""
        if self._timer is None:
            # Not the node's clock: it stands still while a bag pauses.
            self._timer = self._node.create_timer(_REVIEW_PERIOD_S, self._review,
                                                  clock=Clock(clock_type=ClockType.STEADY_TIME))
            self._review()

    def close(self) -> None:
        """Unsubscribe, and forget what came."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        self._unsubscribe()
        self.newest = None

    def _review(self) -> None:
        """Subscribe as the publishers of the moment want it."""
        if self._timer is None:
            return  # an event that was under way when the input was closed
        publishers = [info for info in self._node.get_publishers_info_by_topic(self._topic)
                      if info.topic_type == _TYPE]
        if self._profile is not None and not publishers:
            return  # a camera that restarts is likely to be the same
        profile = QoSProfile(depth=1, reliability=choose_reliability(publishers),
                             durability=choose_durability(publishers))
        if profile != self._profile:
            self._unsubscribe()
            self._profile = profile
            self._subscription = subscribe_with_events(
                self._node, CameraInfo, self._topic, self._on_info, profile,
                on_lost=lambda count: None, on_change=self._review)

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = self._profile = None

    def _on_info(self, message: CameraInfo) -> None:
        self.newest = message
