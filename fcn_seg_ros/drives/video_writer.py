# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Write images as an mp4 that browsers can play: H.264, yuv420p, index first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from fcn_seg_ros.files import replacing

CRF = '20'
PRESET = 'veryfast'


def write_video(path: Path, images: Iterable[tuple[float, np.ndarray]], rate_hz: float,
                stopped: Callable[[], bool] = lambda: False) -> int:
    """
    Write ``(seconds, image)`` pairs to ``path`` and return the number of frames.

    Images are RGB, uint8 (H, W, 3). The first one, cropped to even sides, sets the size of the
    video; others are fitted into it. Times are rounded to multiples of the period of ``rate_hz``,
    so that a video with dropped frames lasts as long as the drive did; images never share a time.
    The file is never partial. Once ``stopped`` returns True, the remaining images are left out.
    """
    with replacing(path) as partial:
        count = _encode(partial, images, Fraction(rate_hz).limit_denominator(1000), stopped)
        if not count:
            partial.unlink(missing_ok=True)
    return count


def _encode(path: Path, images: Iterable[tuple[float, np.ndarray]], rate: Fraction,
            stopped: Callable[[], bool]) -> int:
    with VideoFile(path, rate) as video:
        for seconds, image in images:
            if stopped():
                break
            video.add(seconds, image)
    return video.count


class VideoFile:
    """
    An mp4 in work, as a context manager; see ``write_video``.

    ``size`` (width, height) is that of the first image if it is not given. ``options`` are further
    ones of x264.
    """

    def __init__(self, path: Path, rate: Fraction, size: tuple[int, int] | None = None,
                 options: dict[str, str] | None = None) -> None:
        self.size = size
        self.count = 0
        self._rate = rate
        self._options = {'crf': CRF, 'preset': PRESET} | (options or {})
        self._last = -1
        self._stream: Any = None
        self._container = av.open(str(path), 'w', format='mp4',
                                  options={'movflags': '+faststart'})

    def __enter__(self) -> VideoFile:
        """Return the video."""
        return self

    def __exit__(self, *error: object) -> None:
        """Write what the encoder still has, and the index."""
        try:
            if self._stream is not None and error[0] is None:
                self._container.mux(self._stream.encode())
        finally:
            self._container.close()

    def add(self, seconds: float, image: np.ndarray) -> None:
        """Add an image, RGB, uint8 (H, W, 3), at a time."""
        if self._stream is None:
            self.size = self.size or (image.shape[1] & ~1, image.shape[0] & ~1)
            self._stream = self._container.add_stream('libx264', rate=self._rate,
                                                      options=self._options)
            self._stream.pix_fmt = 'yuv420p'
            self._stream.width, self._stream.height = self.size
        frame = av.VideoFrame.from_ndarray(
            fit(image, self._stream.width, self._stream.height), format='rgb24')
        self._last = max(self._last + 1, round(seconds * self._rate))
        frame.pts, frame.time_base = self._last, 1 / self._rate
        self._container.mux(self._stream.encode(frame))
        self.count += 1


def fit(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """
    Return an RGB image of exactly width x height.

    An image that is at most one pixel larger is cropped, which keeps its pixels exact; any other is
    scaled to fit and centred on black.
    """
    rows, columns = image.shape[:2]
    if 0 <= rows - height <= 1 and 0 <= columns - width <= 1:
        return np.ascontiguousarray(image[:height, :width])
    scale = min(width / columns, height / rows)
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[y:y + size[1], x:x + size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return canvas
