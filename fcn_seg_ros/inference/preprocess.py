# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scale camera images to the network's input."""

from __future__ import annotations

import math

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint_info import STRIDE, CheckpointInfo

# Limits of the network's input: 4K, and this aspect ratio. Without them a small file with an
# extreme shape could take minutes and gigabytes.
MAX_NETWORK_PIXELS = 4096 * 2176
MAX_ASPECT = 16
# The longest focal length, in pixels of the network's input, at which roads look as in the training
# data (KITTI's is 613); see the measurements in docs/results/accuracy.md.
MAX_FOCAL_LENGTH = 850.0
# The largest factor by which a focal length reduces the input's pixels: a wrong focal length must
# not empty the mask. The middle quarter of KITTI's images is segmented best with a ninth of the
# pixels.
_MOST_SHRINKING = 10


def network_rows(height: int, width: int, info: CheckpointInfo, focal_length: float = 0.0) -> int:
    """
    Return how many rows a checkpoint's input has for an image of (height, width) pixels.

    ``focal_length`` is in pixels of the image, 0 if unknown.
    """
    if not info.network_pixels:
        return info.network_height
    return rows_of_area(height, width, info.network_pixels, focal_length)


def rows_of_area(height: int, width: int, pixels: int, focal_length: float = 0.0) -> int:
    """
    Return how many rows, a multiple of the stride, give an input of about ``pixels`` pixels.

    This way images of all shapes take the same time; with a fixed number of rows a tall image would
    take less time, and show less detail, than a wide one. A camera with a narrow field of view
    shows everything large, so if its focal length (in pixels of the image) is known, the input is
    scaled down to MAX_FOCAL_LENGTH, within a limit.
    """
    rows = math.sqrt(pixels * height / width)
    if focal_length > 0:
        rows = min(rows, max(MAX_FOCAL_LENGTH * height / focal_length,
                             rows / math.sqrt(_MOST_SHRINKING)))
    return _to_stride(rows)


def network_size(height: int, width: int, network_height: int) -> tuple[int, int]:
    """
    Return (height, width) of the network's input for an image of (height, width) pixels.

    The aspect ratio is kept, with both sides rounded to the network's stride. Raises InputError for
    an absurd size.
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
    Scale a uint8 image bilinearly to (height, width), in steps given by ``halvings``.

    The result is written to ``out`` if given. Otherwise an image of the right size is returned
    unchanged.
    """
    if image.shape[:2] == size and out is None:
        return image
    for rows, columns in halvings((image.shape[0], image.shape[1]), size):
        image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(image, (size[1], size[0]), dst=out, interpolation=cv2.INTER_LINEAR)


def halvings(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """
    Return the intermediate sizes, (height, width), each at least half of the previous one.

    Bilinear interpolation reads four pixels, so shrinking by more than two would skip some. From
    1920x1080 to 384 rows this takes a sixth of the time of OpenCV's area interpolation, with the
    same scores (docs/results/performance.md).
    """
    found = []
    while start[0] > 2 * end[0] or start[1] > 2 * end[1]:
        rows, columns = ((a + 1) // 2 if a > 2 * b else a for a, b in zip(start, end, strict=True))
        start = rows, columns
        found.append(start)
    return found


def _to_stride(pixels: float) -> int:
    return max(STRIDE, round(pixels / STRIDE) * STRIDE)
