# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Intersection over union (IoU)."""

from __future__ import annotations

from typing import Any

import numpy as np


def intersection_and_union(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Return how many pixels are road (not 0) in both masks, and how many in at least one."""
    return int(np.logical_and(one, other).sum()), int(np.logical_or(one, other).sum())


def intersection_over_union(intersection: Any, union: Any, empty: float = 1.0) -> Any:
    """
    Return the IoU for pixel counts, ``empty`` where the union is empty.

    The result is a float for numbers, a float64 array for arrays.
    """
    union = np.asarray(union, np.float64)
    iou = np.divide(intersection, union, out=np.full(union.shape, empty), where=union > 0)
    return iou if iou.ndim else float(iou)


def mean_iou(intersections: Any, unions: Any, empty: float) -> float:
    """Return the mean IoU of the classes that occur, ``empty`` if none does."""
    unions = np.asarray(unions, np.float64)
    occurs = unions > 0
    if not occurs.any():
        return empty
    return float((np.asarray(intersections)[occurs] / unions[occurs]).mean())
