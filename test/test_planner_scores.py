# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scores in metres: against references cell by cell, made-up masks and rendered drives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.evaluation.planner import PlannerErrors, corridor_errors, edge_errors
from fcn_seg_ros.ground.birds_eye import BirdsEyeGrid, BirdsEyeView, ground_homography
from fcn_seg_ros.synthetic.suburb import RenderedDrive

GRID = BirdsEyeGrid()
NAN, INF = math.nan, math.inf


def corridor_reference(road, labels, grid):
    """Walk through the corridor cell by cell, near to far."""
    false_free = false_blocked = 0.0
    ranges: dict[str, float | None] = {'truth': None, 'predicted': None}
    known = False
    for row in range(grid.shape[0] - 1, -1, -1):
        if not 6 < grid.z[row] < 30:
            continue
        cells = blocked_truth = blocked_predicted = 0
        for column in range(150, 250):
            if abs(grid.x[column]) >= 1 or labels[row, column] == 255:
                continue
            cells += 1
            truth, predicted = labels[row, column] == 1, road[row, column]
            blocked_truth += not truth
            blocked_predicted += not predicted
            false_free += 0.0025 * (predicted and not truth)
            false_blocked += 0.0025 * (truth and not predicted)
        known = known or cells > 0
        for name, blocked in (('truth', blocked_truth), ('predicted', blocked_predicted)):
            if ranges[name] is None and cells and blocked / cells > 0.1:
                ranges[name] = grid.z[row] - 0.025
    ends = [NAN if not known else 30.0 if ranges[name] is None else ranges[name]
            for name in ('truth', 'predicted')]
    return false_free, false_blocked, *ends


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10 ** 6), st.sampled_from([0.0, 0.02, 0.08, 0.5]),
       st.sampled_from([0.0, 0.3, 1.0]))
def test_corridor_equals_the_reference(seed, wrong, unlabelled):
    rng = np.random.default_rng(seed)
    labels = (rng.random(GRID.shape) > wrong).astype(np.uint8)
    road = rng.random(GRID.shape) > wrong
    labels[rng.random(GRID.shape) < unlabelled] = 255
    np.testing.assert_allclose(corridor_errors(road, labels, GRID),
                               corridor_reference(road, labels, GRID), atol=1e-9)


def blank():
    """Return a straight road 7 m wide, |x| < 3.5 m, and its perfect prediction."""
    labels = np.zeros(GRID.shape, np.uint8)
    labels[:, np.abs(GRID.x) < 3.5] = 1
    return labels == 1, labels


def test_obstacle_that_is_not_seen():
    road, labels = blank()
    labels[(GRID.z > 12) & (GRID.z < 14)] = 0
    assert corridor_errors(road, labels, GRID) == pytest.approx((4.0, 0.0, 12.0, 30.0))
    errors = PlannerErrors()
    errors.update(road, labels, GRID)
    s = errors.compute()
    assert (s.false_free, s.too_far, s.lost, s.too_far_metres) == pytest.approx((4.0, 1, 0, 18.0))
    assert math.isnan(s.lost_range)


def test_corridor_lost_though_it_is_free():
    road, labels = blank()
    road[(GRID.z > 20) & (GRID.z < 21)] = False
    errors = PlannerErrors()
    errors.update(road, labels, GRID)
    errors.update(labels == 1, labels, GRID)
    s = errors.compute()
    assert (s.images, s.lost, s.lost_range, s.lost_metres) == pytest.approx((2, 1, 20.0, 5.0))
    assert (s.false_blocked, s.truth_range, s.predicted_range) == pytest.approx((1.0, 30.0, 25.0))
    assert s.edges[20.0].edges == 4 and s.edges[20.0].missed == 2  # the row at 20.025 m
    assert s.edges[10.0].missed == 0 and s.edges[10.0].median == 0.0


def test_narrow_faults_do_not_block():
    road, labels = blank()
    road[500, 198:202] = False  # four of forty cells
    assert corridor_errors(road, labels, GRID)[3] == 30.0
    road[500, 202] = False
    assert corridor_errors(road, labels, GRID)[3] == pytest.approx(GRID.z[500] - 0.025)


def edges_reference(road, labels, grid):
    """Walk outwards from the stretch of true road nearest to x = 0."""
    columns = [c for c in range(grid.shape[1]) if labels[c] == 1]
    if not columns:
        return NAN, NAN
    start = min(columns, key=lambda c: (abs(grid.x[c]), c))
    left = right = start
    while left > 0 and labels[left - 1] == 1:
        left -= 1
    while right < grid.shape[1] - 1 and labels[right + 1] == 1:
        right += 1
    result = []
    for end, step in ((left, -1), (right, 1)):
        beyond = end + step
        if not 0 <= beyond < grid.shape[1] or labels[beyond] != 0:
            result.append(NAN)
            continue
        touching = [c for c in range(left, right + 1) if road[c]]
        if not touching:
            result.append(INF)
            continue
        at = touching[0] if step < 0 else touching[-1]
        while 0 <= at + step < grid.shape[1] and road[at + step]:
            at += step
        result.append(0.05 * (at - end) * step)
    return tuple(result)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 1, 255]), st.integers(1, 90)), max_size=9),
       st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=9))
def test_edges_equal_the_reference(truth, predicted):
    labels, road = np.zeros(400, np.uint8), np.zeros(400, bool)
    for row, runs in ((labels, truth), (road, predicted)):
        at = 0
        for value, length in runs:
            row[at:at + length] = value
            at += length
    np.testing.assert_allclose(edge_errors(road, labels, GRID),
                               edges_reference(road, labels, GRID), atol=1e-9, equal_nan=True)


def test_signs_of_edge_errors():
    road, labels = blank()
    wide = np.roll(road, 4, axis=1)  # 0.2 m to the right
    row = GRID.row(10)
    assert edge_errors(wide[row], labels[row], GRID) == pytest.approx((-0.2, 0.2))
    assert edge_errors(~road[row], labels[row], GRID) == (INF, INF)
    labels[:, :200] = 255
    assert edge_errors(road[row], labels[row], GRID) == pytest.approx((NAN, 0.0), nan_ok=True)


def test_merged_parts_equal_the_whole():
    rng = np.random.default_rng(3)
    whole, first, second = PlannerErrors(), PlannerErrors(), PlannerErrors()
    for index in range(6):
        road, labels = blank()
        road &= rng.random(GRID.shape) > 0.03
        labels[rng.random(GRID.shape) < 0.01] = 0
        whole.update(road, labels, GRID)
        (first if index < 2 else second).update(road, labels, GRID)
    a, b = (first + second).compute().as_dict(), whole.compute().as_dict()
    assert a == b and a['images'] == 6


def test_nothing_and_wrong_shapes():
    s = PlannerErrors().compute()
    assert s.images == 0 and s.as_dict()['false_free_m2'] == {'mean': None, 'worst': None}
    unknown = PlannerErrors()
    unknown.update(np.zeros(GRID.shape, bool), np.full(GRID.shape, 255, np.uint8), GRID)
    d = unknown.compute().as_dict()
    assert d['corridor_range_m'] == {'truth': None, 'predicted': None}
    assert d['edge_error_m']['10'] == {'edges': 0, 'missed': 0, 'median': None, 'p95': None,
                                       'bias': None}
    with pytest.raises(ValueError, match='differ'):
        PlannerErrors().update(np.zeros((3, 3), bool), np.zeros((3, 3), np.uint8), GRID)


def test_a_wider_rendered_road_is_measured_as_such():
    """Road predicted 0.5 m beyond the known edges of a drive shows as 0.5 m on both sides."""
    found = []
    for seed in range(10_000, 10_006):
        frame = RenderedDrive(seed, length=1)[0]
        view = BirdsEyeView(ground_homography(frame.camera, frame.plane), frame.road.shape)
        labels = view.nearest(frame.road, 255)
        row = view.grid.row(10)
        left, right = (float(x[0]) for x in frame.edges(view.grid.z[row]))
        road = (view.grid.x > left - 0.5) & (view.grid.x < right + 0.5)
        found += [e for e in edge_errors(road, labels[row], view.grid) if np.isfinite(e)]
    print(np.round(found, 3))
    # Vehicles hide some edges.
    assert len(found) >= 6 and np.median(found) == pytest.approx(0.5, abs=0.05)
