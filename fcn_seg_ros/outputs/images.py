# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outputs that are images, and the CameraInfo that goes with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fcn_seg_ros.images.encode import encode_jpeg, encode_png
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.outputs.content import FileContent, ImageContent
from fcn_seg_ros.outputs.frame import SegmentedFrame
from fcn_seg_ros.outputs.ground import ranges_of
from fcn_seg_ros.outputs.metric_lines import draw_metric_lines

Draw = Callable[[SegmentedFrame], np.ndarray]
# As image_transport writes them.
_PNG_FORMAT = 'mono8; png compressed mono8'
_JPEG_FORMAT = 'rgb8; jpeg compressed bgr8'


def overlay(frame: SegmentedFrame) -> np.ndarray:
    """Draw the image with the road tinted, and with rings if they are wanted and possible."""
    settings = frame.settings
    picture = draw_overlay(frame.image, frame.road, settings.overlay_colour,
                           settings.overlay_alpha)
    if settings.overlay_rings and frame.ground is not None:
        draw_metric_lines(picture, frame.ground, frame.once(ranges_of), settings.overlay_rings)
    return picture


def mask_colour(frame: SegmentedFrame) -> np.ndarray:
    """Draw the mask in the colours of its classes."""
    return frame.result.picture


def grey_image(part: str, frame: SegmentedFrame) -> ImageContent:
    """Return one of the frame's uint8 arrays unchanged, as mono8."""
    return ImageContent(np.ascontiguousarray(getattr(frame, part)), 'mono8')


def png_image(part: str, frame: SegmentedFrame) -> FileContent:
    """Return the same, with lossless compression."""
    return FileContent(encode_png(getattr(frame, part)), _PNG_FORMAT)


def colour_image(draw: Draw, frame: SegmentedFrame) -> ImageContent:
    """Return a picture for people, as rgb8."""
    return ImageContent(np.ascontiguousarray(frame.once(draw)), 'rgb8')


def jpeg_image(draw: Draw, frame: SegmentedFrame) -> FileContent:
    """Return the same, as a JPEG of the quality that the settings ask for."""
    return FileContent(encode_jpeg(frame.once(draw), frame.settings.jpeg_quality), _JPEG_FORMAT)


def camera_info(frame: SegmentedFrame) -> Any:
    """Return the CameraInfo of just this image, which is a message already."""
    return frame.camera_info
