# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The segmentation node that rclpy tutorials show, as a baseline. Do not copy it.

``python -m fcn_seg_ros.benchmark.tutorial_node CHECKPOINT NETWORK_HEIGHT``: cv_bridge, PIL resize,
eager fp32, argmax, an overlay drawn for every image, both published, all in the callback.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
import rclpy
from cv_bridge import CvBridge
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image

from fcn_seg_ros.benchmark.peers import TutorialPath
from fcn_seg_ros.dds import use_shipped_profile
from fcn_seg_ros.inference.backends import resolve_device
from fcn_seg_ros.models.checkpoint import load_checkpoint


class TutorialNode(Node):
    """Subscribes to ``camera/image_raw``; publishes the mask and the overlay under ``road``."""

    def __init__(self, path: TutorialPath) -> None:
        super().__init__('tutorial_node')
        self._path = path
        self._bridge = CvBridge()
        self._mask_publisher = self.create_publisher(Image, 'camera/road/mask', 10)
        self._overlay_publisher = self.create_publisher(Image, 'camera/road/overlay', 10)
        self.create_subscription(Image, 'camera/image_raw', self._on_image, 10)

    def _on_image(self, message: Image) -> None:
        image = self._bridge.imgmsg_to_cv2(message, 'rgb8')
        mask = self._path(image)
        colour = np.zeros_like(image)
        colour[mask == 1] = (0, 255, 0)
        overlay = cv2.addWeighted(image, 0.7, colour, 0.3, 0)
        for publisher, pixels, encoding in ((self._mask_publisher, mask, 'mono8'),
                                            (self._overlay_publisher, overlay, 'rgb8')):
            answer = self._bridge.cv2_to_imgmsg(pixels, encoding=encoding)
            answer.header = message.header
            publisher.publish(answer)


def main() -> None:
    """Run the node until a stop signal."""
    checkpoint, height = load_checkpoint(sys.argv[1]), int(sys.argv[2])
    # Without it a best-effort camera would lose most images on the way to either node.
    use_shipped_profile()
    rclpy.init()
    node = TutorialNode(TutorialPath(checkpoint, height, resolve_device('auto')))
    try:
        rclpy.spin(node)
    except (ExternalShutdownException, KeyboardInterrupt):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
