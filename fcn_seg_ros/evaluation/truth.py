# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the ground truth does not say although it seems to."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE

STRIP_ROWS = 12


def without_bottom_strip(labels: np.ndarray, rows: int = STRIP_ROWS) -> np.ndarray:
    """
    Return the labels with the strip below the annotation set to 255, uint8 (H, W).

    In KITTI Road's ground truth the road stops up to 11 rows above the image's lower border and
    "not road" follows, all across the lane the car stands on. Where at most ``rows`` pixels at the
    foot of a column are not road and road lies on them, they are left out. The benchmark's own
    scores keep them; a boundary or an obstacle right before the car they are not.
    """
    foot = labels[::-1][:rows + 1]
    road = foot == 1
    first = np.argmax(road, axis=0)
    below = np.arange(len(foot))[:, None] < first
    strip = below & road.any(axis=0) & np.all((foot == 0) | ~below, axis=0)
    cleaned = labels.copy()
    cleaned[::-1][:rows + 1][strip] = IGNORE
    return cleaned
