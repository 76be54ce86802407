# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How two road masks of one image differ: overlap, area, and the distance of their edges."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


class MaskChange(NamedTuple):
    """
    The change from road A to road B.

    ``iou`` is 1 if neither has road; ``area_a`` and ``area_b`` are shares of the image; ``edge_px``
    is the mean distance from the edge of each to that of the other, in pixels, NaN if only one has
    an edge inside the image.
    """

    iou: float
    area_a: float
    area_b: float
    edge_px: float


def mask_change(road_a: np.ndarray, road_b: np.ndarray) -> MaskChange:
    """Compare two masks of one size, uint8 (H, W): 1 road, 0 not road or unknown."""
    both = cv2.countNonZero(cv2.bitwise_and(road_a, road_b))
    a, b = cv2.countNonZero(road_a), cv2.countNonZero(road_b)
    union = a + b - both
    edge = 0.0 if both == union else _edge_distance(road_a, road_b)
    return MaskChange(both / union if union else 1.0, a / road_a.size, b / road_b.size, edge)


def _edge_distance(road_a: np.ndarray, road_b: np.ndarray) -> float:
    edges = [_edge(road) for road in (road_a, road_b)]
    counts = [cv2.countNonZero(edge) for edge in edges]
    if not all(counts):
        return float('nan') if any(counts) else 0.0
    # Nothing beyond the edges matters, and below the horizon is half of an image.
    x, y, width, height = cv2.boundingRect(cv2.bitwise_or(*edges))
    edges = [edge[y:y + height, x:x + width] for edge in edges]
    # Of every pixel to the nearest one of the edge.
    away = [cv2.distanceTransform(1 - edge, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for edge in edges]
    total = sum(count * cv2.mean(distance, edge)[0] for count, distance, edge in
                zip(counts, reversed(away), edges, strict=True))
    return float(total / sum(counts))


def _edge(road: np.ndarray) -> np.ndarray:
    """Return 1 where road has a neighbour in the image that is none, uint8 (H, W)."""
    return road - cv2.erode(road, _CROSS)
