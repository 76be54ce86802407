# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image files as arrays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fcn_seg_ros.errors import InputError, one_line

# The kinds of image files that folders of images, datasets and drives hold.
IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')


def read_rgb(path: Path) -> np.ndarray:
    """
    Read a PNG or JPEG file as RGB, uint8 of shape (H, W, 3).

    Raises InputError where the file is no image, or is cut off.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f'{path}: expected a PNG or JPEG image, found a file that cannot be '
                         f'read ({error.strerror})') from None
    rgb = decode_rgb(content)
    if rgb is None:
        raise InputError(f'{path}: expected a PNG or JPEG image, found {len(content)} bytes that '
                         f'OpenCV cannot decode (damaged, cut off, or another format)')
    return rgb


def decode_rgb(content: bytes | np.ndarray) -> np.ndarray | None:
    """Decode a PNG or JPEG file's content to RGB, uint8 of shape (H, W, 3); None if damaged."""
    raw = np.frombuffer(content, np.uint8)
    if not raw.size:
        return None
    # libpng writes a line of its own about a file that was cut off; it need not come to that.
    if raw[:4].tobytes() == b'\x89PNG' and raw.tobytes().rfind(b'IEND') < 0:
        return None
    # libjpeg makes up the rows that are missing where a file has no end-of-image marker.
    if raw[:2].tobytes() == b'\xff\xd8' and raw[-65536:].tobytes().rfind(b'\xff\xd9') < 0:
        return None
    bgr = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def read_indices(path: Path) -> np.ndarray:
    """
    Read a label image (grey, palette or black-and-white PNG) as its numbers, uint8 (H, W).

    A colour image whose channels are equal counts as grey. Raises InputError for others, and
    where the file is no image, or is cut off.
    """
    try:
        with Image.open(path) as image:
            mode, pixels = image.mode, np.array(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f'{path}: expected a label image, found a file that cannot be decoded '
                         f'({one_line(error)})') from None
    if mode in ('RGB', 'RGBA'):
        if (pixels[..., :3] == pixels[..., :1]).all():
            return np.ascontiguousarray(pixels[..., 0])
    elif mode in ('L', 'P', '1'):
        return pixels.astype(np.uint8)
    raise InputError(f'{path}: expected a label image of one 8-bit channel, found {mode} with '
                     'different channels' if mode.startswith('RGB') else
                     f'{path}: expected a label image of one 8-bit channel, found {mode}')
