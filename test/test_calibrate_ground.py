# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command calibrate_ground: what it finds, what it refuses, and the calibrations it reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_ground_horizon import LENSES, LEVEL, PINHOLE, pose, straight_road

from fcn_seg_ros.cli.calibrate_ground import main
from fcn_seg_ros.drives.camera_model import model_of, read_camera_info
from fcn_seg_ros.drives.drive import Calibration
from fcn_seg_ros.drives.ground_calibration import calibrate
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.encode import encode_png

CAMERA_INFO = """\
image_width: 480
image_height: 270
camera_name: front
camera_matrix: {rows: 3, cols: 3, data: [300, 0, 245, 0, 301, 130, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0.001, -0.001, 0]}
projection_matrix: {rows: 3, cols: 4, data: [280, 0, 240, 0, 0, 281, 131, 0, 0, 0, 1, 0]}
"""


def drive(roll: float, pitch: float, frames: int = 30, bend: float = 0.0):
    """Yield five seconds of a road, as seen by a camera that nods and sways."""
    for k in range(frames):
        seen_from = pose(roll, pitch + 0.1 * np.sin(k), 7 * np.sin(k / 2))
        yield 0.2 * k, straight_road(PINHOLE, seen_from, bend=bend)


def test_the_pose_of_a_drive_is_found():
    assumed = pose(pitch=-1.0, yaw=3.0)
    found = calibrate('drive', drive(1.0, 2.5), (1,), PINHOLE, assumed)
    roll, pitch, yaw = np.rad2deg(found.pose.angles)
    assert pitch == pytest.approx(2.5, abs=0.15) and yaw == pytest.approx(3.0)
    assert roll == pytest.approx(1.0, abs=0.5)
    assert abs(pitch - 2.5) < 4 * np.rad2deg(found.fit.offset_deviation)
    assert (found.pose.position == assumed.position).all() and found.frames == 30


@pytest.mark.parametrize(('options', 'words'), [
    ({'frames': 12}, 'found 12 of 12 in 3'), ({'bend': 1 / 25}, 'found 0 of 30 in 0')])
def test_bends_and_short_drives_are_refused(options, words):
    with pytest.raises(InputError, match=f'^drive: expected at least 20 frames .*{words}'):
        calibrate('drive', drive(0.0, 0.0, **options), (1,), PINHOLE, LEVEL)


def test_frames_that_disagree_are_refused():
    masks = [straight_road(PINHOLE, pose(pitch=pitch)) for pitch in (-3.0, 0.0, 3.0)]
    shaken = ((0.2 * k, masks[k // 5 % 3]) for k in range(30))
    with pytest.raises(InputError, match=r'agree on the pitch to 0\.3 degrees, found'):
        calibrate('drive', shaken, (1,), PINHOLE, LEVEL)


def test_images_of_another_size_are_refused():
    with pytest.raises(InputError, match='calibration\'s size, 480x270, found 64x48'):
        calibrate('drive', [(0.0, np.zeros((48, 64), np.uint8))], (1,), PINHOLE, LEVEL)


def test_a_calibration_file_is_read(tmp_path):
    path = tmp_path / 'camera.yaml'
    path.write_text(CAMERA_INFO)
    found = read_camera_info(path)
    raw, rectified = model_of(found, False), model_of(found, True)
    lens = LENSES['plumb_bob']
    assert (raw.fx, raw.fy, raw.cx, raw.cy) == (300, 301, 245, 130)
    assert (raw.distortion, raw.d) == (lens.distortion, lens.d)
    assert (rectified.fx, rectified.fy, rectified.cx, rectified.cy) == (280, 281, 240, 131)
    assert rectified.d == () and (rectified.width, rectified.height) == (480, 270)


@pytest.mark.parametrize(('text', 'words'), [
    ('[1, 2', 'expected YAML, found a fault'),
    ('hello', 'expected the YAML file of a camera calibration'),
    ('image_width: 4', 'expected camera_matrix with numbers in data'),
    (CAMERA_INFO.replace('0, 0, 1]}\ndist', '0]}\ndist'), 'expected 9 numbers in camera_matrix'),
    (CAMERA_INFO.replace('image_height: 270', ''), 'expected whole numbers image_width')])
def test_a_damaged_calibration_file_is_one_line(tmp_path, text, words):
    path = tmp_path / 'camera.yaml'
    path.write_text(text)
    with pytest.raises(InputError, match=f'^{path}: {words}') as refused:
        read_camera_info(path)
    assert '\n' not in str(refused.value)


def test_an_endless_calibration_file_is_refused():
    with pytest.raises(InputError, match=r'^/dev/zero: expected the YAML file of a camera calib'):
        read_camera_info(Path('/dev/zero'))


def test_region_and_binning_of_a_calibration_count():
    k = (400.0, 0.0, 319.5, 0.0, 400.0, 239.5, 0.0, 0.0, 1.0)
    found = model_of(Calibration(640, 480, 'plumb_bob', (0.0,) * 5, k, binning_x=2, binning_y=2,
                                 roi=(0, 120, 640, 360)), False)
    assert (found.width, found.height, found.fx, found.d) == (320, 180, 200.0, ())
    # The sensor's middle, between pixels 319 and 320, 239 and 240.
    assert (found.cx, found.cy) == (159.5, 59.5)
    with pytest.raises(InputError, match='expected a calibration, found focal lengths of 0 and 0'):
        model_of(Calibration(640, 480), False)


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    assert main(['rendered:1', '--frames', '3', '--truth']) == 2
    error = capsys.readouterr().err
    assert error.startswith('calibrate_ground: error: rendered:1: expected at least 20 frames')
    assert len(error.splitlines()) == 1
    (tmp_path / 'a.png').write_bytes(encode_png(np.zeros((32, 64, 3), np.uint8)))
    assert main([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.endswith('has no calibration; give --camera-info or --intrinsics\n')
    assert len(error.splitlines()) == 1


def test_the_command_prints_the_pose(monkeypatch, capsys):
    import fcn_seg_ros.cli.calibrate_ground_run as command
    found = calibrate('drive', drive(1.0, 2.5), (1,), PINHOLE, LEVEL)
    monkeypatch.setattr(command, 'calibrate', lambda *given: found)
    assert main(['rendered:1', '--frames', '1', '--truth', '--camera', 'front']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'straight road in 30 of 30 frames'
    assert lines[1].startswith('pitch +2.') and lines[2].startswith('roll  ')
    assert lines[3].startswith('front.pose: [0.0000, 0.0000, 1.5000, 0.0')
