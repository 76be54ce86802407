# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The drivable area in metres: grid, freespace and points of pictures whose geometry is known."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.connected import reached
from fcn_seg_ros.ground.fuse import fused
from fcn_seg_ros.ground.grid import UNSEEN, GridSpec, RoadGrid
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.rays import RoadMask
from fcn_seg_ros.ground.tables import GroundSpec, GroundTables
from fcn_seg_ros.ground.view import GroundView

CAMERA = CameraModel(640, 360, 400.0, 400.0, 319.5, 179.5)
VIEW = GroundView(CAMERA, CameraPose.from_angles(1.5, 0.0, 1.5, 0.0, 0.05, 0.0))
SPEC = GroundSpec(grid=GridSpec(30.0, 16.0, 0.2))
HALF = 4.0


@pytest.fixture(scope='module')
def tables() -> GroundTables:
    return GroundTables(VIEW, SPEC)


def picture(view: GroundView = VIEW, half: float = HALF, end: float = 1e9) -> np.ndarray:
    """Return the true mask of a straight road, uint8 (H, W)."""
    x, y = view.pixel_to_ground(np.arange(640)[None], np.arange(360)[:, None])
    with np.errstate(invalid='ignore'):
        return ((np.abs(y) < half) & (x < end)).astype(np.uint8)


def with_box(road: np.ndarray, x: float, y: float, width: float = 1.8, height: float = 1.4
             ) -> np.ndarray:
    """Return the mask with the rear of a vehicle before it."""
    left, foot = VIEW.ground_to_pixel(x, y + width / 2)
    right, _ = VIEW.ground_to_pixel(x, y - width / 2)
    top = foot - CAMERA.fy * height / (x - 1.5)
    out = road.copy()
    out[round(float(top)):round(float(foot)) + 1, round(float(left)):round(float(right)) + 1] = 0
    return out


def look(tables: GroundTables, road: np.ndarray, mask: np.ndarray | None = None
         ) -> tuple[np.ndarray, np.ndarray]:
    """Return grid and ranges for a mask."""
    seen = RoadMask(road if mask is None else mask, 255 * road)
    tables.shadows.update(seen)
    return tables.grid.update(seen), tables.freespace.update(seen)


def at(x: float, y: float) -> tuple[int, int]:
    """Return row and column of the cell at a point."""
    left, low = SPEC.grid.corner
    return int((y - low) / SPEC.grid.cell), int((x - left) / SPEC.grid.cell)


def test_the_grid_of_a_straight_road(tables):
    grid, _ = look(tables, picture())
    x, y = SPEC.grid.centres()
    known = grid >= 0
    assert (grid[known & (np.abs(y) < HALF - 0.3)] == 0).all()
    assert (grid[known & (np.abs(y) > HALF + 0.3)] == 100).all()
    border = grid[known & (np.abs(np.abs(y) - HALF) < 0.01 + SPEC.grid.cell / 2)]
    assert 0 < border.mean() < 100  # an average over the footprint
    # Nothing is said of what is not in the image.
    assert not known[~VIEW.seen(x, y)].any()
    assert known[VIEW.seen(x, y)].mean() > 0.95
    assert grid.dtype == np.int8 and grid.shape == (80, 150)


def test_the_value_is_the_mean_over_the_footprint():
    rng = np.random.default_rng(0)
    probability = rng.integers(0, 256, (360, 640), np.uint8)
    spec = GridSpec(20.0, 10.0, 0.4)
    grid = RoadGrid(VIEW, spec).update(RoadMask(np.zeros_like(probability), probability))
    step = (np.arange(24) + 0.5) / 24 * spec.cell
    for row, column in ((12, 14), (5, 20), (12, 30), (12, 45)):
        x0, y0 = spec.corner[0] + column * spec.cell, spec.corner[1] + row * spec.cell
        u, v = VIEW.ground_to_pixel(*np.meshgrid(x0 + step, y0 + step))
        mean = probability[np.rint(v).astype(int), np.rint(u).astype(int)].mean()
        # A footprint of several hundred pixels is sampled.
        assert grid[row, column] == pytest.approx(100 - mean / 2.55, abs=12)


def test_cells_under_a_pixel_are_unseen():
    small = GroundView(CameraModel(64, 36, 40.0, 40.0, 31.5, 17.5), VIEW.pose)
    grid = RoadGrid(small, SPEC.grid).update(
        RoadMask(np.ones((36, 64), np.uint8), np.full((36, 64), 255, np.uint8)))
    x, _ = SPEC.grid.centres()
    # The cell is 0.2 m wide: one pixel of a focal length of 40 px at 8 m.
    assert grid[x > 1.5 + 8.2].max() == UNSEEN and grid[x < 1.5 + 7.0].max() == 0


@pytest.mark.parametrize(('x', 'y'), [(13.5, 0.0), (13.5, -2.0), (22.0, 1.0)])
def test_only_the_foot_of_a_vehicle_is_on_the_ground(tables, x, y):
    grid, ranges = look(tables, with_box(picture(), x, y))
    assert grid[at(x - 1.0, y)] == 0
    assert grid[at(x + 0.35, y)] > 50  # its foot
    behind = np.arange(x + 4.0, 29.0, 0.5)
    # Along the rays from the camera, not straight ahead of the vehicle.
    aside = y * (behind - 1.5) / (x - 1.5)
    assert all(grid[at(b, a)] == UNSEEN for b, a in zip(behind, aside, strict=True))
    assert grid[at(x + 4.0, y - 3.0 if y > 0 else y + 3.0)] == 0  # the road beside it
    bearing = round((np.arctan2(y, x) - tables.freespace.angle_min)
                    / tables.freespace.angle_increment)
    # Half a row of pixels.
    assert ranges[bearing] == pytest.approx(np.hypot(x, y), rel=0.5 * x / (400 * 1.5) + 0.01)


def test_a_speck_in_the_mask_hides_nothing(tables):
    road = picture()
    u, v = (round(float(a)) for a in VIEW.ground_to_pixel(12.0, 0.0))
    road[v:v + 2, u:u + 2] = 0
    grid, ranges = look(tables, road)
    assert grid[at(20.0, 0.0)] == 0
    ahead = ranges[np.abs(tables.freespace.rays.bearings) < 0.05]
    assert ahead.min() == pytest.approx(12.0, abs=0.3)  # the scan says what is there


def test_unknown_pixels_are_unseen(tables):
    mask = picture()
    mask[:, :320] = 255
    grid, ranges = look(tables, (mask == 1).astype(np.uint8), mask)
    assert grid[at(12.0, 2.0)] == UNSEEN and grid[at(12.0, -2.0)] == 0
    left = tables.freespace.rays.bearings > 0.05
    assert np.isnan(ranges[left]).all() and np.isfinite(ranges[~left]).any()


def test_ranges_to_the_end_of_the_road(tables):
    free = tables.freespace
    _, ranges = look(tables, picture(half=100.0, end=21.5))
    inner = np.abs(free.rays.bearings) < 0.5
    np.testing.assert_allclose(ranges[inner] * np.cos(free.rays.bearings[inner]), 21.5, atol=0.3)
    assert ranges[np.isfinite(ranges)].min() >= np.float32(free.range_min) > 1.5
    np.testing.assert_allclose(free.rays.bearings,
                               free.angle_min + free.angle_increment * np.arange(len(ranges)))


def test_free_to_the_limit_is_infinite_and_unseen_is_nan(tables):
    free = tables.freespace
    _, ranges = look(tables, np.ones((360, 640), np.uint8))
    to_the_limit = ~free.rays.leaves & (free.rays.starts < 2 * free.range_min)
    assert np.isinf(ranges[to_the_limit]).all() and to_the_limit.any()
    assert np.isnan(ranges[~to_the_limit]).all() and (~to_the_limit).any()
    _, ranges = look(tables, np.zeros((360, 640), np.uint8))
    assert np.isnan(ranges).all()
    road = picture(half=2.0)
    _, ranges = look(tables, road)
    beside = np.abs(free.rays.starts * np.sin(free.rays.bearings)) > 2.1
    assert np.isnan(ranges[beside]).all() and beside.any()


def test_the_polygon_is_the_free_area(tables):
    look(tables, picture(half=3.0, end=20.0))
    x, y = tables.freespace.polygon().T
    area = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    begins = tables.freespace.range_min
    assert area == pytest.approx(6.0 * (20.0 - begins), rel=0.06)
    assert np.isfinite(x).all() and x.max() == pytest.approx(20.0, abs=0.3)


def test_points_are_where_the_pixels_look(tables):
    look(tables, picture())
    points = tables.points.update()
    assert points.shape == (90, 160, 3) and points.dtype == np.float32
    x, y = VIEW.pixel_to_ground(4 * 80, 4 * 70)
    np.testing.assert_allclose(points[70, 80], (x, y, 0.0), atol=1e-5)
    assert np.isnan(points[:40]).all()  # above the horizon
    assert tables.points.thin(np.zeros((360, 640), np.uint8)).shape == (90, 160)


def test_an_obstacle_has_no_points_above_its_foot(tables):
    look(tables, with_box(picture(), 13.5, 0.0))
    points = tables.points.update()
    column = points[:, 80]
    assert np.nanmax(column[:, 0]) < 16.0
    look(tables, picture())
    assert np.nanmax(tables.points.update()[:, 80, 0]) > 30.0


def test_a_vehicle_that_fills_the_view_hides_what_is_behind(tables):
    road = picture()
    road[120:, 200:440] = 0
    grid, ranges = look(tables, road)
    assert grid[at(12.0, 0.0)] == UNSEEN
    assert np.isnan(ranges[np.abs(tables.freespace.rays.bearings) < 0.1]).all()


def test_only_what_is_connected_to_the_vehicle_is_free(tables):
    road = picture(half=2.0) | (picture(half=8.0) & ~picture(half=5.0) & 1)
    look(tables, road)
    assert tables.grid.values[at(14.0, 6.0)] == 0
    tables.grid.keep_connected(tables.grid.values, 50.0)
    assert tables.grid.values[at(14.0, 0.0)] == 0
    assert tables.grid.values[at(14.0, 6.0)] == UNSEEN
    assert tables.grid.values[at(14.0, 3.5)] == 100


def test_reached_follows_bends():
    free = np.array([[1, 1, 1, 0, 1],
                     [0, 0, 1, 0, 1],
                     [1, 1, 1, 0, 1],
                     [1, 0, 0, 0, 0],
                     [1, 1, 1, 1, 1]], bool)
    seeds = np.zeros_like(free)
    seeds[0, 0] = True
    expected = free.copy()
    expected[:3, 4] = False
    np.testing.assert_array_equal(reached(free, seeds), expected)
    assert not reached(free, np.zeros_like(free)).any()


def test_fused_is_free_only_where_nobody_saw_an_obstacle():
    grids = [np.array([[0, 0, -1, -1]], np.int8), np.array([[100, -1, 20, -1]], np.int8)]
    assert fused(grids, np.empty((1, 4), np.int8)).tolist() == [[100, 0, 20, -1]]
    assert fused([], np.empty((1, 4), np.int8)).tolist() == [[-1] * 4]


def test_cameras_to_the_side_and_to_the_rear():
    for yaw in (90.0, 180.0, -90.0):
        view = GroundView(CAMERA, CameraPose.from_angles(0, 0, 1.5, 0, 0.2, np.deg2rad(yaw)))
        tables = GroundTables(view, GroundSpec(grid=GridSpec(20.0, 20.0, 0.2, -10.0)))
        bearings = np.rad2deg(tables.freespace.rays.bearings)
        assert (np.diff(bearings) > 0).all()
        assert np.cos(np.deg2rad(bearings - yaw)).min() > 0.5
        grid, ranges = look(tables, np.ones((360, 640), np.uint8))
        x, y = tables.spec.grid.centres()
        ahead = x * np.cos(np.deg2rad(yaw)) + y * np.sin(np.deg2rad(yaw))
        assert grid[ahead < 0].max() == UNSEEN and (grid == 0).sum() > 1000
        assert np.isinf(ranges).any()


def test_a_camera_that_sees_no_ground():
    up = GroundView(CAMERA, CameraPose.from_angles(0, 0, 1.5, 0, -0.8, 0))
    with pytest.raises(InputError, match=r'sees no ground within 40 m: it looks 45.8 degrees up'):
        GroundTables(up, SPEC)


def test_a_frame_takes_no_memory_of_the_images_size(tables):
    road = with_box(picture(), 13.5, 0.0)
    mask = road.copy()
    mask[:100] = 255
    probability = 255 * road

    def frame() -> None:
        seen = RoadMask(mask, probability)
        tables.shadows.update(seen)
        tables.grid.update(seen)
        tables.freespace.update(seen)
        tables.points.update()

    frame()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    frame()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 0.8 * road.size
