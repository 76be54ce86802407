# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the two edges of a straight road meet: a point of the horizon, found in a mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.lens import CameraModel

UNKNOWN = 255
_ROWS = 96
_MOST_COLUMNS = 1600
# Beyond this tangent, 65 degrees from the axis, an image has few pixels for its area.
_WIDEST = 2.1
# Rows with both edges, of which this share has to lie on two straight lines within the tolerance.
_FEWEST_ROWS = 12
_STRAIGHT_SHARE = 0.5
_TRIED = 20
# Rows whose edges both lie off their lines to the same side: the road bends.
_BENT_SHARE = 0.2
# In pixels, across the edge; networks' edges are about that rough.
_TOLERANCE_PX = 2.0
# The widest row over the narrowest: with less the lines' crossing is a guess.
_LEAST_SPAN = 2.5
# Width of the road over the camera's height.
_WIDTHS = (0.8, 60.0)


@dataclass(frozen=True)
class VanishingPoint:
    """
    Where a straight road's edges meet, as tangents in the frame of its LevelRows.

    ``x`` is positive to the right, ``y`` positive below the assumed horizon, ``deviation`` the
    standard deviation of ``y`` from the roughness of the edges.
    """

    x: float
    y: float
    deviation: float


class LevelRows:
    """
    A camera's image as rows parallel to the horizon that a pose predicts, without distortion.

    ``rotation``, float64 (3, 3), takes directions of the optical frame to a base frame with z up.
    ``y``, float64 (rows,), are the rows' tangents, positive below that horizon, which is y = 0;
    ``pitch`` (rad) is how far down the camera looks.
    """

    def __init__(self, camera: CameraModel, rotation: np.ndarray) -> None:
        self.shape = (camera.height, camera.width)
        self.frame = level_frame(rotation)
        self.pitch = float(-np.arcsin(np.clip(rotation[2, 2], -1.0, 1.0)))
        self.pixel = 1.0 / np.sqrt(camera.fx * camera.fy)
        u, v = np.meshgrid(np.linspace(0, camera.width - 1, 64),
                           np.linspace(0, camera.height - 1, 48))
        right, down, forward = np.tensordot(self.frame.T, camera.directions(u, v), 1)
        with np.errstate(invalid='ignore', divide='ignore'):
            x, y = right / forward, down / forward
            ahead = (forward > 0.2) & (np.abs(x) < _WIDEST) & (np.abs(y) < _WIDEST)
        x, y = (each[ahead] if ahead.any() else np.zeros(1) for each in (x, y))
        count = min(_MOST_COLUMNS, int(np.ceil((x.max() - x.min()) / self.pixel)) + 1)
        self.x = np.linspace(x.min(), x.max(), count)
        self.y = np.linspace(y.min(), y.max(), _ROWS)
        grid = np.stack(np.broadcast_arrays(self.x[None], self.y[:, None], 1.0))
        u, v = camera.project(np.tensordot(self.frame, grid, 1))
        self._seen = camera.inside(u, v)
        u, v = (np.where(self._seen, each, 0.0) for each in (u, v))
        self._index = (np.clip(np.rint(v), 0, camera.height - 1) * camera.width
                       + np.clip(np.rint(u), 0, camera.width - 1)).astype(np.intp)

    def rows(self, mask: np.ndarray, road_ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """
        Return which samples are road and which are known, bool (rows, columns) each.

        ``mask`` is uint8 (H, W), class ids and 255 where unknown.
        """
        ids = mask.ravel().take(self._index)
        road = ids == road_ids[0]
        for other in road_ids[1:]:
            road |= ids == other
        known = self._seen & (ids != UNKNOWN)
        return road & known, known

    def vanishing_point(self, road: np.ndarray, known: np.ndarray) -> VanishingPoint | None:
        """
        Return where the road's edges meet; None in a bend, or where less than both are seen.

        ``road`` and ``known`` are those of ``rows``.
        """
        rows, left, right = self._edges(road, known)
        if len(rows) < _FEWEST_ROWS:
            return None
        y, x = self.y[rows], np.stack([self.x[left], self.x[right]])
        i, j, inliers = self._straight(y, x)
        if inliers.sum() < max(_FEWEST_ROWS, _STRAIGHT_SHARE * len(y)):
            return None
        off = self._off(y, x, np.array([i]), np.array([j]))[:, 0]
        both = (np.abs(off) > _TOLERANCE_PX).all(axis=0) & (off[0] * off[1] > 0.0)
        if both.mean() > _BENT_SHARE:
            return None
        return self._crossing(y[inliers], x[0, inliers], x[1, inliers])

    def above(self, road: np.ndarray, margin: float) -> float:
        """
        Return how much road lies further than ``margin`` above the horizon, as a share of all road.

        ``margin`` is a tangent. Shares are of the angles that the road takes up.
        """
        total = np.count_nonzero(road)
        return np.count_nonzero(road[self.y < -margin]) / total if total else 0.0

    def _edges(self, road: np.ndarray, known: np.ndarray
               ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the rows whose outermost road has known ground outside of it, and its columns."""
        columns = road.shape[1]
        left, right = road.argmax(axis=1), columns - 1 - road[:, ::-1].argmax(axis=1)
        rows = np.flatnonzero(road.any(axis=1) & (left > 0) & (right < columns - 1)
                              & (right - left >= 3))
        left, right = left[rows], right[rows]
        bounded = known[rows, left - 1] & known[rows, right + 1]
        return rows[bounded], left[bounded], right[bounded]

    def _straight(self, y: np.ndarray, x: np.ndarray) -> tuple[int, int, np.ndarray]:
        """
        Return the most rows that fit one straight line on the left and one on the right.

        ``x``, float64 (2, rows), are both edges. Each pair of a choice of rows is tried as two
        points of both lines; the numbers of the best two come first.
        """
        tried = np.unique(np.linspace(0, len(y) - 1, _TRIED).round().astype(np.intp))
        i, j = (tried[each] for each in np.triu_indices(len(tried), 3))
        fits = (np.abs(self._off(y, x, i, j)) < _TOLERANCE_PX).all(axis=0)
        best = int(fits.sum(axis=1).argmax())
        return int(i[best]), int(j[best]), fits[best]

    def _off(self, y: np.ndarray, x: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return how far off the lines through rows i and j each row is, (2, lines, rows)."""
        slope = (x[:, j] - x[:, i]) / (y[j] - y[i])
        off = x[:, None] - x[:, i, None] - slope[..., None] * (y - y[i, None])
        return np.asarray(off / (self.pixel * np.hypot(1.0, slope))[..., None])

    def _crossing(self, y: np.ndarray, left: np.ndarray, right: np.ndarray
                  ) -> VanishingPoint | None:
        """Return where two lines cross; of use only where they are seen from near to far."""
        # Half a column further out on either side is where the road ends.
        width = right - left + (self.x[1] - self.x[0])
        slope, at_zero, deviation = _line(y, width)
        if not _WIDTHS[0] < slope < _WIDTHS[1] or width.max() < _LEAST_SPAN * width.min():
            return None
        crossing = -at_zero / slope
        middle_slope, middle, _ = _line(y, (left + right) / 2)
        return VanishingPoint(middle + middle_slope * crossing, crossing,
                              deviation(crossing) / slope)


def level_frame(rotation: np.ndarray) -> np.ndarray:
    """
    Return float64 (3, 3), which takes level axes (right, down, forward) to the optical frame.

    Forward is horizontal and below or above the optical axis. ``rotation`` takes directions of the
    optical frame to a base frame with z up.
    """
    down = -rotation[2]
    axis = np.array([0.0, 0.0, 1.0])
    forward = axis - down * down[2]
    if np.linalg.norm(forward) < 1e-6:  # straight down: the image's upper side
        forward = np.array([0.0, -1.0, 0.0]) + down * down[1]
    forward /= np.linalg.norm(forward)
    return np.stack([np.cross(down, forward), down, forward], axis=1)


def _line(y: np.ndarray, x: np.ndarray) -> tuple[float, float, Callable[[float], float]]:
    """Return slope and offset of x over y by least squares, and x's deviation as a function."""
    mean = y.mean()
    spread = ((y - mean) ** 2).sum()
    slope = float(((y - mean) * (x - x.mean())).sum() / spread)
    at_zero = float(x.mean() - slope * mean)
    noise = ((x - at_zero - slope * y) ** 2).sum() / max(len(y) - 2, 1)
    return slope, at_zero, lambda at: float(np.sqrt(noise * (1 / len(y) + (at - mean) ** 2
                                                             / spread)))
