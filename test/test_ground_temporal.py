# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The memory of obstacles: never late, carried by odometry, cleared when that is not to be had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.motion import MotionTrack, PlanarPose
from fcn_seg_ros.ground.temporal import TemporalFilter, TemporalOptions

SPEC = GridSpec(length=4.0, width=4.0, cell=0.1)
HERE = PlanarPose(0.0, 0.0, 0.0)
FREE = 50.0


def free() -> np.ndarray:
    """Return a grid of road."""
    return np.zeros(SPEC.shape, np.int8)


def with_obstacle(x: float, y: float) -> np.ndarray:
    """Return a grid of road with a square obstacle of 0.5 m around a point."""
    at_x, at_y = SPEC.centres()
    grid = free()
    grid[(np.abs(at_x - x) < 0.25) & (np.abs(at_y - y) < 0.25)] = 90
    return grid


def test_an_obstacle_comes_at_once_and_goes_after_the_frames_asked_for():
    memory = TemporalFilter(SPEC, TemporalOptions(frames=3))
    memory.update(free(), 0.0, HERE, FREE)
    seen = with_obstacle(2.0, 0.0)
    assert (memory.update(seen.copy(), 0.1, HERE, FREE) == seen).all()
    held = [memory.update(free(), 0.2 + 0.1 * k, HERE, FREE).max() for k in range(4)]
    assert held == [90, 90, 0, 0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2 ** 32 - 1))
def test_what_is_not_road_is_never_delayed_nor_changed(seed):
    random = np.random.default_rng(seed)
    memory = TemporalFilter(GridSpec(2.0, 2.0, 0.2), TemporalOptions(frames=4))
    pose = HERE
    for k in range(6):
        grid = random.integers(-1, 101, memory_shape := (10, 10)).astype(np.int8)
        pose = PlanarPose(*(np.array([pose.x, pose.y, pose.yaw]) + random.normal(0, 0.2, 3)))
        out = memory.update(grid.copy(), 0.1 * k, pose, FREE)
        blocked = grid > FREE
        assert out.shape == memory_shape and (out[blocked] == grid[blocked]).all()
        changed = out != grid
        assert (out[changed] > FREE).all()


@pytest.mark.parametrize('speed', [0.13, 1.0, 7.0])
def test_an_obstacle_that_is_out_of_sight_stays_on_its_place(speed):
    memory = TemporalFilter(SPEC, TemporalOptions(frames=2, keep_s=30.0))
    memory.update(with_obstacle(3.0, 0.5), 0.0, HERE, FREE)
    unseen = np.full(SPEC.shape, -1, np.int8)
    steps = int(2.0 / (0.1 * speed))
    for k in range(1, steps + 1):
        out = memory.update(unseen.copy(), 0.1 * k, PlanarPose(0.1 * k * speed, 0.0, 0.0), FREE)
    x, y = SPEC.centres()
    assert x[out == 90].mean() == pytest.approx(3.0 - 0.1 * steps * speed, abs=0.06)
    assert y[out == 90].mean() == pytest.approx(0.5, abs=0.06)
    assert (out == 90).sum() >= 20


def test_a_turn_carries_it_to_the_side():
    memory = TemporalFilter(SPEC, TemporalOptions(keep_s=30.0))
    memory.update(with_obstacle(2.0, 0.0), 0.0, HERE, FREE)
    unseen = np.full(SPEC.shape, -1, np.int8)
    for k in range(1, 6):
        out = memory.update(unseen.copy(), 0.1 * k, PlanarPose(0.0, 0.0, 0.1 * k), FREE)
    x, y = SPEC.centres()
    assert x[out == 90].mean() == pytest.approx(2.0 * np.cos(0.5), abs=0.08)
    assert y[out == 90].mean() == pytest.approx(-2.0 * np.sin(0.5), abs=0.08)


def test_what_is_out_of_sight_is_forgotten_in_time():
    memory = TemporalFilter(SPEC, TemporalOptions(keep_s=0.4))
    memory.update(with_obstacle(2.0, 0.0), 0.0, HERE, FREE)
    unseen = np.full(SPEC.shape, -1, np.int8)
    seen = [memory.update(unseen.copy(), 0.2 * k, HERE, FREE).max() for k in range(1, 5)]
    assert seen == [90, 90, -1, -1]


def test_cells_that_enter_the_memory_are_empty():
    memory = TemporalFilter(SPEC, TemporalOptions(keep_s=1e3))
    memory.update(with_obstacle(2.0, 0.0), 0.0, HERE, FREE)
    unseen = np.full(SPEC.shape, -1, np.int8)
    # Once around the memory's ring of cells.
    ways = np.arange(1.0, memory._size * SPEC.cell + 1.0, 1.0)
    for k, way in enumerate(ways, 1):
        out = memory.update(unseen.copy(), 0.1 * k, PlanarPose(-way, 0.0, 0.0), FREE)
        assert way < 2.3 or out.max() == -1


@pytest.mark.parametrize(('stamp', 'pose', 'words'), [
    (-1.0, HERE, 'time went back by 1.00 s'), (2.0, HERE, '2.00 s without a frame'),
    (0.1, PlanarPose(50.0, 0.0, 0.0), 'odometry jumped by 50.0 m and 0 degrees in 0.10 s'),
    (0.1, PlanarPose(0.0, 0.0, 2.0), 'odometry jumped by 0.0 m and 115 degrees'),
    (0.1, None, "no odometry at the image's time"),
    (0.1, PlanarPose(np.nan, 0.0, 0.0), "no odometry at the image's time")])
def test_the_memory_is_cleared_where_it_cannot_be_carried(stamp, pose, words):
    memory = TemporalFilter(SPEC, TemporalOptions(frames=9))
    memory.update(with_obstacle(2.0, 0.0), 0.0, HERE, FREE)
    assert (memory.update(free(), stamp, pose, FREE) == 0).all()
    assert memory.reset_by.startswith(words)
    # The next frame begins anew.
    memory.update(free(), stamp + 0.1, pose or HERE, FREE)
    assert (memory.update(free(), stamp + 0.2, pose or HERE, FREE) == 0).all()


def test_a_track_interpolates_and_ends():
    track = MotionTrack(gap_s=0.5, beyond_s=0.1)
    assert track.at(0.0) is None
    track.add(1.0, PlanarPose(0.0, 0.0, 3.1))
    track.add(1.2, PlanarPose(2.0, 1.0, -3.1))
    middle = track.at(1.1)
    assert middle is not None and (middle.x, middle.y) == pytest.approx((1.0, 0.5))
    assert abs(middle.yaw) == pytest.approx(np.pi)  # the short way round
    beyond = track.at(1.25)
    assert beyond is not None and beyond.x == pytest.approx(2.5)
    assert track.at(1.31) is None and track.at(0.9) is None
    track.add(2.0, PlanarPose(9.0, 0.0, 0.0))
    assert track.at(1.6) is None  # nobody knows what was between
    track.add(1.9, PlanarPose(5.0, 0.0, 0.0))  # time went back
    assert track.at(1.1) is None and track.at(1.9) == PlanarPose(5.0, 0.0, 0.0)
    track.add(2.0, PlanarPose(np.nan, 0.0, 0.0))
    assert track.at(1.9) is None


@pytest.mark.parametrize('place', [1e10, 1e19, 1e300, 1.7e308])
def test_a_place_that_is_not_on_earth_is_no_pose(place):
    memory = TemporalFilter(GridSpec(2.0, 2.0, 0.5))
    track = MotionTrack()
    for stamp in (0.0, 0.1):
        for pose in (PlanarPose(place, 0.0, 0.0), PlanarPose(0.0, -place, 0.0)):
            memory.update(np.full((4, 4), 100, np.int8), stamp, pose, 50.0)
            assert memory.reset_by == "no odometry at the image's time"
            track.add(stamp, pose)
    assert track.ends is None


@pytest.mark.parametrize('step', [1e-3, 1e-6, 0.0])
def test_a_track_stays_short_however_fast_poses_come(step):
    track = MotionTrack(keep_s=0.5)
    for number in range(2000):
        track.add(10.0 + step * number, PlanarPose(2.0 * step * number, 0.0, 0.0))
    newest = 10.0 + step * 1999
    assert len(track._poses) <= 0.5 / 0.005 + 2
    assert track.ends[1] == newest and track.at(newest).x == pytest.approx(2.0 * step * 1999)
    if step == 1e-3:
        assert track.at(newest - 0.0333).x == pytest.approx(2.0 * (step * 1999 - 0.0333))
