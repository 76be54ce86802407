# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outputs that are images, and the CameraInfo that goes with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fcn_seg_ros.images.encode import encode_jpeg, encode_png
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.messages import to_compressed, to_mono8, to_rgb8
from fcn_seg_ros.node.outputs.output import Output, SegmentedFrame

Draw = Callable[[SegmentedFrame], np.ndarray]
# As image_transport writes them.
_PNG_FORMAT = 'mono8; png compressed mono8'
_JPEG_FORMAT = 'rgb8; jpeg compressed bgr8'


def overlay(frame: SegmentedFrame) -> np.ndarray:
    """Draw the image with the road tinted."""
    return draw_overlay(frame.image, frame.road, frame.settings.overlay_colour,
                        frame.settings.overlay_alpha)


def mask_colour(frame: SegmentedFrame) -> np.ndarray:
    """Draw the mask in the colours of its classes."""
    return frame.result.picture


class GreyImage(Output):
    """Publishes one of the frame's uint8 arrays unchanged."""

    def __init__(self, part: str, node: LifecycleNode, camera: str) -> None:
        super().__init__(node, camera)
        self._part = part

    def compute(self, source: SegmentedFrame) -> Image:
        """Return a mono8 image."""
        return to_mono8(getattr(source, self._part), source.header)


class PngImage(GreyImage):
    """The same, with lossless compression."""

    def compute(self, source: SegmentedFrame) -> CompressedImage:
        """Return a PNG."""
        return to_compressed(encode_png(getattr(source, self._part)), _PNG_FORMAT, source.header)


class ColourImage(Output):
    """A picture for people."""

    def __init__(self, draw: Draw, node: LifecycleNode, camera: str) -> None:
        super().__init__(node, camera)
        self._draw = draw

    def compute(self, source: SegmentedFrame) -> Image:
        """Return an rgb8 image."""
        return to_rgb8(source.once(self._draw), source.header)


class JpegImage(ColourImage):
    """The same, as a JPEG, for thin links."""

    def compute(self, source: SegmentedFrame) -> CompressedImage:
        """Return a JPEG of the quality that the parameter asks for."""
        content = encode_jpeg(source.once(self._draw), source.settings.jpeg_quality)
        return to_compressed(content, _JPEG_FORMAT, source.header)


class FrameCameraInfo(Output):
    """The mask's calibration."""

    def compute(self, source: SegmentedFrame) -> CameraInfo | None:
        """Return the CameraInfo of just this image."""
        return source.camera_info
