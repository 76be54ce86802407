# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Convert the pixels of a camera image, raw or Bayer, to RGB."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError, quoted
from fcn_seg_ros.images.structure import check_side


@dataclass(frozen=True)
class Encoding:
    """
    The layout of an image in a message, and OpenCV's conversion to RGB (None: already RGB).

    A pixel has ``channels`` values of ``dtype``. The image's sides are multiples of ``block``
    (rows, columns) and at least ``least`` long. With ``chroma_rows``, the rows of luma are followed
    by half as many rows of interleaved chroma, as in YUV 4:2:0.
    """

    channels: int
    dtype: type[np.generic] = np.uint8
    code: int | None = None
    block: tuple[int, int] = (1, 1)
    least: int = 1
    chroma_rows: bool = False

    @property
    def pixel_bytes(self) -> int:
        """Return how many bytes of its row a pixel takes."""
        return self.channels * np.dtype(self.dtype).itemsize


_BGR, _RGBA, _BGRA = cv2.COLOR_BGR2RGB, cv2.COLOR_RGBA2RGB, cv2.COLOR_BGRA2RGB
_GREY = cv2.COLOR_GRAY2RGB
# OpenCV names a Bayer pattern by its second row: COLOR_BayerRGGB2RGB is the literal name.
_BAYER = {'rggb': cv2.COLOR_BayerRGGB2RGB, 'bggr': cv2.COLOR_BayerBGGR2RGB,
          'gbrg': cv2.COLOR_BayerGBRG2RGB, 'grbg': cv2.COLOR_BayerGRBG2RGB}

# Every encoding in sensor_msgs/image_encodings.hpp for brightness or colour, except nv24, which
# OpenCV cannot convert. Floats and signed integers are for depth and the like, two channels for
# flow.
ENCODINGS = {
    'rgb8': Encoding(3),
    'bgr8': Encoding(3, code=_BGR),
    'rgba8': Encoding(4, code=_RGBA),
    'bgra8': Encoding(4, code=_BGRA),
    'mono8': Encoding(1, code=_GREY),
    'rgb16': Encoding(3, np.uint16),
    'bgr16': Encoding(3, np.uint16, _BGR),
    'rgba16': Encoding(4, np.uint16, _RGBA),
    'bgra16': Encoding(4, np.uint16, _BGRA),
    'mono16': Encoding(1, np.uint16, _GREY),
    # The OpenCV types do not specify the colour order; like cv_bridge, this assumes BGR.
    '8UC1': Encoding(1, code=_GREY),
    '8UC3': Encoding(3, code=_BGR),
    '8UC4': Encoding(4, code=_BGRA),
    '16UC1': Encoding(1, np.uint16, _GREY),
    '16UC3': Encoding(3, np.uint16, _BGR),
    '16UC4': Encoding(4, np.uint16, _BGRA),
    'uyvy': Encoding(2, code=cv2.COLOR_YUV2RGB_UYVY, block=(1, 2)),
    'yuv422': Encoding(2, code=cv2.COLOR_YUV2RGB_UYVY, block=(1, 2)),
    'yuyv': Encoding(2, code=cv2.COLOR_YUV2RGB_YUY2, block=(1, 2)),
    'yuv422_yuy2': Encoding(2, code=cv2.COLOR_YUV2RGB_YUY2, block=(1, 2)),
    'nv12': Encoding(1, code=cv2.COLOR_YUV2RGB_NV12, block=(2, 2), chroma_rows=True),
    'nv21': Encoding(1, code=cv2.COLOR_YUV2RGB_NV21, block=(2, 2), chroma_rows=True),
    **{f'bayer_{cell}8': Encoding(1, code=code, least=2) for cell, code in _BAYER.items()},
    **{f'bayer_{cell}16': Encoding(1, np.uint16, code, least=2)
       for cell, code in _BAYER.items()},
}


def to_rgb(data: Any, height: int, width: int, encoding: str, step: int,
           is_bigendian: bool = False, bit_depth: int = 0) -> np.ndarray:
    """
    Return the RGB image, uint8 (H, W, 3), of an image message's fields.

    ``data`` is any buffer of at least ``height * step`` bytes (half as many again for nv12 and
    nv21, whose chroma rows follow with the same step); ``step`` is the length of a row in bytes,
    padding included. For rgb8 without padding the result is a view of ``data``. 16-bit values keep
    the upper 8 of their ``bit_depth`` bits (0: all 16). Raises InputError for an encoding that is
    not in ENCODINGS, an absurd size, a step shorter than a row, or data shorter than the image.
    """
    kind = ENCODINGS.get(encoding)
    if kind is None:
        raise InputError(f'encoding: expected one of {", ".join(ENCODINGS)}, found '
                         f'{quoted(encoding)}')
    _check_size(kind, height, width, encoding)
    row = width * kind.pixel_bytes
    if step < row:
        raise InputError(f'step: expected at least {row} bytes for {width} pixels of {encoding}, '
                         f'found {step}')
    count = height + height // 2 if kind.chroma_rows else height
    buffer = np.frombuffer(data, np.uint8)
    if buffer.size < count * step:
        raise InputError(f'data: expected {count} rows of {step} bytes = {count * step}, '
                         f'found {buffer.size}')
    rows = np.ascontiguousarray(buffer[:count * step].reshape(count, step)[:, :row])
    if kind.dtype is np.uint16:
        rows = to_8_bits(rows.view('>u2' if is_bigendian else '<u2'), bit_depth)
    pixels = rows.reshape(count, width, kind.channels)
    return pixels if kind.code is None else cv2.cvtColor(pixels, kind.code)


def is_deep(encoding: str) -> bool:
    """Return whether an encoding has 16-bit values; a camera may use fewer bits of them."""
    kind = ENCODINGS.get(encoding)
    return kind is not None and kind.dtype is np.uint16


def to_8_bits(values: np.ndarray, bit_depth: int = 0) -> np.ndarray:
    """
    Return the upper 8 of ``bit_depth`` bits (0: 16) of 16-bit values as uint8.

    Larger values saturate.
    """
    if bit_depth in (0, 16):
        # In the other byte order, the upper byte is the one read as the lower.
        if values.dtype.byteorder == '>':
            return values.view('<u2').astype(np.uint8)
        return (values >> 8).astype(np.uint8)
    return np.minimum(values >> (bit_depth - 8), 255).astype(np.uint8)


def demosaic(pixels: np.ndarray, format: str) -> np.ndarray | None:
    """
    Return the RGB image, uint8 (H, W, 3), of a mosaic's uint8 values (H, W).

    ``format`` is that of a compressed image message and begins with the encoding: ``bayer_rggb8;
    png compressed``. Returns None if that is not a Bayer encoding. Raises InputError for an image
    smaller than the mosaic's cell, 2x2.
    """
    cell = re.match(r'\s*bayer_([a-z]{4})(8|16)\b', format)
    if cell is None or cell[1] not in _BAYER:
        return None
    kind = ENCODINGS[f'bayer_{cell[1]}8']
    height, width = pixels.shape
    _check_size(kind, height, width, f'bayer_{cell[1]}8')
    return cv2.cvtColor(pixels, _BAYER[cell[1]])


def _check_size(kind: Encoding, height: int, width: int, encoding: str) -> None:
    check_side(height, width)
    if width % kind.block[1]:
        raise InputError(f'size: expected an even width for {encoding}, found {width}')
    if height % kind.block[0]:
        raise InputError(f'size: expected an even height for {encoding}, found {height}')
    if min(height, width) < kind.least:
        raise InputError(f'size: expected at least {kind.least}x{kind.least} pixels for '
                         f'{encoding}, found {width}x{height}')
