# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From the bytes of a compressed image message to RGB; masks to PNG, pictures to JPEG."""

from __future__ import annotations

import io
import re
from typing import Any

import cv2
import numpy as np
from PIL import Image

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.encodings import check_side

# A few hundred bytes can promise an image that fills the memory. No camera has more pixels.
MAX_PIXELS = 2**26
# 'jpeg', 'rgb8; jpeg compressed bgr8', 'mono16; png compressed ', but not 'compressedDepth png'.
_KNOWN = re.compile(r'\b(m?jpe?g|png)\b')
_DEPTH = 'compresseddepth'


def decode(data: Any, format: str = '') -> np.ndarray:
    """
    Return the RGB image, uint8 (H, W, 3), of a compressed image message's fields.

    ``data`` is a buffer that holds a JPEG or PNG file; ``format`` is what image_transport or a
    camera driver wrote and may be empty. Grey becomes RGB, 16-bit values keep their upper byte,
    alpha is left out; an EXIF orientation is ignored, since the camera's calibration is that of
    the pixels as they lie. Raises InputError, naming what is wrong, for another format, for data
    that is damaged or cut off and for an absurd size. JPEG has no checksum: bytes that are wrong
    within a whole file are seen only as wrong pixels.
    """
    name = format.lower()
    if name and (_DEPTH in name or not _KNOWN.search(name)):
        raise InputError(f'format: expected jpeg or png, found {format[:80]!r}')
    content = bytes(data)
    width, height = _read_size(content)
    check_side(height, width)
    if width * height > MAX_PIXELS:
        raise InputError(f'size: expected at most {MAX_PIXELS} pixels, found {width}x{height}')
    try:
        bgr = cv2.imdecode(np.frombuffer(content, np.uint8),
                           cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        bgr = None
    if bgr is None or bgr.shape[:2] != (height, width):
        raise InputError(f'data: expected an image of {width}x{height}, found {len(content)} '
                         'bytes that are damaged')
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def encode_png(mask: np.ndarray) -> bytes:
    """
    Return a mask, uint8 (H, W), as an 8-bit grey PNG file, which loses nothing.

    Fast, and small all the same: class ids come in runs, which is all that is looked for.
    """
    # OpenCV's own choice, lowest level, run lengths and one filter: 0.6 ms and 3 kB for a KITTI
    # mask. Given a level, even that one, it tries every filter on every row and takes 2.2 ms.
    return cv2.imencode('.png', mask)[1].tobytes()


def encode_jpeg(picture: np.ndarray, quality: int) -> bytes:
    """Return an RGB picture, uint8 (H, W, 3), as a JPEG file of quality 1 to 100."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _read_size(content: bytes) -> tuple[int, int]:
    """
    Return (width, height) from the file's header, before anything is decoded.

    What OpenCV would decode all the same, or what libpng would complain of on standard error, is
    refused here: a JPEG that is cut off, of which OpenCV would make up the missing rows, and a PNG
    with a chunk that is missing or does not have its checksum.
    """
    try:
        with Image.open(io.BytesIO(content), formats=('JPEG', 'PNG')) as image:
            size = image.size
            image.verify()
    except Image.DecompressionBombError:
        raise InputError(f'size: expected at most {MAX_PIXELS} pixels, found more than '
                         f'{2 * (Image.MAX_IMAGE_PIXELS or 0)}') from None
    except (OSError, SyntaxError, ValueError):
        raise InputError(f'data: expected a whole JPEG or PNG image, found {len(content)} bytes '
                         'of something else, damaged or cut off') from None
    # A thumbnail in the header has an end of its own, before the image's scan starts.
    if (content[:2] == b'\xff\xd8'
            and content.rfind(b'\xff\xd9') <= content.rfind(b'\xff\xda')):
        raise InputError(f'data: expected a whole JPEG image of {size[0]}x{size[1]}, found '
                         f'{len(content)} bytes without its end')
    return size
