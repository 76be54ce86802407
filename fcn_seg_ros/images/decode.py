# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Decode PNG, JPEG and TIFF files to pixels, from a disk BMP and WebP too: the package's one decoder.

Files are not trusted: their structure is checked first (png.py, jpeg.py, ...), and the decoding
library gets only the parts that the pixels need. Whatever it raises becomes an InputError.

The EXIF orientation is ignored here, since CameraInfo refers to the pixels as they are stored; the
datasets turn what they read (``datasets/orientation.py``).
"""

from __future__ import annotations

import re
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError, quoted, type_and_words
from fcn_seg_ros.images.bmp import SIGNATURE as BMP
from fcn_seg_ros.images.bmp import check_bmp
from fcn_seg_ros.images.encodings import demosaic, to_8_bits
from fcn_seg_ros.images.jpeg import SIGNATURE as JPEG
from fcn_seg_ros.images.jpeg import check_jpeg
from fcn_seg_ros.images.libraries import decode_checked
from fcn_seg_ros.images.png import SIGNATURE as PNG
from fcn_seg_ros.images.png import check_png
from fcn_seg_ros.images.structure import CheckedFile
from fcn_seg_ros.images.tiff import SIGNATURES as TIFF
from fcn_seg_ros.images.tiff import check_tiff
from fcn_seg_ros.images.webp import check_webp, is_webp

# 'jpeg', 'rgb8; jpeg compressed bgr8', 'mono16; png compressed ', but not 'compressedDepth png'.
_KNOWN = re.compile(r'\b(m?jpe?g|png|tiff?)\b')
_DEPTH = 'compresseddepth'


def decode(data: Any, format: str = '', bit_depth: int = 0, on_disk: bool = False) -> np.ndarray:
    """
    Return the RGB image, uint8 (H, W, 3), of a PNG, JPEG or TIFF file.

    ``data`` is any buffer that holds the file. ``format`` is that of a compressed image message, as
    image_transport or a camera driver writes it, or ''. If ``format`` begins with a Bayer encoding,
    a grey image is demosaiced. Other grey images become RGB, alpha is dropped. A 16-bit image keeps
    the upper 8 of its ``bit_depth`` bits (0: all 16). ``on_disk``: the data are no message but a
    file, which may also be BMP or WebP. Raises InputError for any other format, for truncated or
    damaged data, and for an absurd size. JPEG has no checksum, so some damage shows only as wrong
    pixels.
    """
    return to_rgb(decode_pixels(data, format, on_disk), format, bit_depth)


def decode_pixels(data: Any, format: str = '', on_disk: bool = False) -> np.ndarray:
    """
    Return the pixels as stored, uint8 or uint16: (H, W) if grey, else RGB (H, W, 3).

    Palette images become RGB. Raises InputError as ``decode`` does.
    """
    name = format[:200].lower()
    if name and (_DEPTH in name or not _KNOWN.search(name)):
        raise InputError(f'format: expected jpeg, png or tiff, found {quoted(format)}')
    file = check(bytes(data), on_disk)
    try:
        pixels = decode_checked(file)
    except Exception as error:  # decoders raise many types, and the file is always the cause
        raise _damaged(file, len(data), f' ({type_and_words(error)})') from None
    if pixels is None or pixels.shape[:2] != (file.height, file.width):
        raise _damaged(file, len(data))
    return pixels


def to_rgb(pixels: np.ndarray, format: str = '', bit_depth: int = 0) -> np.ndarray:
    """Return decoded pixels as an RGB image, uint8 (H, W, 3); see ``decode``."""
    if pixels.dtype == np.uint16:
        pixels = to_8_bits(pixels, bit_depth)
    if pixels.ndim == 3:
        return pixels
    mosaic = demosaic(pixels, format)
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if mosaic is None else mosaic


def check(content: bytes, on_disk: bool = False) -> CheckedFile:
    """Check the structure of a file (see ``decode``); raises InputError if it is not sound."""
    if content.startswith(JPEG):
        return check_jpeg(content)
    if content.startswith(PNG):
        return check_png(content)
    if content.startswith(TIFF):
        return check_tiff(content)
    if on_disk and is_webp(content):
        return check_webp(content)
    if on_disk and content.startswith(BMP):
        return check_bmp(content)
    kinds = 'PNG, JPEG, TIFF, BMP or WebP' if on_disk else 'PNG, JPEG or TIFF'
    raise InputError(f'data: expected a {kinds} image, found {len(content)} bytes of something '
                     'else')


def _damaged(file: CheckedFile, length: int, why: str = '') -> InputError:
    return InputError(f'data: the image of {file.width}x{file.height} in {length} bytes is '
                      f'damaged{why}')
