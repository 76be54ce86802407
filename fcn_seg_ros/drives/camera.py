# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera of this machine, or a pipe of MJPEG, through OpenCV."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError


def is_camera(spec: str) -> bool:
    """Return whether ``spec`` is a camera's number, a device or a named pipe."""
    path = Path(spec)
    if not path.exists():
        return spec.isdecimal() or spec.startswith('/dev/')
    return stat.S_ISCHR(path.stat().st_mode) or path.is_fifo()


class Camera:
    """
    The images of a camera as they arrive, until it ends.

    ``spec`` is its number (0 is ``/dev/video0``), its device file, or a named pipe. Raises
    InputError for one that cannot be opened or gives no image.
    """

    def __init__(self, spec: str) -> None:
        self.spec = spec
        before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            self._capture = cv2.VideoCapture(int(spec) if spec.isdecimal() else spec)
            self._first = self._read()
        finally:
            cv2.utils.logging.setLogLevel(before)
        if self._first is None:
            self._capture.release()
            raise InputError(f'{spec}: expected a camera (a number, /dev/videoN or a pipe of '
                             f'MJPEG), {self._why()}')

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yield the seconds since the first image, and the image, uint8 RGB (H, W, 3)."""
        start, image = time.monotonic(), self._first
        try:
            while image is not None:
                yield time.monotonic() - start, image
                image = self._read()
        finally:
            self._capture.release()

    def _read(self) -> np.ndarray | None:
        done, image = self._capture.read()
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if done else None

    def _why(self) -> str:
        """Return why there is no image, as far as is known."""
        path = Path(f'/dev/video{self.spec}' if self.spec.isdecimal() else self.spec)
        if not path.exists():
            known = ', '.join(sorted(str(device) for device in Path('/dev').glob('video*')))
            return f'found none at {path} (there are: {known or "no cameras at all"})'
        return ('found one that gives no image: does another program use it, and may this user '
                'read it (group video)?')
