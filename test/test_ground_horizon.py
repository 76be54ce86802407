# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera's pitch and roll from the edges of straight road, and the doubt about a wrong pose."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from fcn_seg_ros.ground.horizon import FEWEST_FRAMES, fit_horizon
from fcn_seg_ros.ground.horizon_watch import HorizonOptions, HorizonWatch
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.road_edges import LevelRows, VanishingPoint, level_frame

PINHOLE = CameraModel(480, 270, 320.0, 320.0, 239.5, 134.5)
LENSES = {'rectified': PINHOLE,
          'plumb_bob': CameraModel(480, 270, 300.0, 300.0, 245.0, 130.0, 'plumb_bob',
                                   (-0.3, 0.1, 1e-3, -1e-3, 0.0)),
          'equidistant': CameraModel(480, 270, 230.0, 230.0, 239.5, 140.0, 'equidistant',
                                     (0.02, 0.0, 0.0, 0.0))}
LEVEL = CameraPose.from_angles(0.0, 0.0, 1.5, 0.0, 0.0, 0.0)


def pose(roll: float = 0.0, pitch: float = 0.0, yaw: float = 0.0) -> CameraPose:
    """Return a pose 1.5 m above the ground, angles in degrees."""
    return CameraPose.from_angles(0.0, 0.0, 1.5, *np.deg2rad([roll, pitch, yaw]))


def straight_road(camera: CameraModel, truth: CameraPose, left: float = 3.0, right: float = -4.0,
                  bend: float = 0.0) -> np.ndarray:
    """Return the mask of a road between two lateral positions in metres, curved by 1/m."""
    ahead, aside, up = np.tensordot(truth.rotation, rays_of(camera), 1)
    with np.errstate(invalid='ignore', divide='ignore'):
        x, y = (truth.position[2] * each / -up for each in (ahead, aside))
        y = y - bend * x * x / 2
        return ((y < left) & (y > right) & (x > 0) & (up < 0)).astype(np.uint8)


@functools.cache
def rays_of(camera: CameraModel) -> np.ndarray:
    """Return the direction of every pixel, float64 (3, H, W)."""
    v, u = np.mgrid[:camera.height, :camera.width]
    return camera.directions(u, v)


def point_of(camera: CameraModel, mask: np.ndarray, assumed: CameraPose = LEVEL
             ) -> VanishingPoint | None:
    """Return where the mask's edges meet, in the frame of an assumed pose."""
    level = LevelRows(camera, assumed.rotation)
    return level.vanishing_point(*level.rows(mask, (1,)))


@pytest.mark.parametrize('lens', LENSES)
@pytest.mark.parametrize(('roll', 'pitch'), [(0.0, 3.0), (2.0, -1.0), (-1.5, 6.0)])
def test_pitch_and_roll_come_from_a_drive_that_sways(lens, roll, pitch):
    camera, points = LENSES[lens], []
    for yaw in np.linspace(-6.0, 6.0, 8):
        points.append(point_of(camera, straight_road(camera, pose(roll, pitch, yaw))))
    found = [point for point in points if point is not None]
    assert len(found) >= 7
    fit = fit_horizon(found * 3, [*range(len(found))] * 3)
    assert fit is not None and fit.roll_known
    found_roll, found_pitch = np.rad2deg(fit.angles(LEVEL.rotation))
    assert found_pitch == pytest.approx(pitch, abs=0.1)
    assert found_roll == pytest.approx(roll, abs=0.3)
    assert np.rad2deg(fit.offset_deviation) < 0.1


def test_the_frame_of_a_pose_has_its_horizon_at_zero():
    truth = pose(3.0, 8.0, 20.0)
    point = point_of(PINHOLE, straight_road(PINHOLE, pose(3.0, 8.0, 1.0)), truth)
    assert point is not None and np.rad2deg(point.y) == pytest.approx(0.0, abs=0.05)
    assert np.allclose(level_frame(truth.rotation) @ [0, 1, 0], -truth.rotation[2])


def test_roll_stays_as_assumed_where_nothing_tells_it():
    random = np.random.default_rng(1)
    points = [VanishingPoint(0.001 * random.normal(), 0.02 + 0.003 * random.normal(), 0.0)
              for _ in range(60)]
    fit = fit_horizon(points, [k // 6 for k in range(60)])
    assert fit is not None and not fit.roll_known and fit.slope == 0.0
    # Ten groups of six: about 0.003 / sqrt(60).
    assert 2e-4 < fit.offset_deviation < 7e-4 and abs(fit.offset - 0.02) < 2e-3
    roll, pitch = fit.angles(pose(1.0, 2.0).rotation)
    assert np.rad2deg([roll, pitch]) == pytest.approx([1.0, 2.0 - np.rad2deg(0.02)], abs=0.1)


def test_outlying_frames_count_little():
    points = [VanishingPoint(0.01 * (k % 7), 0.01, 0.0) for k in range(40)]
    points[::8] = [VanishingPoint(0.0, 0.2, 0.0)] * 5
    fit = fit_horizon(points, [k // 4 for k in range(40)])
    assert fit is not None and fit.offset == pytest.approx(0.01, abs=1e-3)


def test_too_few_frames_or_seconds_are_no_calibration():
    point = VanishingPoint(0.0, 0.0, 0.0)
    assert fit_horizon([point] * (FEWEST_FRAMES - 1), list(range(FEWEST_FRAMES - 1))) is None
    assert fit_horizon([point] * 50, [k % 4 for k in range(50)]) is None


def test_bends_and_half_a_road_give_no_point():
    assert point_of(PINHOLE, straight_road(PINHOLE, LEVEL, bend=1 / 60)) is None
    assert point_of(PINHOLE, straight_road(PINHOLE, LEVEL, left=90.0)) is None
    assert point_of(PINHOLE, np.zeros((270, 480), np.uint8)) is None
    assert point_of(PINHOLE, np.ones((270, 480), np.uint8)) is None
    straight = straight_road(PINHOLE, LEVEL)
    assert point_of(PINHOLE, straight) is not None
    straight[:, 260:] = 255  # unknown ground is no edge
    assert point_of(PINHOLE, straight) is None


def test_a_vehicle_and_a_side_road_do_not_matter():
    mask = straight_road(PINHOLE, LEVEL)
    expected = point_of(PINHOLE, mask)
    mask[140:170, 230:260] = 0  # a vehicle on the road
    mask[150:160, :200] = 1  # a side road
    found = point_of(PINHOLE, mask)
    assert expected is not None and found is not None
    assert np.rad2deg(found.y) == pytest.approx(np.rad2deg(expected.y), abs=0.1)


def watched(assumed: CameraPose, truth: CameraPose, frames: int = 60, **options: float):
    """Return the report after some frames at 4 Hz of a road that sways a little."""
    watch, level = HorizonWatch(), LevelRows(PINHOLE, assumed.rotation)
    yaws = np.linspace(-1.0, 1.0, 5)
    masks = [straight_road(PINHOLE, pose(*np.rad2deg(truth.angles)[:2], yaw)) for yaw in yaws]
    for k in range(frames):
        watch.look(level, masks[k % 5], (1,), 0.25 * k, HorizonOptions(**options))
    return watch.report


def test_a_wrong_pitch_is_doubted_after_some_seconds():
    truth = pose(pitch=2.0)
    fine = watched(truth, truth)
    assert fine.fault == '' and fine.pitch == pytest.approx(2.0, abs=0.1) and fine.above == 0.0
    low = watched(pose(pitch=1.0), truth)
    assert 'meet 1.0 degrees above the horizon' in low.fault
    assert 'looks like 2.0 degrees, not 1.0' in low.fault
    high = watched(pose(pitch=3.0), truth)
    assert 'meet 1.0 degrees below the horizon' in high.fault
    assert watched(pose(pitch=1.0), truth, frames=30).fault == ''  # not yet
    assert watched(pose(pitch=1.0), truth, horizon_off_above=0.0).fault == ''
    assert watched(pose(pitch=1.0), truth, horizon_off_above=1.5).fault == ''


def test_road_in_the_sky_is_doubted_without_any_edge():
    watch, level = HorizonWatch(), LevelRows(PINHOLE, pose(pitch=-15.0).rotation)
    everywhere = np.ones((270, 480), np.uint8)
    for k in range(60):
        watch.look(level, everywhere, (1,), 0.25 * k, HorizonOptions())
    assert 'of the road lies more than 2 degrees above the horizon' in watch.report.fault
    assert np.isnan(watch.report.error)


def test_a_corrected_pose_begins_anew_and_springs_do_not():
    watch, mask = HorizonWatch(), straight_road(PINHOLE, pose(pitch=2.0))
    wrong, right = (LevelRows(PINHOLE, pose(pitch=pitch).rotation) for pitch in (1.0, 2.0))
    for k in range(60):
        watch.look(wrong, mask, (1,), 0.25 * k, HorizonOptions())
    assert watch.report.fault
    watch.look(right, mask, (1,), 15.0, HorizonOptions())
    assert watch.report.fault == '' and np.isnan(watch.report.error)
    moving = [LevelRows(PINHOLE, pose(pitch=2.0 + 0.1 * np.sin(k)).rotation) for k in range(8)]
    for k in range(60):
        watch.look(moving[k % 8], mask, (1,), 16.0 + 0.25 * k, HorizonOptions())
    assert abs(watch.report.error) < 0.15
