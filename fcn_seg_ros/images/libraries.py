# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The decoding libraries behind one function.

simplejpeg (libjpeg-turbo) decodes JPEG as fast as OpenCV, but reports damage instead of inventing
pixels. OpenCV decodes the other formats, and JPEG if simplejpeg is not installed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from fcn_seg_ros.images.jpeg import SIGNATURE as JPEG
from fcn_seg_ros.images.png import SIGNATURE as PNG
from fcn_seg_ros.images.structure import CheckedFile

try:
    from simplejpeg import decode_jpeg
except ImportError:
    decode_jpeg = None

# The log level is global: one thread must not restore a level that another has set temporarily.
_LOG_LEVEL = threading.Lock()
# OpenCV before 4.11 has no flag for RGB.
_RGB: int | None = getattr(cv2, 'IMREAD_COLOR_RGB', None)
# Webcams pad scans with a few meaningless bytes; damage usually leaves more.
_MOST_EXTRANEOUS = 8
_EXTRANEOUS = re.compile(r'(\d+) extraneous bytes before marker 0xd')


def decode_checked(file: CheckedFile) -> np.ndarray | None:
    """
    Return the pixels, uint8 or uint16: grey (H, W), else RGB (H, W, 3).

    Returns None, or raises any exception, if the library finds the data damaged.
    """
    if file.content.startswith(JPEG):
        return _by_opencv(file) if decode_jpeg is None else _by_simplejpeg(file)
    if file.content.startswith(PNG):
        return _by_opencv(file)
    with _quiet_opencv():
        return _by_opencv(file)


def _by_simplejpeg(file: CheckedFile) -> np.ndarray:
    colours = 'GRAY' if file.grey else 'RGB'
    try:
        pixels = decode_jpeg(file.content, colours)
    except ValueError as error:
        padding = _EXTRANEOUS.search(str(error))
        if padding is None or int(padding[1]) > _MOST_EXTRANEOUS:
            raise
        pixels = decode_jpeg(file.content, colours, strict=False)
    return pixels[..., 0] if file.grey else pixels


def _by_opencv(file: CheckedFile) -> np.ndarray | None:
    # OpenCV 4.14 returns uninitialised memory for a 16-bit TIFF read as RGB.
    direct = None if file.content[:2] in (b'II', b'MM') else _RGB
    flags = cv2.IMREAD_GRAYSCALE if file.grey else direct or cv2.IMREAD_COLOR
    pixels = cv2.imdecode(np.frombuffer(file.content, np.uint8),
                          flags | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or direct is not None or file.grey:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Silence libtiff, which prints several lines for every damaged file."""
    with _LOG_LEVEL:
        before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            yield
        finally:
            cv2.utils.logging.setLogLevel(before)
