# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lines on the ground as they appear in the image: rings of equal range, and the road's end."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.ground.freespace import Freespace
from fcn_seg_ros.ground.view import GroundView

# Between these bearings a ring is drawn straight; a lens that bends needs no finer ones.
_STEP = float(np.deg2rad(0.5))


class Rings:
    """
    Circles around the base frame's origin, ``spacing`` metres apart, as far as the freespace.

    ``radii`` are in metres, float64 (rings,); ``pixels`` are where the circles appear, float64
    (rings, bearings, 2), bearings from right to left; ``inside`` tells which of these are in the
    image, bool (rings, bearings). Made once for a view.
    """

    def __init__(self, view: GroundView, free: Freespace, spacing: float) -> None:
        self.spacing = spacing
        self.radii = spacing * np.arange(1, int(free.range_max / spacing + 1e-9) + 1)
        increment, count = free.angle_increment, len(free.ranges)
        bearings = free.angle_min + np.arange(-increment / 2, (count - 0.5) * increment,
                                              min(increment, _STEP))
        self._ray = np.clip(np.rint((bearings - free.angle_min) / increment).astype(np.intp), 0,
                            count - 1)
        u, v = view.ground_to_pixel(self.radii[:, None] * np.cos(bearings),
                                    self.radii[:, None] * np.sin(bearings))
        self.pixels = np.stack([u, v], axis=-1)
        self.inside = view.camera.inside(u, v)

    def free(self, ranges: np.ndarray) -> np.ndarray:
        """
        Return which pixels show road that is free up to there, bool (rings, bearings).

        ``ranges`` are the freespace's for the frame.
        """
        with np.errstate(invalid='ignore'):
            return self.inside & (ranges[self._ray] > self.radii[:, None])


def road_end(view: GroundView, free: Freespace, ranges: np.ndarray) -> list[np.ndarray]:
    """
    Return the lines at which the road ends in the image, each float64 (points, 2) pixels.

    They join neighbouring rays whose ranges are known and finite: nothing ends at the range limit,
    and nothing is known where a range is NaN.
    """
    known = np.isfinite(ranges)
    bearings = free.angle_min + free.angle_increment * np.arange(len(ranges))
    far = np.where(known, ranges, 1.0)
    pixels = np.stack(view.ground_to_pixel(far * np.cos(bearings), far * np.sin(bearings)), axis=-1)
    return [pixels[start:end] for start, end in runs(known)]


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return (start, end) of each run of at least two True, of bool (n,)."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(start, end) for start, end in zip(steps[::2].tolist(), steps[1::2].tolist(),
                                               strict=True) if end - start > 1]
