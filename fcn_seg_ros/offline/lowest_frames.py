# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Small pictures of the frames of lowest confidence, kept while a run has their images at hand.

A part holds its own in ``pictures/NUMBER.jpg``; the report shows the lowest of all parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.images.encode import encode_jpeg
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.offline.ranking import Lowest, lowest_spread

#: So many are kept of a part, and shown in a report.
MOST_PICTURES = 12
# Of the longer side, in pixels: a card on a wide screen, and a phone's screen at twice its pixels.
_LONGEST = 640
QUALITY = 78
_OPACITY = 0.45
_FOLDER = 'pictures'


class LowestFrames:
    """The frames of lowest confidence among those of one part; memory is a dozen images."""

    def __init__(self, colour: tuple[int, int, int]) -> None:
        """Tint the road in ``colour`` (RGB)."""
        self._colour = colour
        self._lowest: Lowest[tuple[np.ndarray, Callable[[], np.ndarray]]] = Lowest(
            MOST_PICTURES)

    def offer(self, number: int, confidence: float | None, image: np.ndarray,
              road: Callable[[], np.ndarray]) -> None:
        """
        Keep the frame if it is among the lowest.

        ``image`` is uint8 RGB (H, W, 3), ``road`` returns uint8 (H, W), not 0 for road;
        ``confidence`` is None if every pixel is unknown, which is lower than any.
        """
        self._lowest.offer(number, -1.0 if confidence is None else confidence,
                           lambda: (image, road))

    def write(self, part: Path) -> None:
        """Write the pictures into a part's folder."""
        folder = make_folder(part / _FOLDER)
        for number, (image, road) in self._lowest.kept.items():
            drawn = draw_overlay(shrink(image), shrink(road(), cv2.INTER_NEAREST),
                                 self._colour, _OPACITY)
            write_file(folder / f'{number}.jpg', encode_jpeg(drawn, QUALITY))


def kept_pictures(parts: Iterable[Path], values: Mapping[int, float]) -> dict[int, bytes]:
    """
    Return JPEG pictures of the lowest frames of all parts, by number, lowest moments first.

    ``values`` are the confidences of the frames; of others no picture is shown.
    """
    files = {int(file.stem): file for part in parts for file in (part / _FOLDER).glob('*.jpg')}
    known = [(number, values[number]) for number in files if number in values]
    return {number: files[number].read_bytes()
            for number in lowest_spread(known, MOST_PICTURES)}


def shrink(image: np.ndarray, how: int = cv2.INTER_AREA, longest: int = _LONGEST) -> np.ndarray:
    """Return an image, uint8 (H, W) or (H, W, 3), as it is shown: at most ``longest`` pixels."""
    scale = min(1.0, longest / max(image.shape[:2]))
    size: Sequence[int] = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=how)
