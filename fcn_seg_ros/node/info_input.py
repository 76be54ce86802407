# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one camera's CameraInfo, on demand."""

from __future__ import annotations

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros.node.events import subscribe_with_events
from fcn_seg_ros.node.qos import choose_durability, choose_reliability

# Events report most changes at once; the review finds what they came too early for.
_REVIEW_PERIOD_S = 1.0
_TYPE = 'sensor_msgs/msg/CameraInfo'


class InfoInput:
    """
    Keeps the newest CameraInfo of a topic while it is open.

    It requests the quality of service that every publisher offers, and decides again when
    publishers appear or disappear: a CameraInfo published once, before the node started, arrives
    only if both sides are reliable and transient local. All methods belong to the executor's
    thread; any thread may read ``newest``.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self.newest: CameraInfo | None = None
        self._node = node
        self._topic = topic
        self._profile: QoSProfile | None = None
        self._subscription: Subscription | None = None
        self._timer: Timer | None = None

    def open(self) -> None:
        """Subscribe, unless subscribed already."""
        if self._timer is None:
            # Not the node's clock: it stands still while a bag pauses.
            self._timer = self._node.create_timer(_REVIEW_PERIOD_S, self._review,
                                                  clock=Clock(clock_type=ClockType.STEADY_TIME))
            self._review()

    def close(self) -> None:
        """Unsubscribe and forget the CameraInfo."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        self._unsubscribe()
        self.newest = None

    def _review(self) -> None:
        """Subscribe as the current publishers require."""
        if self._timer is None:
            return  # a late event: the input is closed
        publishers = [info for info in self._node.get_publishers_info_by_topic(self._topic)
                      if info.topic_type == _TYPE]
        if self._profile is not None and not publishers:
            return  # probably the same camera will be back
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
