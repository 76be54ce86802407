# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From pixels to metres and back: OpenCV's projection, KITTI's calibration and GroundPlane."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.view import GroundView

# What calibrations of real lenses have, from tele to fisheye.
LENSES = st.one_of(
    st.just(('', ())),
    st.tuples(st.just('plumb_bob'), st.tuples(
        st.floats(-0.35, 0.2), st.floats(-0.05, 0.15), st.floats(-2e-3, 2e-3),
        st.floats(-2e-3, 2e-3), st.floats(-0.03, 0.03))),
    st.tuples(st.just('rational_polynomial'), st.tuples(
        st.floats(-0.5, 3.0), st.floats(-0.5, 1.5), st.floats(-1e-3, 1e-3),
        st.floats(-1e-3, 1e-3), st.floats(-0.1, 0.3), st.floats(-0.2, 3.0),
        st.floats(0.0, 1.5), st.floats(0.0, 0.3))),
    st.tuples(st.just('equidistant'), st.tuples(
        st.floats(-0.05, 0.1), st.floats(-0.03, 0.03), st.floats(-0.01, 0.01),
        st.floats(-0.005, 0.005))))
CAMERAS = st.builds(
    lambda focal, ratio, cx, cy, lens: CameraModel(960, 600, focal, focal * ratio, 480 + cx,
                                                   300 + cy, *lens),
    st.floats(250.0, 1500.0), st.floats(0.95, 1.05), st.floats(-60, 60), st.floats(-60, 60), LENSES)
POSES = st.builds(
    CameraPose.from_angles, st.floats(-2, 2), st.floats(-2, 2), st.floats(0.3, 3.5),
    st.floats(-0.3, 0.3), st.floats(-0.2, 1.2), st.floats(-math.pi, math.pi))


def brute_force(view: GroundView, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the pixels (N, 2) of ground points by OpenCV."""
    camera, pose = view.camera, view.pose
    points = np.stack([x, y, np.zeros_like(x)], axis=-1)
    seen = (points - pose.position) @ pose.rotation
    matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
    zero, d = np.zeros(3), np.array(camera.d, np.float64)
    if camera.distortion == 'equidistant':
        pixels, _ = cv2.fisheye.projectPoints(seen[:, None], zero, zero, matrix, d)
    else:
        pixels, _ = cv2.projectPoints(seen, zero, zero, matrix, d if len(d) else None)
    return pixels.reshape(-1, 2)


@settings(max_examples=40, deadline=None)
@given(camera=CAMERAS, pose=POSES)
def test_pixel_to_ground_and_back(camera, pose):
    view = GroundView(camera, pose)
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(-0.5, 959.5, 25), np.linspace(-0.5, 599.5,
                                                                                     15)))
    x, y = view.pixel_to_ground(u, v)
    ground = np.isfinite(x)
    back_u, back_v = view.ground_to_pixel(x[ground], y[ground])
    # Every ground point that a pixel sees is seen by that pixel, not by another or by none.
    np.testing.assert_allclose(back_u, u[ground], atol=1e-6, rtol=0)
    np.testing.assert_allclose(back_v, v[ground], atol=1e-6, rtol=0)
    if ground.any():
        pixels = brute_force(view, x[ground], y[ground])
        # OpenCV has no fisheye beyond 90 degrees.
        wide = (np.stack([x[ground], y[ground], 0 * x[ground]], -1) - pose.position) @ (
            pose.rotation[:, 2]) < 0.05
        np.testing.assert_allclose(pixels[~wide], np.stack([u[ground], v[ground]], -1)[~wide],
                                   atol=1e-6, rtol=0)


@settings(max_examples=30, deadline=None)
@given(camera=CAMERAS, pose=POSES, x=st.floats(-60, 60), y=st.floats(-60, 60))
def test_ground_in_view_is_where_it_is_seen(camera, pose, x, y):
    view = GroundView(camera, pose)
    u, v = view.ground_to_pixel(x, y)
    if camera.inside(u, v):
        far = math.hypot(x - pose.position[0], y - pose.position[1])
        if far < 100 * pose.position[2]:
            back = view.pixel_to_ground(u, v)
            np.testing.assert_allclose(back, (x, y), atol=1e-6 * (1 + far ** 2))


def test_it_is_the_ground_plane_of_the_renderer():
    camera, plane = PinholeCamera.kitti(), GroundPlane(1.6, 0.03, -0.02)
    view = GroundView(CameraModel(camera.width, camera.height, camera.fx, camera.fy, camera.cx,
                                  camera.cy), CameraPose.from_plane(plane))
    x, z = np.array([-3.0, 0.0, 4.0]), np.array([7.0, 20.0, 60.0])
    np.testing.assert_allclose(view.ground_to_pixel(z, -x), plane.project(camera, x, z))


def test_what_is_not_in_view_has_no_number():
    view = GroundView(CameraModel(640, 480, 400.0, 400.0, 319.5, 239.5),
                      CameraPose.from_angles(0, 0, 1.2, 0, 0.1, 0))
    assert np.isnan(view.pixel_to_ground(320, 100)).all()  # above the horizon
    assert np.isnan(view.ground_to_pixel(-5.0, 0.0)).all()  # behind
    assert np.isnan(view.ground_to_pixel(np.nan, 0.0)).all()
    assert not view.seen(np.array(5.0), np.array(20.0))
    # A strong barrel folds what is far off the axis back into the image; no lens does.
    folded = CameraModel(640, 480, 400.0, 400.0, 319.5, 239.5, 'plumb_bob', (-0.3, 0, 0, 0, 0))
    direction = np.array([2.0, 0.0, 1.0])
    assert folded.inside(*(400 * 2.0 * (1 - 0.3 * 4) + 319.5, 239.5))
    assert np.isnan(folded.project(direction)).all()


def test_angles_and_quaternions_agree():
    pose = CameraPose.from_angles(1.0, 0.2, 1.5, 0.1, 0.2, -2.0)
    np.testing.assert_allclose(pose.angles, (0.1, 0.2, -2.0), atol=1e-12)
    # A level camera that looks ahead: the usual quaternion of an optical frame.
    level = CameraPose.from_quaternion((0, 0, 1.5), (-0.5, 0.5, -0.5, 0.5))
    np.testing.assert_allclose(level.rotation, CameraPose.from_angles(0, 0, 1, 0, 0, 0).rotation,
                               atol=1e-12)
    metres, turn = level.moved(CameraPose.from_angles(0.0, 0.3, 1.9, 0.0, 0.1, 0.0))
    assert metres == pytest.approx(0.5) and turn == pytest.approx(0.1)
    looks_down = GroundView(CameraModel(640, 480, 400.0, 400.0, 319.5, 239.5),
                            CameraPose.from_angles(0, 0, 1.0, 0, math.pi / 4, 0))
    np.testing.assert_allclose(looks_down.pixel_to_ground(319.5, 239.5), (1.0, 0.0), atol=1e-12)


@pytest.mark.parametrize(('make', 'words'), [
    (lambda: CameraModel(64, 48, 0.0, 50.0, 32, 24), 'focal lengths above 0'),
    (lambda: CameraModel(64, 48, math.nan, 50.0, 32, 24), 'finite'),
    (lambda: CameraModel(64, 48, 50.0, 50.0, 32, 24, 'thin_prism', (0.1,)), 'thin_prism'),
    (lambda: CameraModel(64, 48, 50.0, 50.0, 32, 24, 'plumb_bob', (0.1,)), 'expected 5'),
    (lambda: CameraPose.from_angles(0, 0, 0.0, 0, 0, 0), 'above the ground'),
    (lambda: CameraPose.from_angles(0, 0, math.inf, 0, 0, 0), 'finite'),
    (lambda: CameraPose.from_quaternion((0, 0, 1), (0, 0, 0, 0)), 'length 1'),
    (lambda: CameraPose(2 * np.eye(3), np.ones(3)), 'rotation')])
def test_what_no_camera_has_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
