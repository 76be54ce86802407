# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes for one camera, each output only while somebody subscribes."""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fcn_seg_ros.bags.messages import to_mono8, to_rgb8
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.inference.segmenter import Segmentation
from fcn_seg_ros.node.parameters import Settings

# Reliable, so that RViz's default subscription is served; a few masks deep for slow subscribers.
_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)


class CameraOutputs:
    """The publishers ``CAMERA/road/mask``, ``probability`` and ``overlay``."""

    def __init__(self, node: LifecycleNode, camera: str) -> None:
        self._node = node
        self._publishers: dict[str, Any] = {
            name: node.create_lifecycle_publisher(Image, f'{camera}/road/{name}', _QOS)
            for name in ('mask', 'probability', 'overlay')}

    def watched(self) -> bool:
        """Return whether anybody subscribes to any of them."""
        return any(p.get_subscription_count() > 0 for p in self._publishers.values())

    def publish(self, header: Header, image: np.ndarray, result: Segmentation,
                settings: Settings) -> None:
        """Publish what is subscribed to; ``header`` is the camera image's and is kept as it is."""
        if self._publishers['mask'].get_subscription_count():
            self._publishers['mask'].publish(to_mono8(result.mask, header))
        if self._publishers['probability'].get_subscription_count():
            self._publishers['probability'].publish(to_mono8(result.probability, header))
        if self._publishers['overlay'].get_subscription_count():
            overlay = draw_overlay(image, result.mask, settings.overlay_colour,
                                   settings.overlay_alpha)
            self._publishers['overlay'].publish(to_rgb8(overlay, header))

    def destroy(self) -> None:
        """Remove the publishers from the graph."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()
