# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one camera's CameraInfo, on demand."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros.node.events import subscribe_with_events
from fcn_seg_ros.node.qos import choose_durability, choose_reliability
from fcn_seg_ros.node.reviewed_input import ReviewedInput

_TYPE = 'sensor_msgs/msg/CameraInfo'


class InfoInput(ReviewedInput):
    """
    Keeps the newest CameraInfo of a topic while it is open.

    It requests the quality of service that all publishers offer, and decides again when publishers
    appear or disappear: a CameraInfo published once before the node started arrives only if both
    sides are reliable and transient local. Any thread may read ``newest``.
    """

    def __init__(self, node: Node, topic: str) -> None:
        super().__init__(node)
        self.newest: CameraInfo | None = None
        self._topic = topic

    def close(self) -> None:
        """Unsubscribe and forget the CameraInfo."""
        super().close()
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

    def _on_info(self, message: CameraInfo) -> None:
        self.newest = message
