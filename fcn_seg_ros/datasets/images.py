# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image files as arrays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError


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
    bgr = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
