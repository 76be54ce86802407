# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The EXIF orientation of picture files: how pixels must be rotated to be upright.

Annotation tools, browsers and viewers rotate a photograph before anybody draws on it. So in
datasets images and masks are rotated too, each according to its own file (CIPA DC-008, tag 274).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from fcn_seg_ros.images.webp import is_webp

if TYPE_CHECKING:
    from PIL.Image import Image

_TAG = 274
_AS_STORED = 1
# Where the tag may be; most files have none of these, and need not be opened.
_SIGNS = (b'Exif', b'eXIf', b'exif', b'tiff:Orientation')
_TIFF = (b'II', b'MM')
_OF_PNG = ('exif', 'Raw profile type exif', 'XML:com.adobe.xmp', 'xmp')
# Metadata come before the pixels.
_HEAD = 2**18


def orientation_of(content: bytes) -> int:
    """Return the orientation of an image file, 1 to 8; 1 (as stored) without one."""
    head = content[:_HEAD]
    if not (head.startswith(_TIFF) or is_webp(head) or any(sign in head for sign in _SIGNS)):
        return _AS_STORED
    from PIL import Image as pillow
    try:
        with pillow.open(io.BytesIO(content), formats=('PNG', 'JPEG', 'TIFF', 'WEBP')) as image:
            return orientation_in(image)
    except Exception:  # Pillow raises many types; who decodes the file says what is wrong with it
        return _AS_STORED


def orientation_in(image: Image) -> int:
    """Return the same for a file that Pillow has opened."""
    # To look behind the pixels of a PNG Pillow would decode them.
    if image.format == 'PNG' and not any(name in image.info for name in _OF_PNG):
        return _AS_STORED
    found = image.getexif().get(_TAG)
    return found if isinstance(found, int) and 1 <= found <= 8 else _AS_STORED


def swaps_sides(orientation: int) -> bool:
    """Return whether width and height are swapped."""
    return orientation >= 5


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return pixels (H, W) or (H, W, C) as they are seen, contiguous."""
    if orientation == _AS_STORED:
        return pixels
    if swaps_sides(orientation):
        pixels = pixels.swapaxes(0, 1)
    # Rows and columns that run the other way, after the exchange.
    rows, columns = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1),
                     8: (-1, 1)}[orientation]
    return np.ascontiguousarray(pixels[::rows, ::columns])
