# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measure how far an image and its segmentation are from the training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from fcn_seg_ros.inference.picture import Glance, sampled_rows
from fcn_seg_ros.inference.segmentation import Segmentation

# A range excludes this share of the training frames at each end.
TAIL = 0.005
# The smallest distance of a range's ends from its middle, in the figure's unit, so that training
# frames from a single camera do not make all other cameras unfamiliar.
_LEAST_REACH = {'brightness': 15.0, 'contrast': 8.0, 'sharpness': 0.08, 'detail': 0.1,
                'warm': 0.1, 'cool': 0.1, 'confidence': 0.01, 'undecided': 0.02, 'road': 0.1}
# Every 8th column of the network's outputs is sampled.
_COLUMN_STEP = 8
_UNDECIDED = (26, 229)

Range = tuple[float, float, float]


def sampled(plane: np.ndarray) -> np.ndarray:
    """Return a few thousand pixels of an output plane, a new array."""
    return plane[sampled_rows(plane.shape[0])][:, ::_COLUMN_STEP].copy()


def figures(look: Glance, result: Segmentation) -> dict[str, float]:
    """
    Return the figures, by name, to compare with the training data's.

    ``confidence`` is the mean of max(P(road), 1 - P(road)), ``undecided`` the share of pixels where
    that maximum is below 0.9, ``road`` the road's share of the image.
    """
    levels = sampled(result.probability)
    sure = cv2.max(levels, 255 - levels)
    low, high = _UNDECIDED
    return {'brightness': look.brightness, 'contrast': look.contrast,
            'sharpness': look.sharpness, 'detail': float(look.detailed.mean()),
            'warm': look.warm, 'cool': look.cool, 'confidence': cv2.mean(sure)[0] / 255,
            'undecided': float(((levels >= low) & (levels <= high)).mean()),
            'road': float((levels >= 128).mean())}


def fit(seen: Sequence[Mapping[str, float]]) -> dict[str, Range]:
    """Return the range of each figure, (low, middle, high), over training frames."""
    ranges = {}
    for name, reach in _LEAST_REACH.items():
        values = [frame[name] for frame in seen if np.isfinite(frame.get(name, np.nan))]
        if values:
            low, middle, high = np.quantile(values, (TAIL, 0.5, 1 - TAIL))
            ends = min(low, middle - reach), middle, max(high, middle + reach)
            ranges[name] = tuple(round(float(end), 4) for end in ends)
    return ranges  # type: ignore[return-value]


def distance(frame: Mapping[str, float], ranges: Mapping[str, Sequence[float]]
             ) -> tuple[float, str]:
    """
    Return a frame's distance from the training data, and the figure that is furthest off.

    A distance of 1 is the end of the range of nearly all training frames, 2 is twice as far from
    its middle. Returns 0 and '' without ranges; figures missing on either side are ignored.
    """
    worst, by = 0.0, ''
    for name, (low, middle, high) in ranges.items():
        value = frame.get(name, middle)
        reach = high - middle if value > middle else middle - low
        away = abs(value - middle) / reach
        if away > worst:  # not of NaN
            worst, by = away, name
    return worst, by
