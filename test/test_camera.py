# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The pinhole camera and the ground plane under it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera

KITTI = PinholeCamera.kitti()


def test_level_camera_sees_the_ground_where_the_textbook_says() -> None:
    u, v = GroundPlane(1.65).project(KITTI, 2.0, 10.0)
    assert u == pytest.approx(KITTI.cx + KITTI.fx * 2.0 / 10.0)
    assert v == pytest.approx(KITTI.cy + KITTI.fy * 1.65 / 10.0)


def test_height_above_the_ground_lifts_a_point() -> None:
    _, v = GroundPlane(1.65).project(KITTI, 0.0, 20.0, up=1.65)
    assert v == pytest.approx(KITTI.cy)


def test_positive_pitch_raises_the_horizon_by_f_tan_pitch() -> None:
    row = GroundPlane(1.65, pitch=0.02).horizon_row(KITTI, KITTI.cx)
    assert row == pytest.approx(KITTI.cy - KITTI.fy * np.tan(0.02))


def test_positive_roll_lowers_the_right_side_so_the_horizon_falls_to_the_left() -> None:
    left, right = GroundPlane(1.65, roll=0.01).horizon_row(KITTI, np.array([0.0, 1241.0]))
    assert left - right == pytest.approx(1241 * np.tan(0.01), rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.5, 4), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(-15, 15),
       st.floats(2, 80))
def test_pixel_to_ground_undoes_project(height: float, pitch: float, roll: float, x: float,
                                        z: float) -> None:
    plane = GroundPlane(height, pitch, roll)
    u, v = plane.project(KITTI, x, z)
    if np.isnan(u):
        return
    back_x, back_z = plane.pixel_to_ground(KITTI, u, v)
    assert back_x == pytest.approx(x, abs=1e-5)
    assert back_z == pytest.approx(z, abs=1e-5)


def test_above_the_horizon_there_is_no_ground() -> None:
    x, z = GroundPlane(1.65).pixel_to_ground(KITTI, 600.0, np.array([100.0, 172.854, 300.0]))
    assert np.isnan(x[:2]).all() and np.isnan(z[:2]).all()
    assert z[2] == pytest.approx(1.65 * KITTI.fy / (300 - KITTI.cy))


def test_behind_the_camera_nothing_is_projected() -> None:
    u, v = GroundPlane(1.65).project(KITTI, 0.0, np.array([-5.0, 5.0]))
    assert np.isnan(u[0]) and np.isnan(v[0]) and np.isfinite(u[1])
