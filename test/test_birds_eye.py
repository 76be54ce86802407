# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The bird's-eye view: against the definitions, cell by cell, and against known geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fcn_seg_ros.datasets.kitti_calib import read_calib
from fcn_seg_ros.datasets.rendered_road import RenderedRoad
from fcn_seg_ros.ground.birds_eye import (
    BirdsEyeGrid,
    BirdsEyeView,
    calibration_homography,
    ground_homography,
)
from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.suburb import RenderedDrive

P2 = np.array([[721.5, 0, 609.6, 44.9], [0, 721.5, 172.9, 0.216], [0, 0, 1, 0.0027]])
CAMERA = PinholeCamera.kitti()


def rotation(x: float, y: float, z: float) -> np.ndarray:
    cx, sx, cy, sy, cz, sz = (f(a) for a in (x, y, z) for f in (math.cos, math.sin))
    return (np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
            @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
            @ np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]))


R0 = rotation(0.004, -0.007, -0.01)
TO_ROAD = np.hstack([rotation(0.01, -0.008, 0.005), [[-0.01], [-1.68], [0.28]]])


def test_grid_of_the_benchmark():
    grid = BirdsEyeGrid()
    assert grid.shape == (800, 400)
    assert (grid.x[0], grid.x[-1]) == pytest.approx((-9.975, 9.975))
    assert (grid.z[0], grid.z[-1]) == pytest.approx((45.975, 6.025))  # the far end on top
    for z in (6.001, 10.0, 19.99, 30.0, 46.0):
        assert grid.z[grid.row(z)] - 0.0251 <= z <= grid.z[grid.row(z)] + 0.0251


def test_homography_of_a_calibration_projects_road_points():
    """A road point goes back to the camera, is rectified and projected, step by step."""
    homography = calibration_homography(P2, R0, TO_ROAD)
    for x, z in ((0.0, 6.0), (-7.5, 12.0), (9.0, 45.0)):
        camera = np.linalg.solve(TO_ROAD[:, :3], np.array([x, 0.0, z]) - TO_ROAD[:, 3])
        expected = P2 @ np.append(R0 @ camera, 1.0)
        found = homography @ [x, z, 1.0]
        np.testing.assert_allclose(found, expected, atol=1e-9)
        assert found[2] > 0


def test_homography_of_a_plane_is_its_projection():
    plane = GroundPlane(1.65, 0.02, -0.01)
    x, z = np.array([-9.0, 0.0, 3.0]), np.array([6.5, 20.0, 44.0])
    u, v, w = ground_homography(CAMERA, plane) @ np.stack([x, z, np.ones(3)])
    np.testing.assert_allclose((u / w, v / w), plane.project(CAMERA, x, z), atol=1e-9)


def devkit_reference(homography, image, outside):
    """Resample as the development kit writes it: pixels counted from one, fractions cut off."""
    result = np.full((800, 400), outside, image.dtype)
    for row in range(0, 800, 7):
        for column in range(0, 400, 7):
            x, z = -10 + 0.025 + 0.05 * column, 46 - 0.025 - 0.05 * row
            u, v, w = homography @ [x, z, 1.0]
            u, v = u / w, v / w
            if 1 <= v <= image.shape[0] and 1 <= u <= image.shape[1]:
                result[row, column] = image[int(v) - 1, int(u) - 1]
    return result[::7, ::7]


def exact_reference(homography, image):
    """Return nearest and bilinear samples, with pixel centres at whole numbers."""
    height, width = image.shape
    nearest, bilinear = np.zeros((115, 58)), np.zeros((115, 58))
    for i, row in enumerate(range(0, 800, 7)):
        for j, column in enumerate(range(0, 400, 7)):
            x, z = -10 + 0.05 * (column + 0.5), 46 - 0.05 * (row + 0.5)
            u, v, w = homography @ [x, z, 1.0]
            u, v = u / w, v / w
            if not (-0.5 <= u < width - 0.5 and -0.5 <= v < height - 0.5):
                continue
            nearest[i, j] = image[math.floor(v + 0.5), math.floor(u + 0.5)]
            for y in (math.floor(v), math.floor(v) + 1):
                for k in (math.floor(u), math.floor(u) + 1):
                    weight = max(0, 1 - abs(v - y)) * max(0, 1 - abs(u - k))
                    value = image[min(max(y, 0), height - 1), min(max(k, 0), width - 1)]
                    bilinear[i, j] += weight * float(value)
    return nearest, bilinear


@pytest.mark.parametrize('shape', [(375, 1242), (330, 700)])
def test_sampling_equals_the_references(shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    homography = calibration_homography(P2, R0, TO_ROAD)
    devkit = BirdsEyeView(homography, shape, devkit=True).nearest(image, 7)
    assert np.array_equal(devkit[::7, ::7], devkit_reference(homography, image, 7))
    view = BirdsEyeView(homography, shape)
    nearest, bilinear = exact_reference(homography, image)
    assert np.array_equal(view.nearest(image)[::7, ::7], nearest)
    np.testing.assert_allclose(view.bilinear(image)[::7, ::7], bilinear, atol=1e-9)
    assert 0.3 < view.inside.mean() < 1


def test_behind_the_camera_and_wrong_sizes():
    grid = BirdsEyeGrid(z_min=-20.0, z_max=20.0)
    view = BirdsEyeView(ground_homography(CAMERA, GroundPlane(1.65)), (375, 1242), grid)
    assert not view.inside[grid.z < 0].any() and view.inside[grid.z > 10].any()
    with pytest.raises(ValueError, match='expected'):
        view.nearest(np.zeros((3, 4), np.uint8))
    colours = np.zeros((375, 1242, 3), np.uint8)
    assert view.nearest(colours).shape == (*grid.shape, 3)


def test_rendered_edges_lie_where_the_drive_says():
    """In the resampled mask of a drive each road edge is within a cell of its true place."""
    checked, far = [], []
    for seed in range(10_000, 10_008):
        frame = RenderedDrive(seed, length=1)[0]
        view = BirdsEyeView(ground_homography(frame.camera, frame.plane), frame.road.shape)
        above = view.nearest(frame.road, 255)
        for z, errors in ((7.0, checked), (10.0, checked), (20.0, far)):
            row = view.grid.row(z)
            for side, x in enumerate(frame.edges(view.grid.z[row])):
                column = (x[0] - view.grid.x_min) / view.grid.cell
                if not 6 < column < 394:
                    continue
                at = round(column)
                near = above[row, at - 6:at + 6]
                steps = np.flatnonzero(np.diff(near.astype(np.int16)) == (1, -1)[side])
                if (near == 255).any() or len(steps) != 1:  # hidden by a vehicle, or not in view
                    continue
                errors.append(steps[0] + 1 - 6)
    assert len(checked) > 12 and np.abs(checked).max() <= 1
    assert len(far) > 5 and np.abs(far).max() <= 1


def test_geometry_of_rendered_drives_is_the_true_one():
    dataset = RenderedRoad(2, 2, 10_000)
    frame = RenderedDrive(10_001, length=26)[25]
    assert dataset[3].name == 'rendered_10001_0025'
    np.testing.assert_array_equal(dataset.geometry(dataset[3].name),
                                  ground_homography(frame.camera, frame.plane))
    assert dataset.geometry('elsewhere') is None


def test_real_calibration_sees_the_road_flat(real_data):
    """The real calib files put the camera 1.5 to 1.9 m above the road, looking forward."""
    files = sorted((real_data / 'kitti_road' / 'training' / 'calib').glob('*.txt'))
    assert len(files) == 86
    for path in files[::10]:
        view = BirdsEyeView(read_calib(path).homography, (375, 1242))
        assert view.inside.mean() > 0.9
        row = view.grid.row(20.0)
        assert np.all(np.diff(view.u[row]) > 0) and np.all(np.diff(view.v[:, 200]) > 0)
        per_metre = (view.u[row, -1] - view.u[row, 0]) / (view.grid.x[-1] - view.grid.x[0])
        assert per_metre == pytest.approx(721 / 20, rel=0.05)
