# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From the bytes of a camera image message to RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError

# Far above every camera; below it height * step cannot surprise anybody.
MAX_SIDE = 16384


@dataclass(frozen=True)
class Encoding:
    """Values per pixel, their type, and OpenCV's conversion to RGB (None: it is RGB already)."""

    channels: int
    dtype: type[np.generic] = np.uint8
    code: int | None = None
    even_width: bool = False


# OpenCV names a Bayer pattern by its second row: COLOR_BayerRGGB2RGB is the literal name.
ENCODINGS = {
    'rgb8': Encoding(3),
    'bgr8': Encoding(3, code=cv2.COLOR_BGR2RGB),
    'rgba8': Encoding(4, code=cv2.COLOR_RGBA2RGB),
    'bgra8': Encoding(4, code=cv2.COLOR_BGRA2RGB),
    'mono8': Encoding(1, code=cv2.COLOR_GRAY2RGB),
    'mono16': Encoding(1, np.uint16, cv2.COLOR_GRAY2RGB),
    # The OpenCV types say nothing of colour; cv_bridge takes them for BGR, and so does this.
    '8UC1': Encoding(1, code=cv2.COLOR_GRAY2RGB),
    '8UC3': Encoding(3, code=cv2.COLOR_BGR2RGB),
    '8UC4': Encoding(4, code=cv2.COLOR_BGRA2RGB),
    '16UC1': Encoding(1, np.uint16, cv2.COLOR_GRAY2RGB),
    'bayer_rggb8': Encoding(1, code=cv2.COLOR_BayerRGGB2RGB),
    'bayer_bggr8': Encoding(1, code=cv2.COLOR_BayerBGGR2RGB),
    'bayer_gbrg8': Encoding(1, code=cv2.COLOR_BayerGBRG2RGB),
    'bayer_grbg8': Encoding(1, code=cv2.COLOR_BayerGRBG2RGB),
    'uyvy': Encoding(2, code=cv2.COLOR_YUV2RGB_UYVY, even_width=True),
    'yuv422': Encoding(2, code=cv2.COLOR_YUV2RGB_UYVY, even_width=True),
    'yuyv': Encoding(2, code=cv2.COLOR_YUV2RGB_YUY2, even_width=True),
    'yuv422_yuy2': Encoding(2, code=cv2.COLOR_YUV2RGB_YUY2, even_width=True),
}


def to_rgb(data: Any, height: int, width: int, encoding: str, step: int,
           is_bigendian: bool = False) -> np.ndarray:
    """
    Return the RGB image, uint8 (H, W, 3), of an image message's fields.

    ``data`` is any buffer of at least ``height * step`` bytes; ``step`` is the length of a row in
    bytes, padding included. For rgb8 without padding the result is a view of ``data``. 16-bit
    values keep their upper byte. Raises InputError, naming what is wrong, for an encoding that is
    not in ENCODINGS, an absurd size, a step shorter than a row or data shorter than the image.
    """
    kind = ENCODINGS.get(encoding)
    if kind is None:
        raise InputError(f'encoding: expected one of {", ".join(ENCODINGS)}, found {encoding!r}')
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise InputError(f'size: expected 1x1 to {MAX_SIDE}x{MAX_SIDE} pixels, '
                         f'found {width}x{height}')
    if kind.even_width and width % 2:
        raise InputError(f'size: expected an even width for {encoding}, found {width}')
    row = width * kind.channels * np.dtype(kind.dtype).itemsize
    if step < row:
        raise InputError(f'step: expected at least {row} bytes for {width} pixels of {encoding}, '
                         f'found {step}')
    buffer = np.frombuffer(data, np.uint8)
    if buffer.size < height * step:
        raise InputError(f'data: expected {height} rows of {step} bytes = {height * step}, '
                         f'found {buffer.size}')
    rows = buffer[:height * step].reshape(height, step)[:, :row]
    pixels: np.ndarray = np.ascontiguousarray(rows).reshape(height, width, -1)
    if kind.dtype is np.uint16:
        pixels = pixels[:, :, 0 if is_bigendian else 1]
    if kind.code is None:
        return pixels
    if 'bayer' in encoding and min(height, width) < 2:
        raise InputError(f'size: expected at least 2x2 pixels for {encoding}, '
                         f'found {width}x{height}')
    return cv2.cvtColor(np.ascontiguousarray(pixels), kind.code)
