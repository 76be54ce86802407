# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The horizon, and with it a camera's pitch and roll, from many frames of straight road."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.road_edges import VanishingPoint, level_frame

#: Fewer do not make a calibration.
FEWEST_FRAMES = 20
FEWEST_GROUPS = 5
# Of the slope of the horizon; a fit that knows it less well keeps the assumed roll.
_LEAST_KNOWN_ROLL = float(np.deg2rad(0.5))
# In standard deviations: frames further off count less (Huber).
_HUBER = 1.345


@dataclass(frozen=True)
class HorizonFit:
    """
    A line through vanishing points: y = offset + slope x, tangents in the frame of LevelRows.

    ``roll_known`` tells whether the points lie far enough apart for a slope; without, it is 0, the
    assumed one. ``heading`` is the middle of x. The deviations are those of the numbers themselves,
    not of a frame's.
    """

    offset: float
    slope: float
    heading: float
    offset_deviation: float
    slope_deviation: float
    heading_deviation: float
    roll_known: bool
    frames: int

    def angles(self, rotation: np.ndarray) -> tuple[float, float]:
        """
        Return roll and pitch in rad, as CameraPose.from_angles takes them, by this horizon.

        ``rotation`` is the one that the frame of LevelRows was made for.
        """
        down = np.array([-self.slope, 1.0, -self.offset])
        up = -level_frame(rotation) @ (down / np.linalg.norm(down))
        return float(np.arctan2(-up[0], -up[1])), float(-np.arcsin(np.clip(up[2], -1.0, 1.0)))


def fit_horizon(points: Sequence[VanishingPoint], groups: Sequence[int]) -> HorizonFit | None:
    """
    Fit the horizon; None for fewer than FEWEST_FRAMES points or FEWEST_GROUPS groups.

    Points of one group, such as a second of a drive, err alike; the deviations come from leaving
    out one group after the other.
    """
    names = np.unique(np.asarray(groups))
    if len(points) < FEWEST_FRAMES or len(names) < FEWEST_GROUPS:
        return None
    x, y = np.array([(each.x, each.y) for each in points]).T
    of = np.asarray(groups)
    every = _solve(x, y, True)
    spread = _deviation([_solve(x[of != name], y[of != name], True) for name in names])
    known = bool(spread[1] < _LEAST_KNOWN_ROLL)
    slope_deviation = float(spread[1])
    if not known:
        every = _solve(x, y, False)
        spread = _deviation([_solve(x[of != name], y[of != name], False) for name in names])
    offset, slope, heading = every.tolist()
    return HorizonFit(offset, slope, heading, float(spread[0]), slope_deviation,
                      float(spread[2]), known, len(points))


def _solve(x: np.ndarray, y: np.ndarray, sloped: bool) -> np.ndarray:
    """Return offset, slope (0 unless ``sloped``) and the median of x; far points count less."""
    terms = np.stack([np.ones_like(x), x] if sloped else [np.ones_like(x)], axis=1)
    weights = np.ones_like(x)
    solution = np.zeros(terms.shape[1])
    for _ in range(10):
        scaled = terms * weights[:, None]
        solution = np.linalg.lstsq(scaled.T @ terms, scaled.T @ y, rcond=None)[0]
        off = np.abs(y - terms @ solution)
        scale = max(1.4826 * float(np.median(off)), 1e-9)
        weights = np.minimum(1.0, _HUBER * scale / np.maximum(off, 1e-12))
    return np.array([solution[0], solution[1] if sloped else 0.0, np.median(x)])


def _deviation(without: Sequence[np.ndarray]) -> np.ndarray:
    """Return the jackknife's standard deviations."""
    values = np.array(without)
    count = len(values)
    return np.sqrt((count - 1) / count * ((values - values.mean(axis=0)) ** 2).sum(axis=0))
