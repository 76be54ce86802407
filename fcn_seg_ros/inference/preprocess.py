# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a camera image to the network's input size."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint_info import STRIDE

# An image of a few kilobytes but of an extreme shape must not cost minutes and gigabytes: the
# network's input may be as large as a 4K image, and at most this many times longer than high or
# higher than long.
MAX_NETWORK_PIXELS = 4096 * 2176
MAX_ASPECT = 16


def network_size(height: int, width: int, network_height: int) -> tuple[int, int]:
    """
    Return (height, width) of the network's input for an image of (height, width) pixels.

    The aspect ratio is kept; both sides are rounded to the network's stride. Raises InputError
    where that would be an absurd size.
    """
    rows = _to_stride(network_height)
    columns = _to_stride(width * network_height / height)
    short, long = sorted((rows, columns))
    if rows * columns > MAX_NETWORK_PIXELS or long > MAX_ASPECT * short:
        raise InputError(f'image of {width}x{height}: expected a shape that gives the network at '
                         f'most {MAX_NETWORK_PIXELS} pixels and sides of at most {MAX_ASPECT}:1, '
                         f'found {columns}x{rows}')
    return rows, columns


def resize_image(image: np.ndarray, size: tuple[int, int], out: np.ndarray | None = None
                 ) -> np.ndarray:
    """
    Scale a uint8 image to (height, width); area-averaged where it shrinks a lot.

    Into ``out`` where that is given, else an image that has the size is returned as it is.
    """
    height, width = size
    if image.shape[:2] == size and out is None:
        return image
    method = interpolation((image.shape[0], image.shape[1]), size)
    return cv2.resize(image, (width, height), dst=out, interpolation=method)


def interpolation(start: tuple[int, int], end: tuple[int, int]) -> int:
    """Return OpenCV's method of scaling between two sizes, (height, width): area or linear."""
    shrinks = start[0] > 1.5 * end[0] or start[1] > 1.5 * end[1]
    return cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR


def _to_stride(pixels: float) -> int:
    return max(STRIDE, round(pixels / STRIDE) * STRIDE)
