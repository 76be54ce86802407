# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError


def make_folder(path: Path) -> Path:
    """Make a folder, with those above it; raises InputError where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'{path}: expected a folder to write to, found one that cannot be made '
                         f'({error.strerror})') from None
    return path


def write_file(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it; raises InputError where it fails."""
    partial = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f'{path}: expected a place to write to, found a fault '
                         f'({error.strerror})') from None
    finally:
        partial.unlink(missing_ok=True)


def png(image: np.ndarray) -> bytes:
    """Return an image as PNG: uint8, grey (H, W) or RGB (H, W, 3)."""
    ordered = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode('.png', ordered)[1].tobytes()
