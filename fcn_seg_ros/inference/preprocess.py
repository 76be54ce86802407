# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a camera image to the network's input size."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.fcn import STRIDE

MAX_NETWORK_PIXELS = 4096 * 4096


def network_size(height: int, width: int, network_height: int) -> tuple[int, int]:
    """
    Return (height, width) of the network's input for an image of (height, width) pixels.

    The aspect ratio is kept; both sides are rounded to the network's stride. Raises InputError
    where that would be an absurd size.
    """
    rows = _to_stride(network_height)
    columns = _to_stride(width * network_height / height)
    if rows * columns > MAX_NETWORK_PIXELS:
        raise InputError(f'image of {width}x{height}: expected a shape of which the network can '
                         f'make {rows} rows in at most {MAX_NETWORK_PIXELS} pixels, found '
                         f'{columns}x{rows}')
    return rows, columns


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale a uint8 image to (height, width); area-averaged where it shrinks a lot."""
    height, width = size
    if image.shape[:2] == size:
        return image
    shrinks = image.shape[0] > 1.5 * height or image.shape[1] > 1.5 * width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method)


def _to_stride(pixels: float) -> int:
    return max(STRIDE, round(pixels / STRIDE) * STRIDE)
