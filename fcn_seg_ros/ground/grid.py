# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The road as an occupancy grid: the mean probability over each cell's footprint in the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.connected import reached
from fcn_seg_ros.ground.footprint import Footprints
from fcn_seg_ros.ground.rays import RoadMask
from fcn_seg_ros.ground.shadow import Hidden, Shadows
from fcn_seg_ros.ground.view import GroundView

#: The value of a cell of which nothing is known.
UNSEEN = -1
# A cell is unseen if a larger share of its footprint is unknown.
_UNKNOWN_SHARE = 0.5
# The cells next to the blind zone, metres.
_SEED_DEPTH = 1.0


@dataclass(frozen=True)
class GridSpec:
    """
    Square cells on the ground in the base frame, in metres.

    They begin ``x_min`` ahead of its origin, reach ``length`` further and ``width`` / 2 to either
    side.
    """

    length: float = 40.0
    width: float = 20.0
    cell: float = 0.1
    x_min: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns), as nav_msgs/OccupancyGrid has them: y and x, both rising."""
        return max(1, round(self.width / self.cell)), max(1, round(self.length / self.cell))

    @property
    def corner(self) -> tuple[float, float]:
        """Return x and y of the outer corner of the first cell."""
        return self.x_min, -self.shape[0] * self.cell / 2

    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the x and the y between which the columns and the rows lie, float64."""
        rows, columns = self.shape
        x, y = self.corner
        return x + self.cell * np.arange(columns + 1), y + self.cell * np.arange(rows + 1)

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y of every cell's centre, float64 (rows, columns) each."""
        x, y = (edges[:-1] + self.cell / 2 for edges in self.edges())
        return tuple(np.meshgrid(x, y))  # type: ignore[return-value]


class RoadGrid:
    """
    The occupancy grid of one camera; made once for a view, then updated frame by frame.

    A cell has a value if its footprint lies in the image and its longer side there has at least
    ``min_pixels``. Along the way a footprint is much shorter than across, so that far from the
    camera cells behind each other share a row of pixels.
    """

    def __init__(self, view: GroundView, spec: GridSpec, shadows: Shadows | None = None,
                 min_pixels: float = 1.0) -> None:
        self.spec = spec
        self.values = np.full(spec.shape, UNSEEN, np.int8)
        self._footprints = Footprints(view, *spec.edges(), min_pixels)
        cells = self._footprints.cells
        x, y = (each.ravel()[cells] for each in spec.centres())
        self._hidden = None if shadows is None else Hidden(shadows, x, y)
        away = np.hypot(x - view.pose.position[0], y - view.pose.position[1])
        self._nearest = cells[away <= away.min(initial=np.inf) + _SEED_DEPTH]
        count = len(cells)
        self._mean = np.empty(count, np.float32)
        self._level = np.empty(count, np.int8)
        self._flags = np.empty(count, np.bool_)

    @property
    def in_view(self) -> np.ndarray:
        """Return which cells can have a value, bool (rows, columns)."""
        found = np.zeros(self.spec.shape, np.bool_)
        found.ravel()[self._footprints.cells] = True
        return found

    def update(self, seen: RoadMask) -> np.ndarray:
        """
        Return the grid for a frame, int8 (rows, columns): 0 free to 100 not road, -1 unseen.

        The shadows have to be those of the same frame. The array is the same one for each frame.
        """
        mean = self._footprints.mean(seen.probability, seen.mask, self._mean)
        np.multiply(mean, np.float32(-100.0 / 255.0), out=mean)
        np.add(mean, np.float32(100.5), out=mean)  # the cast cuts off
        np.copyto(self._level, mean, casting='unsafe')
        if self._footprints.unknown is not None:
            np.greater(self._footprints.unknown, _UNKNOWN_SHARE, out=self._flags)
            np.putmask(self._level, self._flags, UNSEEN)
        if self._hidden is not None:
            np.putmask(self._level, self._hidden.update(), UNSEEN)
        self.values.ravel()[self._footprints.cells] = self._level
        return self.values

    def keep_connected(self, values: np.ndarray, highest: float) -> np.ndarray:
        """
        Make free cells (0 to ``highest``) unseen that no free cells connect to the vehicle.

        What lies next to the blind zone is connected to it. Changes and returns ``values``, a grid
        of this camera.
        """
        free = (values >= 0) & (values <= highest)
        seeds = np.zeros(self.spec.shape, np.bool_)
        seeds.ravel()[self._nearest] = True
        values[free & ~reached(free, seeds)] = UNSEEN
        return values
