# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rings of range and the end of the road, as they appear in the image and are drawn into it."""

from __future__ import annotations

import numpy as np
import pytest

from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.rays import RoadMask
from fcn_seg_ros.ground.rings import road_end, runs
from fcn_seg_ros.ground.tables import GroundSpec, GroundTables
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.outputs.metric_lines import draw_metric_lines

SPEC = GroundSpec(GridSpec(10.0, 6.0, 0.5), reach=30.0, increment=np.deg2rad(1.0), stride=16)
POSE = CameraPose.from_angles(1.2, 0.1, 1.5, 0.01, 0.1, 0.05)
LENSES = [('', ()), ('plumb_bob', (-0.3, 0.1, 0.001, -0.001, 0.0)),
          ('equidistant', (-0.02, 0.003, 0.0, 0.0))]


def tables_of(distortion: str = '', d: tuple[float, ...] = ()) -> GroundTables:
    """Return the tables of a camera of 480x300."""
    return GroundTables(GroundView(
        CameraModel(480, 300, 260.0, 260.0, 239.5, 149.5, distortion, d), POSE), SPEC)


def seen(road: np.ndarray) -> RoadMask:
    """Return the mask of a picture of road, bool (H, W)."""
    return RoadMask(road.astype(np.uint8), 255 * road.astype(np.uint8))


def ground_range(tables: GroundTables, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the range and the bearing of the ground that pixels see."""
    x, y = tables.view.pixel_to_ground(pixels[..., 0], pixels[..., 1])
    return np.hypot(x, y), np.arctan2(y, x)


@pytest.mark.parametrize(('distortion', 'd'), LENSES)
def test_rings_are_where_the_image_shows_their_range(distortion, d):
    tables = tables_of(distortion, d)
    rings = tables.rings(5.0)
    assert rings.radii.tolist() == [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    assert rings.inside.sum(axis=1).min() > 50
    for radius, pixels, inside in zip(rings.radii, rings.pixels, rings.inside, strict=True):
        np.testing.assert_allclose(ground_range(tables, pixels[inside])[0], radius, rtol=1e-6)
    assert tables.rings(5.0) is rings  # made once
    assert tables.rings(10.0).radii.tolist() == [10.0, 20.0, 30.0]
    assert not len(tables.rings(31.0).radii)


@pytest.mark.parametrize(('distortion', 'd'), LENSES)
def test_the_end_of_the_road_is_the_scan_in_the_image(distortion, d):
    tables = tables_of(distortion, d)
    road = np.ones((300, 480), bool)
    road[:190, 200:280] = False  # an obstacle
    road[:, :60] = False  # where no line begins on the road
    ranges = tables.freespace.update(seen(road))
    lines = road_end(tables.view, tables.freespace, ranges)
    assert 0 < sum(map(len, lines)) <= np.isfinite(ranges).sum() < len(ranges)
    bearings = tables.freespace.angle_min + tables.freespace.angle_increment * np.arange(
        len(ranges))
    for line in lines:
        distance, bearing = ground_range(tables, line)
        index = np.abs(bearing[:, None] - bearings).argmin(axis=1)
        np.testing.assert_allclose(bearing, bearings[index], atol=1e-6)
        np.testing.assert_allclose(distance, ranges[index], rtol=1e-5)
    # A ring is free exactly where the scan is longer than it.
    rings = tables.rings(5.0)
    free = rings.free(ranges)
    assert free.any() and (rings.inside & ~free).any()
    for radius, pixels, row in zip(rings.radii, rings.pixels, free, strict=True):
        bearing = ground_range(tables, pixels[row])[1]
        index = np.abs(bearing[:, None] - bearings).argmin(axis=1)
        off = np.abs(bearing - bearings[index])
        clear = off < 0.45 * tables.freespace.angle_increment
        assert (ranges[index][clear] > radius).all()


def test_runs():
    assert runs(np.array([1, 1, 0, 1, 0, 0, 1, 1, 1], bool)) == [(0, 2), (6, 9)]
    assert runs(np.zeros(3, bool)) == []


def test_the_lines_are_drawn_where_they_are():
    tables = tables_of()
    road = np.ones((300, 480), bool)
    road[:190, 200:280] = False
    ranges = tables.freespace.update(seen(road))
    picture = np.full((300, 480, 3), 90, np.uint8)
    draw_metric_lines(picture, tables, ranges, 10.0)
    horizon = int(tables.view.ground_to_pixel(1e4, 0.0)[1])
    assert (picture[:horizon - 8] == 90).all()  # nothing in the sky
    red = (picture[..., 0] > 200) & (picture[..., 1] < 120)
    rows, columns = np.nonzero(red)
    assert abs(np.median(rows) - 190) <= 2  # the obstacle's foot
    assert columns.min() > 190 and columns.max() < 290
    u, v = np.rint(tables.view.ground_to_pixel(10.0, 0.0)).astype(int)
    assert picture[v - 1:v + 2, u].max(axis=0).min() > 130  # the first ring, straight ahead
    # White on black, so that there is something to read on any ground.
    assert (picture > 200).all(axis=-1).sum() > 20 and (picture < 40).all(axis=-1).sum() > 50
