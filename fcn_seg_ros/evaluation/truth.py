# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Correct faults of the ground truth."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE

STRIP_ROWS = 12


def without_bottom_strip(labels: np.ndarray, rows: int = STRIP_ROWS) -> np.ndarray:
    """
    Return the labels with the wrong strip at the lower border set to 255, uint8 (H, W).

    In KITTI Road's ground truth the road ends up to 11 rows above the lower border, and "not road"
    follows across the whole ego lane. Up to ``rows`` pixels at the bottom of a column that are not
    road, with road above them, are ignored. The benchmark's scores keep them, but they are neither
    a boundary nor an obstacle.
    """
    foot = labels[::-1][:rows + 1]
    road = foot == 1
    first = np.argmax(road, axis=0)
    below = np.arange(len(foot))[:, None] < first
    strip = below & road.any(axis=0) & np.all((foot == 0) | ~below, axis=0)
    cleaned = labels.copy()
    cleaned[::-1][:rows + 1][strip] = IGNORE
    return cleaned
