# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The ground that obstacles hide: only an obstacle's foot is on it, the rest hides what is behind.

A mask says where road is, not what else is there. Anything that ends the road *across* the
direction of travel, or has road on both sides, is treated as an obstacle, and everything behind its
foot is unknown. An edge *along* the direction of travel is the road's edge; the ground beside it is
seen.
"""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.ground.rays import Rays, RoadEnds, RoadMask
from fcn_seg_ros.ground.view import GroundView

_INCREMENT = np.deg2rad(0.25)
# Pixels along a line: a shorter run is a speck in the mask.
_SHORTEST = 3
# Lines over which the direction of an edge is judged.
_ASIDE = 3
# Next to an obstacle, road extends at least this much further.
_DEEPER = 1.25
# How much of an obstacle behind its foot stays in the grid.
_DEPTH_M, _DEPTH_PIXELS = 0.3, 2.0
# Half the width of the vehicle's path; whatever fills the view from its lower border is in front of
# it.
_HALF_WAY = 1.0


class Shadows:
    """
    The range, on each bearing from the camera's foot point, behind which nothing is known.

    ``limits`` is float32 (rays + 1,), inf where no obstacle stands; the last one is for bearings
    out of view.
    """

    def __init__(self, view: GroundView, reach: float) -> None:
        x, y, _ = view.pose.position
        self.rays = Rays(view, (float(x), float(y)), float(_INCREMENT), reach)
        self.limits = np.full(len(self.rays) + 1, np.inf, np.float32)
        if len(self.rays):
            begins = self.rays.origin[1] + self.rays.starts * np.sin(self.rays.bearings)
            self._in_way = (np.abs(begins) < _HALF_WAY) & (np.cos(self.rays.bearings) > 0.5)

    def update(self, seen: RoadMask) -> np.ndarray:
        """Fill and return ``limits`` for a frame."""
        if len(self.rays):
            ends = self.rays.first_not_road(seen, _SHORTEST)
            foot = self._obstacles(ends) & ~ends.unknown
            behind = np.maximum(ends.ranges + _DEPTH_M,
                                self.rays.pixels_further(ends.ranges, _DEPTH_PIXELS))
            self.limits[:-1] = np.where(foot, behind, np.inf)
        return self.limits

    def _obstacles(self, ends: RoadEnds) -> np.ndarray:
        """Return on which lines the road ends at an obstacle."""
        # What begins beside the road has no edge of the road.
        ranges = np.where(ends.on_road, ends.ranges, np.nan)
        with np.errstate(invalid='ignore'):
            x, y = ranges * np.cos(self.rays.bearings), ranges * np.sin(self.rays.bearings)
            dx = np.abs(x[_ASIDE:] - x[:-_ASIDE])
            dy = np.abs(y[_ASIDE:] - y[:-_ASIDE])
            across = (dx < dy) & np.isfinite(dx)
            narrow = _DEEPER * ranges[_ASIDE:-_ASIDE] < np.minimum(
                ranges[2 * _ASIDE:], ranges[:-2 * _ASIDE])
        found = np.zeros(len(ranges), np.bool_)
        found[_ASIDE:] |= across
        found[:-_ASIDE] |= across
        found[_ASIDE:-_ASIDE] |= narrow
        found = _closed(found) & np.isfinite(ranges)
        return found | self._before_us(ends)

    def _before_us(self, ends: RoadEnds) -> np.ndarray:
        """Return which lines begin at something that reaches into the vehicle's own way."""
        blocked = ~ends.on_road & (ends.ranges <= self.rays.starts)
        if not (blocked & self._in_way).any():
            return np.zeros(len(blocked), np.bool_)
        run = np.cumsum(np.diff(blocked.astype(np.int8), prepend=0) != 0)
        return blocked & np.isin(run, run[blocked & self._in_way])


def _closed(found: np.ndarray) -> np.ndarray:
    """Return flags (N,) with the gaps between True ones closed that are under 2 _ASIDE wide."""
    spread = np.convolve(found, np.ones(2 * _ASIDE + 1), 'same') > 0
    return found | (np.convolve(~spread, np.ones(2 * _ASIDE + 1), 'same') == 0)


class Hidden:
    """Tells which of a set of ground points are hidden by obstacles."""

    def __init__(self, shadows: Shadows, x: np.ndarray, y: np.ndarray) -> None:
        """Look up the bearings of points x, y in metres, float64 (N,), NaN for none."""
        rays = shadows.rays
        ahead, left = x - rays.origin[0], y - rays.origin[1]
        self._ranges = np.hypot(ahead, left).astype(np.float32)
        self._limits = shadows.limits
        self._bins = np.full(len(x), len(rays), np.intp)
        if len(rays):
            turn = np.arctan2(left, ahead) - rays.bearings[0]
            # The first bearing reaches half an increment to either side, as all do.
            half = rays.increment / 2
            number = np.abs(np.rint(((turn + half) % (2.0 * np.pi) - half) / rays.increment))
            known = number < len(rays)
            self._bins[known] = number[known].astype(np.intp)
        self._at = np.empty(len(x), np.float32)
        self._hidden = np.empty(len(x), np.bool_)

    def update(self) -> np.ndarray:
        """Return which points are behind the limits of this frame, bool (N,)."""
        self._limits.take(self._bins, out=self._at, mode='clip')
        return np.greater(self._ranges, self._at, out=self._hidden)
