# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Draw into a camera image what is measured on the ground: rings of range, the road's end."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from fcn_seg_ros.ground.rings import Rings, road_end, runs
from fcn_seg_ros.ground.tables import GroundTables
from fcn_seg_ros.images.text import text_size, write_text

_FREE, _ELSEWHERE, _END = (255, 255, 255), (150, 150, 150), (255, 60, 40)
# cv2 takes pixels in sixteenths.
_SHIFT = 4
# Where on a ring its label may be, from the right to the left; the first one without another.
_PLACES = (0.03, 0.97, 0.2, 0.8, 0.5)


def draw_metric_lines(image: np.ndarray, tables: GroundTables, ranges: np.ndarray, spacing: float
                      ) -> None:
    """
    Draw rings ``spacing`` metres apart and the end of the road into an image, uint8 (H, W, 3).

    ``ranges`` are the freespace's of this frame. Rings are white where the road is free up to them,
    else grey.
    """
    rings = tables.rings(spacing)
    thick = max(1, round(image.shape[1] / 900))
    free = rings.free(ranges)
    for flags, colour in ((rings.inside & ~free, _ELSEWHERE), (free, _FREE)):
        _lines(image, (pixels[start:end] for pixels, row in zip(rings.pixels, flags, strict=True)
                       for start, end in runs(row)), colour, thick)
    _lines(image, road_end(tables.view, tables.freespace, ranges), _END, thick + 1)
    _labels(image, rings)


def _lines(image: np.ndarray, lines: Iterable[np.ndarray], colour: tuple[int, int, int],
           thickness: int) -> None:
    fixed = [np.rint(line * 2**_SHIFT).astype(np.int32) for line in lines]
    if fixed:
        cv2.polylines(image, fixed, False, colour, thickness, cv2.LINE_AA, _SHIFT)


def _labels(image: np.ndarray, rings: Rings) -> None:
    """Write each ring's radius beside it where there is room; near rings come first."""
    height, width = image.shape[:2]
    scale = min(max(height / 800.0, 0.4), 1.2)
    taken: list[tuple[int, int, int, int]] = []
    for radius, pixels, inside in zip(rings.radii, rings.pixels, rings.inside, strict=True):
        text = f'{radius:g} m'
        wide, high = text_size(text, scale)
        shown = pixels[inside]
        for place in _PLACES if len(shown) else ():
            u, v = shown[int(place * (len(shown) - 1))]
            left = int(np.clip(u - wide / 2, 2, max(2, width - wide - 2)))
            bottom = int(np.clip(v - high / 3, high + 2, height - 3))
            box = (left - 2, bottom - high - 2, left + wide + 2, bottom + 2)
            if not any(_overlap(box, other) for other in taken):
                taken.append(box)
                write_text(image, text, (left, bottom), scale, _FREE, outline=3)
                break


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return (one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])
