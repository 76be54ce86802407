# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read an image along straight lines on the ground, and find where the road on them ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.view import GroundView

# The nearest ground of interest, in metres from where the lines begin.
_NEAREST = 0.1
_COARSE = 384
UNKNOWN = 255


@dataclass(frozen=True, eq=False)
class RoadMask:
    """
    What a network sees in an image.

    ``mask`` holds class ids, 255 where unknown, of which ``road_ids`` are road; ``probability`` is
    round(255 P(road)). Both are uint8 (H, W). The edge of the road is where the probability passes
    ``threshold``, 0 to 1.
    """

    mask: np.ndarray
    probability: np.ndarray
    threshold: float = 0.5
    road_ids: tuple[int, ...] = (1,)


@dataclass(frozen=True)
class RoadEnds:
    """
    Where the road on each line ends.

    ``ranges``, float64 metres: inf where all of the line is road; ``on_road``: whether the line
    begins on the road; ``unknown``: whether what ends the road is an unknown pixel.
    """

    ranges: np.ndarray
    on_road: np.ndarray
    unknown: np.ndarray


class Rays:
    """
    Straight lines on the ground from one point, at bearings that are multiples of ``increment``.

    ``origin`` is x, y in the base frame. A bearing is kept if a part of its line up to ``reach``
    metres is in the image; the first such part is sampled about once a pixel. ``bearings`` (rad,
    rising, the camera's side of them without a jump at half a turn) and ``starts`` and ``ends``,
    the ranges in metres between which the line is in view, are float64 (rays,), and so is
    ``pixel``, what a pixel takes off the inverse range (1/m); ``leaves`` tells whether the line
    leaves the image before its reach.
    """

    def __init__(self, view: GroundView, origin: tuple[float, float], increment: float,
                 reach: float) -> None:
        self.origin, self.increment, self.reach = origin, increment, reach
        self._view = view
        forward = view.pose.rotation[:, 2]
        middle = round(np.arctan2(forward[1], forward[0]) / increment)
        half = int(np.pi / increment)
        bearings = increment * (middle + np.arange(-half, half))
        inverse = np.linspace(1.0 / _NEAREST, 1.0 / reach, _COARSE)
        # Even steps of 1/range are even steps in the image.
        u, v = self._pixels(bearings[:, None], 1.0 / inverse[None])
        inside = view.camera.inside(u, v)
        first, last = _first_run(inside)
        kept = _run_around(last > first, half)
        self.bearings = bearings[kept]
        u, v, first, last = u[kept], v[kept], first[kept], last[kept]
        rows = np.arange(len(first))
        self.starts, self.ends = 1.0 / inverse[first], 1.0 / inverse[last]
        self.starts = self._refined(self.starts, 1.0 / inverse[np.maximum(first - 1, 0)])
        self.leaves = last < _COARSE - 1
        outer = self._refined(self.ends, 1.0 / inverse[np.minimum(last + 1, _COARSE - 1)])
        self.ends = np.where(self.leaves, outer, self.ends)
        length = np.hypot(np.diff(u, axis=1), np.diff(v, axis=1))
        length[~(inside[kept][:, 1:] & inside[kept][:, :-1])] = 0.0
        travelled = np.cumsum(length, axis=1)
        pixels = (travelled[rows, np.maximum(last - 1, 0)]
                  - np.where(first > 0, travelled[rows, np.maximum(first - 1, 0)], 0.0))
        self._sample(np.maximum(2, np.ceil(pixels + 2).astype(np.intp)))

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.bearings)

    def _pixels(self, bearings: np.ndarray, ranges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._view.ground_to_pixel(self.origin[0] + ranges * np.cos(bearings),
                                          self.origin[1] + ranges * np.sin(bearings))

    def _refined(self, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
        """Return the ranges, a little on the inside, at which the lines enter or leave."""
        good, bad = 1.0 / inside, 1.0 / outside
        for _ in range(12):
            middle = (good + bad) / 2
            hit = self._view.camera.inside(*self._pixels(self.bearings, 1.0 / middle))
            good, bad = np.where(hit, middle, good), np.where(hit, bad, middle)
        return 1.0 / good

    def _sample(self, counts: np.ndarray) -> None:
        """Tabulate ``counts`` samples of each line; the last one fills up the table's row."""
        most = int(counts.max()) if len(counts) else 2
        step = np.minimum(np.arange(most)[None], counts[:, None] - 1) / (counts[:, None] - 1)
        near, far = 1.0 / self.starts[:, None], 1.0 / self.ends[:, None]
        self._inverse = (near + step * (far - near)).astype(np.float32)
        u, v = self._pixels(self.bearings[:, None], 1.0 / (near + step * (far - near)))
        camera = self._view.camera
        u, v = np.clip(u, 0, camera.width - 1), np.clip(v, 0, camera.height - 1)
        self._u, self._v = u.astype(np.float32), v.astype(np.float32)
        self._index = (np.rint(v) * camera.width + np.rint(u)).astype(np.intp)
        self._ids = np.empty(self._index.shape, np.uint8)
        self._road = np.empty(self._index.shape, np.bool_)
        self.pixel = (near - far)[:, 0] / (counts - 1)
        self._rows = np.arange(len(counts))

    def first_not_road(self, seen: RoadMask, run: int = 1) -> RoadEnds:
        """
        Return, for each line, where the first ``run`` of pixels that are not road begins.

        Between the last pixel of road and the next one the edge is where the probability passes the
        threshold.
        """
        road = self._road
        if not len(self):
            return RoadEnds(np.empty(0), np.empty(0, np.bool_), np.empty(0, np.bool_))
        seen.mask.ravel().take(self._index, out=self._ids, mode='clip')
        np.equal(self._ids, seen.road_ids[0], out=road)
        for other in seen.road_ids[1:]:
            np.logical_or(road, self._ids == other, out=road)
        starts_on_road = road[:, 0].copy()
        for _ in range(run - 1):  # road within the run to come counts as road
            np.logical_or(road[:, :-1], road[:, 1:], out=road[:, :-1])
        first = road.argmin(axis=1)
        ended = ~road[self._rows, first]
        unknown = ended & (self._ids[self._rows, first] == UNKNOWN)
        ranges = np.full(len(self), np.inf)
        ranges[ended] = self.starts[ended]
        inner = np.flatnonzero(ended & (first > 0))
        ranges[inner] = self._edge(inner, first[inner], seen.probability,
                                   255.0 * seen.threshold)
        return RoadEnds(ranges, starts_on_road, unknown)

    def pixels_further(self, ranges: np.ndarray, pixels: float) -> np.ndarray:
        """Return the ranges that many pixels of the image behind others, inf at the horizon."""
        inverse = 1.0 / ranges - pixels * self.pixel
        return np.where(inverse > 0.0, 1.0 / np.where(inverse > 0.0, inverse, 1.0), np.inf)

    def _edge(self, rows: np.ndarray, first: np.ndarray, probability: np.ndarray, level: float
              ) -> np.ndarray:
        """Return the ranges at which the probability falls to a level, next to sample ``first``."""
        near = first[:, None] + np.arange(-2, 2)[None]
        near = np.clip(near, 0, self._index.shape[1] - 1)
        here = rows[:, None], near
        value = _bilinear(probability, self._u[here], self._v[here])
        inverse = self._inverse[here]
        falls = (value[:, :-1] >= level) & (value[:, 1:] < level)
        # Where interpolation does not pass the level, half way between the two pixels.
        k = np.where(falls.any(axis=1), falls.argmax(axis=1), 1)
        row = np.arange(len(rows))
        above, below = value[row, k], value[row, k + 1]
        part = np.where(falls[row, k], (above - level) / np.maximum(above - below, 1e-6), 0.5)
        return 1.0 / (inverse[row, k] + part * (inverse[row, k + 1] - inverse[row, k]))


def _first_run(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last number of the first run of True in each row; 0, 0 if none."""
    first = inside.argmax(axis=1)
    after = inside & (np.arange(inside.shape[1])[None] >= first[:, None])
    outside = ~after & (np.arange(inside.shape[1])[None] > first[:, None])
    last = np.where(outside.any(axis=1), outside.argmax(axis=1) - 1, inside.shape[1] - 1)
    any_inside = inside.any(axis=1)
    return np.where(any_inside, first, 0), np.where(any_inside, last, 0)


def _run_around(wanted: np.ndarray, middle: int) -> np.ndarray:
    """Return the numbers of the run of True that holds ``middle``, or of the largest one."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], wanted.astype(np.int8), [0]])))
    runs = list(zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True))
    if not runs:
        return np.empty(0, np.intp)
    start, end = max(runs, key=lambda run: (run[0] <= middle < run[1], run[1] - run[0]))
    return np.arange(start, end)


def _bilinear(image: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return an image, uint8 (H, W), interpolated at pixels inside of it, float64."""
    height, width = image.shape
    left = np.minimum(u.astype(np.intp), max(width - 2, 0))
    top = np.minimum(v.astype(np.intp), max(height - 2, 0))
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    a, b = u - left, v - top
    upper = (1.0 - a) * image[top, left] + a * image[top, right]
    lower = (1.0 - a) * image[bottom, left] + a * image[bottom, right]
    return (1.0 - b) * upper + b * lower
