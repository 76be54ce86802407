# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The free distance on the road, along bearings from the base frame's origin."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.ground.rays import Rays, RoadMask
from fcn_seg_ros.ground.view import GroundView

# A line that comes into view further away than this many times the blind zone is not measured,
# because the ground before it is not seen.
_LATEST_START = 2.0


class Freespace:
    """
    The range of the first ground that is not road, on each bearing.

    ``angle_min`` and ``angle_increment`` (rad) and ``range_min`` and ``range_max`` (metres) are
    those of a LaserScan whose origin is that of the base frame. ``range_min`` is the nearest
    ground in view, so that no range is below it.
    """

    def __init__(self, view: GroundView, increment: float, reach: float) -> None:
        self.rays = rays = Rays(view, (0.0, 0.0), increment, reach)
        nearest = float(rays.starts.min()) if len(rays) else reach
        self.angle_min = float(rays.bearings[0]) if len(rays) else 0.0
        self.angle_increment = increment
        # Rounded down, since a float32 may be a little smaller.
        self.range_min, self.range_max = np.floor(1000.0 * nearest) / 1000.0, reach
        self.ranges = np.full(len(rays), np.nan, np.float32)
        self._late = rays.starts > _LATEST_START * nearest
        self._free: np.ndarray = np.zeros(len(rays))
        self._sine, self._cosine = np.sin(rays.bearings), np.cos(rays.bearings)

    def update(self, seen: RoadMask) -> np.ndarray:
        """
        Return the ranges for a frame, float32 (rays,).

        inf: road up to ``range_max``. NaN: not seen, because the line leaves the image first, does
        not begin on the road, or comes to unknown pixels. The array is the same one for each frame.
        """
        ends = self.rays.first_not_road(seen)
        unseen = ~ends.on_road | self._late
        self._free = np.where(unseen, self.rays.starts, np.minimum(ends.ranges, self.rays.ends))
        unseen |= ends.unknown | (np.isinf(ends.ranges) & self.rays.leaves)
        self.ranges[:] = np.where(unseen, np.nan, ends.ranges)
        return self.ranges

    def polygon(self) -> np.ndarray:
        """
        Return the corners of the free area of the last frame, float64 (2 x rays, 2): x, y.

        It begins where the lines come into view and ends where the road does, at ``range_max`` or
        where a line leaves the image; where the road is not seen, it has no extent.
        """
        far = np.stack([self._free * self._cosine, self._free * self._sine], axis=-1)
        starts = self.rays.starts
        near = np.stack([starts * self._cosine, starts * self._sine], axis=-1)
        return np.concatenate([near, far[::-1]])
