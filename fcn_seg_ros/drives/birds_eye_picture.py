# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Draw an occupancy grid as seen from above, with the vehicle and metres along both axes."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.images.text import text_size, write_text

_BACKGROUND, _UNKNOWN, _TEXT, _LINE = (24, 24, 24), (58, 58, 58), (230, 230, 230), (255, 255, 255)
# From road by unsure to not road.
_ROAD, _UNSURE, _NOT_ROAD = (60, 190, 110), (215, 190, 80), (150, 60, 50)
_VEHICLE, _GLASS = (235, 235, 235), (70, 90, 120)
# A car, in metres, around the origin of the base frame.
_FRONT, _REAR, _HALF_WIDTH = 1.6, -2.6, 0.9
_TICK = 10
_SCALE = 0.4
# Pixels left of the grid and below it, for the numbers.
_LEFT, _BELOW, _EDGE = 40, 20, 6


class BirdsEyePicture:
    """Pictures of grids of one kind, ``height`` pixels high; ahead is up, and left is left."""

    def __init__(self, spec: GridSpec, height: int) -> None:
        self.spec = spec
        # The vehicle is in the picture too, even if the grid begins ahead of it.
        self._bottom = min(spec.x_min, _REAR - 0.4)
        self._top = spec.x_min + spec.length
        plot = max(1, height - _BELOW - _EDGE)
        self._scale = plot / (self._top - self._bottom)
        self._across = max(1, round(spec.width * self._scale))
        self.shape = height, _LEFT + self._across + _EDGE
        colours = np.array([_ROAD, _UNSURE, _NOT_ROAD], np.float64)
        self._colours = np.full((256, 3), _UNKNOWN, np.uint8)  # -1 is 255 as a uint8
        self._colours[:101] = np.stack([np.interp(np.arange(101), (0, 50, 100), part)
                                        for part in colours.T], axis=1).round()

    def draw(self, values: np.ndarray | None) -> np.ndarray:
        """
        Return the picture, uint8 RGB (H, W, 3), of a grid, int8 (rows, columns); None: nothing.

        Green is road, brown is not, grey is unknown.
        """
        picture = np.full((*self.shape, 3), _BACKGROUND, np.uint8)
        left, top = self._pixel(self._top, self.spec.width / 2)
        bottom = self._pixel(self.spec.x_min, 0.0)[1]
        area = picture[top:bottom, left:left + self._across]
        area[:] = _UNKNOWN
        if values is not None:
            turned = np.ascontiguousarray(values.view(np.uint8).T[::-1, ::-1])
            area[:] = cv2.resize(self._colours[turned], area.shape[1::-1],
                                 interpolation=cv2.INTER_AREA)
        self._rings(area, left, top)
        self._vehicle(picture)
        self._axes(picture)
        return picture

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        """Return the column and the row of a point on the ground."""
        return (_LEFT + round((self.spec.width / 2 - y) * self._scale),
                _EDGE + round((self._top - x) * self._scale))

    def _rings(self, area: np.ndarray, left: int, top: int) -> None:
        """Draw thin rings of the same ranges as the ticks into the part that the grid covers."""
        column, row = self._pixel(0.0, 0.0)
        lines = area.copy()
        for radius in range(_TICK, int(np.hypot(self._top, self.spec.width / 2)) + 1, _TICK):
            cv2.circle(lines, (column - left, row - top), round(radius * self._scale), _LINE, 1,
                       cv2.LINE_AA)
        cv2.addWeighted(lines, 0.45, area, 0.55, 0.0, dst=lines)
        area[:] = lines

    def _vehicle(self, picture: np.ndarray) -> None:
        for (front, rear, half), colour in (((_FRONT, _REAR, _HALF_WIDTH), _VEHICLE),
                                            ((0.5, -0.2, 0.7), _GLASS)):
            cv2.rectangle(picture, self._pixel(front, half), self._pixel(rear, -half), colour, -1,
                          cv2.LINE_AA)

    def _axes(self, picture: np.ndarray) -> None:
        """Write the metres ahead, and to either side."""
        first = -_TICK * int(-min(self.spec.x_min, 0.0) // _TICK)
        for x in range(first, int(self._top) + 1, _TICK):
            row = self._pixel(x, 0.0)[1]
            cv2.line(picture, (_LEFT - 4, row), (_LEFT, row), _TEXT, 1)
            _write(picture, f'{x} m', _LEFT - 6, row + 4, right=True)
        half = int(self.spec.width / 2)
        for y in sorted({-half // 5 * 5, 0, half // 5 * 5}):
            column = self._pixel(0.0, y)[0]
            _write(picture, f'{abs(y)} m', column, self.shape[0] - 6)


def _write(picture: np.ndarray, text: str, column: int, row: int, right: bool = False) -> None:
    """Write text that ends at a column, or is centred on it, and stays inside the picture."""
    wide, _ = text_size(text, _SCALE)
    at = column - (wide if right else wide // 2)
    at = max(2, min(at, picture.shape[1] - wide - 2))
    row = max(11, row)
    write_text(picture, text, (at, row), _SCALE, _TEXT)
