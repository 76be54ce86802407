# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which image a CameraInfo describes: regions, binning, and those that fit no image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hostile_messages import camera_infos
from hypothesis import given, settings
from sensor_msgs.msg import CameraInfo, RegionOfInterest

from fcn_seg_ros.outputs.camera_info import described, focal_length, for_image, problem

POINT = np.array([1.5, -0.7, 9.0, 1.0])


def info(roi: tuple[int, int, int, int] = (0, 0, 0, 0), binning: tuple[int, int] = (0, 0)
         ) -> CameraInfo:
    """Return the calibration of a sensor of 640x480; ``roi`` is x, y, width, height."""
    x, y, width, height = roi
    return CameraInfo(
        width=640, height=480, distortion_model='plumb_bob', d=[0.1, 0.0, 0.0, 0.0, 0.0],
        k=[500.0, 0.0, 321.0, 0.0, 510.0, 239.0, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[500.0, 0.0, 321.0, -60.0, 0.0, 510.0, 239.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        binning_x=binning[0], binning_y=binning[1],
        roi=RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height))


def pixel(message: CameraInfo) -> np.ndarray:
    """Return where a point is seen."""
    u, v, w = np.asarray(message.p).reshape(3, 4) @ POINT
    return np.array([u / w, v / w])


WHOLE = pixel(info())


@pytest.mark.parametrize(('given_info', 'size', 'seen'), [
    (info(), (640, 480), WHOLE),
    (info(binning=(1, 1)), (640, 480), WHOLE),
    (info(roi=(0, 160, 640, 320)), (640, 320), WHOLE - [0, 160]),
    (info(roi=(100, 50, 301, 201)), (301, 201), WHOLE - [100, 50]),
    (info(binning=(2, 2)), (320, 240), WHOLE / 2),
    (info(binning=(2, 4)), (320, 120), WHOLE / [2, 4]),
    (info(roi=(0, 160, 640, 320), binning=(2, 2)), (320, 160), (WHOLE - [0, 160]) / 2),
    (info(roi=(0, 0, 301, 201), binning=(2, 2)), (150, 100), WHOLE / 2),
    (info(roi=(0, 0, 301, 201), binning=(2, 2)), (151, 101), WHOLE / 2),
    # The whole image, though a region is named.
    (info(roi=(100, 50, 301, 201)), (640, 480), WHOLE),
])
def test_the_mask_gets_its_own(given_info, size, seen):
    own = for_image(given_info, size[1], size[0])
    assert (own.width, own.height) == size
    assert own.roi == RegionOfInterest() and own.binning_x in (0, 1)
    np.testing.assert_allclose(pixel(own), seen)
    k, p = np.asarray(own.k).reshape(3, 3), np.asarray(own.p).reshape(3, 4)
    np.testing.assert_allclose(k, p[:, :3])
    assert list(own.d) == list(given_info.d) and own.distortion_model == 'plumb_bob'
    assert pixel(given_info).tolist() == WHOLE.tolist()  # the camera's stays as it came


@pytest.mark.parametrize(('given_info', 'size', 'words'), [
    (info(), (320, 240), '640x480 pixels'),
    (info(roi=(0, 160, 640, 320)), (640, 160), '640x480 pixels, region of interest 640x320'),
    (info(binning=(2, 2)), (320, 239), '640x480 pixels, binned 2x2'),
    (CameraInfo(), (640, 480), '0x0 pixels'),
])
def test_none_where_it_describes_another_image(given_info, size, words):
    assert for_image(given_info, size[1], size[0]) is None
    assert described(given_info) == words


@settings(max_examples=200, deadline=None)
@given(message=camera_infos())
def test_any_calibration_is_taken_or_not(message):
    own = for_image(message, 16, 16)
    assert own is None or (own.width, own.height) == (16, 16)
    assert described(message)


def test_focal_length_is_that_of_the_image():
    info = CameraInfo(width=1280, height=720)
    info.k[0] = 900.0
    assert focal_length(info, 720, 1280) == 900.0
    info.binning_x = info.binning_y = 2
    assert focal_length(info, 360, 640) == 450.0
    assert focal_length(info, 100, 100) == 0.0 and focal_length(None, 720, 1280) == 0.0
    for wrong in (0.0, -5.0, math.nan, math.inf):
        info.k[0] = wrong
        assert focal_length(info, 720, 1280) == 0.0


@pytest.mark.parametrize(('change', 'words'), [
    (lambda i: i.k.__setitem__(0, math.nan), 'infinite or NaN'),
    (lambda i: i.p.__setitem__(5, math.inf), 'infinite or NaN'),
    (lambda i: i.k.__setitem__(0, -700.0), 'focal length is -700'),
    (lambda i: setattr(i.roi, 'x_offset', 4_000_000_000), 'outside the sensor'),
    (lambda i: (setattr(i.roi, 'width', 641), setattr(i.roi, 'height', 480)), 'outside')])
def test_what_no_camera_has_describes_no_image(change, words):
    wrong = info()
    change(wrong)
    assert words in problem(wrong)
    assert for_image(wrong, 480, 640) is None and focal_length(wrong, 480, 640) == 0.0


def test_a_camera_that_is_not_calibrated_keeps_its_info():
    zeros = CameraInfo(width=640, height=480)
    assert problem(zeros) == '' and for_image(zeros, 480, 640) is not None
