# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one camera's CameraInfo, on demand."""

from __future__ import annotations

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros.node.message_input import MessageInput


class InfoInput(MessageInput):
    """
    Keeps the newest CameraInfo of a topic while it is open.

    A CameraInfo published once before the node started arrives only if both sides are reliable and
    transient local. Any thread may read ``newest``.
    """

    def __init__(self, node: Node, topic: str) -> None:
        super().__init__(node, CameraInfo, topic, self._on_info, depth=1)
        self.newest: CameraInfo | None = None

    def close(self) -> None:
        """Unsubscribe and forget the CameraInfo."""
        super().close()
        self.newest = None

    def _on_info(self, message: CameraInfo) -> None:
        self.newest = message
