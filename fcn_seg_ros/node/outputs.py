# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes for one camera, each output only while somebody subscribes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.encode import encode_jpeg, encode_png
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.inference.segmenter import Segmentation
from fcn_seg_ros.messages import to_mono8, to_rgb8
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.node.camera_info import described, for_image
from fcn_seg_ros.node.label_info import LabelInfo, label_info
from fcn_seg_ros.node.publish import publish_on_demand
from fcn_seg_ros.node.settings import Settings

# The masks are PNG, which loses nothing; the pictures, for people, are JPEG.
OUTPUTS = {'mask': Image, 'probability': Image, 'confidence': Image, 'overlay': Image,
           'mask_colour': Image, 'mask/compressed': CompressedImage,
           'overlay/compressed': CompressedImage, 'mask_colour/compressed': CompressedImage,
           'camera_info': CameraInfo}
_MASKS = ('mask', 'mask/compressed')
_COMPRESSED = '/compressed'
_WARN_EVERY_S = 60.0
# As image_transport writes them.
_PNG_FORMAT = 'mono8; png compressed mono8'
_JPEG_FORMAT = 'rgb8; jpeg compressed bgr8'


class CameraOutputs:
    """
    The publishers ``CAMERA/road/OUTPUT``.

    ``on_change`` is called in the executor when a subscriber comes or goes. Publishing is for one
    thread.
    """

    def __init__(self, node: LifecycleNode, camera: str, mask_deadline_ms: float,
                 on_change: Callable[[], None]) -> None:
        """Join the graph; raises InputError where a ``qos_overrides`` parameter is wrong."""
        self._node = node
        self._camera = camera
        self._publishers: dict[str, Any] = {}
        self._labels: Any = None
        try:
            for name, message in OUTPUTS.items():
                deadline = mask_deadline_ms if name in _MASKS else 0.0
                self._publishers[name] = publish_on_demand(
                    node, message, _topic(node, f'{camera}/road/{name}'), _profile(deadline),
                    on_change)
        except InputError:
            self.destroy()
            raise
        if LabelInfo is not None:
            self._labels = node.create_lifecycle_publisher(
                LabelInfo, f'{camera}/road/label_info',
                QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL,
                           reliability=ReliabilityPolicy.RELIABLE))

    def watched(self, *names: str) -> bool:
        """Return whether anybody subscribes to one of these outputs, or (without names) to any."""
        return any(self._publishers[name].get_subscription_count() > 0
                   for name in names or OUTPUTS)

    def publish(self, header: Header, image: np.ndarray, result: Segmentation,
                camera_info: CameraInfo | None, settings: Settings) -> None:
        """
        Publish what is subscribed to; ``header`` is the camera image's and is kept as it is.

        ``camera_info`` is the camera's newest; it is sent where it describes an image of this size.
        """
        for name in ('mask', 'probability', 'confidence'):
            if self.watched(name):
                self._publishers[name].publish(to_mono8(getattr(result, name), header))
        self._publish_picture('overlay', header, settings, lambda: draw_overlay(
            image, result.road, settings.overlay_colour, settings.overlay_alpha))
        self._publish_picture('mask_colour', header, settings, lambda: result.picture)
        if self.watched('mask/compressed'):
            self._publishers['mask/compressed'].publish(
                _compressed(header, _PNG_FORMAT, encode_png(result.mask)))
        if camera_info is not None and self.watched('camera_info'):
            self._publish_info(header, camera_info, *image.shape[:2])

    def _publish_info(self, header: Header, camera_info: CameraInfo, height: int, width: int
                      ) -> None:
        own = for_image(camera_info, height, width)
        if own is None:
            self._node.get_logger().warning(
                f'{self._camera}: no camera_info is published: that of the camera is for '
                f'{described(camera_info)}, its images have {width}x{height} pixels',
                throttle_duration_sec=_WARN_EVERY_S)
            return
        own.header = header
        self._publishers['camera_info'].publish(own)

    def publish_labels(self, info: CheckpointInfo, threshold: float) -> None:
        """Publish what the mask's class ids mean, for subscribers of now and later."""
        if self._labels is not None:
            now = self._node.get_clock().now().to_msg()
            self._labels.publish(label_info(info, threshold, now))

    def _publish_picture(self, name: str, header: Header, settings: Settings,
                         draw: Callable[[], np.ndarray]) -> None:
        """Publish a picture for people as it is and as JPEG, drawn once, or not at all."""
        if not self.watched(name, name + _COMPRESSED):
            return
        picture = draw()
        if self.watched(name):
            self._publishers[name].publish(to_rgb8(picture, header))
        if self.watched(name + _COMPRESSED):
            self._publishers[name + _COMPRESSED].publish(
                _compressed(header, _JPEG_FORMAT, encode_jpeg(picture, settings.jpeg_quality)))

    def destroy(self) -> None:
        """Remove the publishers from the graph."""
        for publisher in [*self._publishers.values(), self._labels]:
            if publisher is not None:
                self._node.destroy_lifecycle_publisher(publisher)
        self._publishers.clear()


def _profile(deadline_ms: float) -> QoSProfile:
    """Return a new profile, which overrides may change: reliable, a few images deep."""
    # Reliable, so that RViz's default subscription is served.
    profile = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
    if deadline_ms:
        profile.deadline = Duration(nanoseconds=round(1e6 * deadline_ms))
    return profile


def _topic(node: LifecycleNode, name: str) -> str:
    """
    Return the topic of an output; a compressed one stands beside its image, remapped or not.

    So image_transport has it. Only a remapping of its own takes it elsewhere.
    """
    image = name.removesuffix(_COMPRESSED)
    remapped = node.resolve_topic_name(name) != node.resolve_topic_name(name, only_expand=True)
    return name if remapped or image == name else node.resolve_topic_name(image) + _COMPRESSED


def _compressed(header: Header, format: str, content: bytes) -> CompressedImage:
    message = CompressedImage(header=header, format=format)
    message.data.frombytes(content)
    return message
