# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scores that matter to a planner, in metres on the road plane, from bird's-eye masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.ground.birds_eye import BirdsEyeGrid

HALF_WIDTH = 1.0
NEAR, FAR = 6.0, 30.0
EDGE_DISTANCES = (10.0, 20.0, 30.0)
# A row of the corridor counts as blocked if more than this share of it is not road (0.2 m of 2 m);
# anything less is only one or two pixels.
BLOCKED_SHARE = 0.1
# Smaller differences of ranges are ignored: at 30 m a row of a KITTI image covers 0.75 m of road.
RANGE_TOLERANCE = 1.0


@dataclass(frozen=True)
class EdgeScores:
    """
    Lateral errors of the road's edges at one distance, in metres.

    ``edges`` is the number of true edges in the view; ``missed`` of them have no predicted road
    next to them and are left out of the errors. ``bias`` is positive if the prediction is too wide.
    NaN without edges.
    """

    edges: int
    missed: int
    median: float
    p95: float
    bias: float


@dataclass(frozen=True)
class PlannerScores:
    """
    Errors in the ego corridor, 2 m wide and 6 to 30 m straight ahead, over ``images`` images.

    ``false_free`` is the area in m2 that is wrongly predicted as road, mean per image
    (``false_free_worst``: the worst image), ``false_blocked`` the opposite. ``truth_range`` and
    ``predicted_range`` are the mean distance in metres up to which the corridor is road. ``lost``
    counts the images in which the prediction blocks it more than 1 m too early, ``lost_range`` is
    the median distance of these blockages and ``lost_metres`` the mean range lost over all images;
    ``too_far`` and ``too_far_metres`` are for corridors predicted free too far. ``edges`` is by
    distance.
    """

    images: int
    false_free: float
    false_free_worst: float
    false_blocked: float
    truth_range: float
    predicted_range: float
    lost: int
    lost_range: float
    lost_metres: float
    too_far: int
    too_far_metres: float
    edges: dict[float, EdgeScores]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints: metres and square metres, null for unknown."""
        return {
            'images': self.images,
            'false_free_m2': {'mean': _number(self.false_free),
                              'worst': _number(self.false_free_worst)},
            'false_blocked_m2': {'mean': _number(self.false_blocked)},
            'corridor_range_m': {'truth': _number(self.truth_range),
                                 'predicted': _number(self.predicted_range)},
            'corridor_lost': {'images': self.lost, 'median_range_m': _number(self.lost_range),
                              'mean_m': _number(self.lost_metres)},
            'corridor_too_far': {'images': self.too_far, 'mean_m': _number(self.too_far_metres)},
            'edge_error_m': {f'{z:g}': {'edges': e.edges, 'missed': e.missed,
                                        'median': _number(e.median), 'p95': _number(e.p95),
                                        'bias': _number(e.bias)}
                             for z, e in self.edges.items()},
        }


class PlannerErrors:
    """
    The errors of each image; ``update``, ``compute`` and ``+`` as in RoadCounts.

    ``rows`` is float64 (images, 4 + 2 * distances): false free and false blocked area, true and
    predicted range, then left and right edge error per distance (outward positive, NaN if the truth
    has no edge in the view, infinite if the prediction has no road there).
    """

    def __init__(self, rows: np.ndarray | None = None) -> None:
        self.rows = np.zeros((0, 4 + 2 * len(EDGE_DISTANCES))) if rows is None else rows

    def __add__(self, other: PlannerErrors) -> PlannerErrors:
        """Return the errors of both."""
        return PlannerErrors(np.concatenate([self.rows, other.rows]))

    def update(self, road: np.ndarray, labels: np.ndarray, grid: BirdsEyeGrid) -> np.ndarray:
        """
        Measure one image and return its row.

        ``road`` is bool (rows, columns) of the grid, True where road is predicted; ``labels`` is
        uint8 of that shape: 0 not road, 1 road, 255 not labelled or outside the image.
        """
        if road.shape != labels.shape or road.shape != grid.shape:
            raise ValueError(f'road {road.shape}, labels {labels.shape} and grid {grid.shape} '
                             'differ')
        edges = [error for z in EDGE_DISTANCES
                 for error in edge_errors(road[grid.row(z)], labels[grid.row(z)], grid)]
        row = np.array([*corridor_errors(road, labels, grid), *edges])
        self.rows = np.concatenate([self.rows, row[None]])
        return row

    def compute(self) -> PlannerScores:
        """Return the scores of everything measured so far, NaN without any."""
        false_free, false_blocked, truth, predicted = self.rows[:, :4].T
        known = np.isfinite(truth)
        truth, predicted = truth[known], predicted[known]
        lost = np.maximum(truth - predicted, 0.0)
        too_far = np.maximum(predicted - truth, 0.0)
        early = lost > RANGE_TOLERANCE
        return PlannerScores(
            len(self.rows), _mean(false_free),
            float(false_free.max()) if len(false_free) else float('nan'), _mean(false_blocked),
            _mean(truth), _mean(predicted), int(early.sum()),
            float(np.median(predicted[early])) if early.any() else float('nan'), _mean(lost),
            int((too_far > RANGE_TOLERANCE).sum()), _mean(too_far),
            {z: _edge_scores(self.rows[:, 4 + 2 * index:6 + 2 * index].ravel())
             for index, z in enumerate(EDGE_DISTANCES)})


def corridor_errors(road: np.ndarray, labels: np.ndarray, grid: BirdsEyeGrid
                    ) -> tuple[float, float, float, float]:
    """
    Return (false free m2, false blocked m2, true range m, predicted range m) of the corridor.

    The arguments are as in ``PlannerErrors.update``. Unlabelled cells are ignored, and so are rows
    without a labelled cell; without any labelled cell the ranges are NaN. A range ends at the near
    side of the first blocked row.
    """
    rows = np.flatnonzero((grid.z > NEAR) & (grid.z < FAR))[::-1]
    columns = np.flatnonzero(np.abs(grid.x) < HALF_WIDTH)
    cells = np.ix_(rows, columns)
    predicted, truth, valid = road[cells], labels[cells] == 1, labels[cells] != IGNORE
    area = grid.cell ** 2
    false_free = area * int((predicted & ~truth & valid).sum())
    false_blocked = area * int((~predicted & truth & valid).sum())
    starts = grid.z[rows] - grid.cell / 2
    return (false_free, false_blocked, _range(truth & valid, valid, starts),
            _range(predicted & valid, valid, starts))


def edge_errors(road: np.ndarray, labels: np.ndarray, grid: BirdsEyeGrid
                ) -> tuple[float, float]:
    """
    Return how far the predicted left and right edge lie outside the true ones, in metres.

    ``road`` and ``labels`` are one row of the arrays of ``PlannerErrors.update``. The true edges
    are the ends of the stretch of road nearest to straight ahead, NaN unless a cell labelled as not
    road follows. The predicted edges are the outer ends of all stretches that overlap it (the areas
    account for holes), infinite without any.
    """
    stretches = _stretches(labels == 1)
    if not stretches:
        return float('nan'), float('nan')
    ahead = -grid.x_min / grid.cell
    start, end = min(stretches, key=lambda s: max(s[0] - ahead, ahead - s[1], 0.0))
    touching = [s for s in _stretches(road) if s[0] < end and s[1] > start]
    left, right = float('inf'), float('inf')
    if touching:
        left, right = start - touching[0][0], touching[-1][1] - end
    seen_left = start > 0 and labels[start - 1] == 0
    seen_right = end < len(labels) and labels[end] == 0
    return (grid.cell * left if seen_left else float('nan'),
            grid.cell * right if seen_right else float('nan'))


def _range(free: np.ndarray, valid: np.ndarray, starts: np.ndarray) -> float:
    cells = valid.sum(axis=1)
    if not cells.any():
        return float('nan')
    blocked = cells - free.sum(axis=1) > BLOCKED_SHARE * cells
    return float(starts[np.argmax(blocked)]) if blocked.any() else FAR


def _stretches(road: np.ndarray) -> list[tuple[int, int]]:
    """Return [start, end) of each run of True, in order."""
    steps = np.diff(np.concatenate([[0], road.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(),
                    strict=True))


def _edge_scores(errors: np.ndarray) -> EdgeScores:
    errors = errors[~np.isnan(errors)]
    found = errors[np.isfinite(errors)]
    median, p95 = (np.percentile(np.abs(found), [50, 95]) if len(found)
                   else (float('nan'), float('nan')))
    return EdgeScores(len(errors), len(errors) - len(found), float(median), float(p95),
                      _mean(found))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float('nan')


def _number(value: float) -> float | None:
    return round(value, 3) if np.isfinite(value) else None
