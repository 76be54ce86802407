# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Write images as an mp4 that browsers can play: H.264, yuv420p, index first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

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
    count = 0
    last_pts = -1
    with av.open(str(path), 'w', format='mp4', options={'movflags': '+faststart'}) as container:
        stream = None
        for seconds, image in images:
            if stopped():
                break
            if stream is None:
                stream = container.add_stream('libx264', rate=rate,
                                              options={'crf': CRF, 'preset': PRESET})
                stream.pix_fmt = 'yuv420p'
                stream.height, stream.width = image.shape[0] & ~1, image.shape[1] & ~1
            frame = av.VideoFrame.from_ndarray(
                fit(image, stream.width, stream.height), format='rgb24')
            last_pts = max(last_pts + 1, round(seconds * rate))
            frame.pts, frame.time_base = last_pts, 1 / rate
            container.mux(stream.encode(frame))
            count += 1
        if stream is not None:
            container.mux(stream.encode())
    return count


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
