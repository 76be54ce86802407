# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What several reports say about the numbers of a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fcn_seg_ros.offline import charts
from fcn_seg_ros.offline.run_numbers import NUMBER, STAGES, RunNumbers


def time_axis(numbers: RunNumbers) -> Sequence[str]:
    """Return the labels of the axis of times."""
    if numbers.clock == NUMBER:
        first, last = int(numbers.number.min()), int(numbers.number.max())
        return [str(round(first + share * (last - first))) for share in (0, 0.25, 0.5, 0.75, 1)]
    return charts.time_labels(numbers.span)


def percent(value: float, digits: int = 1) -> str:
    """Return a share as a text."""
    return f'{100 * value:.{digits}f} %' if np.isfinite(value) else 'unknown'


def total_ms(numbers: RunNumbers) -> np.ndarray:
    """Return the milliseconds of each frame, of the stages that are known; NaN if none is."""
    stages = np.stack([numbers.values[name] for name in STAGES])
    return np.where(np.isfinite(stages).any(0), np.nansum(stages, 0), np.nan)


def mean(values: np.ndarray) -> float:
    """Return the mean of the known values, NaN if there is none."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float('nan')


def low(values: np.ndarray) -> float:
    """Return the lowest of the known values, infinity if there is none."""
    return float(np.min(values[np.isfinite(values)], initial=np.inf))


def high(values: np.ndarray) -> float:
    """Return the highest of the known values, minus infinity if there is none."""
    return float(np.max(values[np.isfinite(values)], initial=-np.inf))


def median(values: np.ndarray) -> float:
    """Return the median of the known values, NaN if there is none."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float('nan')


def seconds_of(ns: int) -> str:
    """Return a stamp as ROS writes it: seconds, and nine digits for the nanoseconds."""
    return f'{ns // 10**9}.{ns % 10**9:09d}'


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, + for what rounds to 0."""
    return f'{round(value, digits) + 0.0:+.{digits}f}'
