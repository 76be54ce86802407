# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``calibrate_ground``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.drives.camera_model import model_of, read_camera_info
from fcn_seg_ros.drives.drive import Drive, DriveFrame
from fcn_seg_ros.drives.ground_calibration import EVERY_S, GroundCalibration, calibrate
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.images.encodings import to_rgb
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import find_checkpoint

# The drive's own labels: 1 road, 0 not road.
_TRUE_ROAD = (1,)


def run(options: argparse.Namespace) -> None:
    """Estimate and print the pose."""
    assumed = CameraPose.from_angles(*options.pose)
    drive = open_drive(options.input, topics=(options.topic,) if options.topic else (),
                       rate_hz=options.rate, limit=options.frames,
                       on_note=lambda note: print(f'calibrate_ground: {note.line()}',
                                                  file=sys.stderr))
    camera = _camera(options, next(iter(drive)))
    mask: Callable[[DriveFrame], np.ndarray] = _truth
    road_ids: Sequence[int] = _TRUE_ROAD
    if not options.truth:
        segmenter = RoadSegmenter(find_checkpoint(options.checkpoint), options.device)
        mask, road_ids = _segmented(segmenter), segmenter.info.road_ids
    with progress_bar('calibrate_ground', drive.length) as done:
        found = calibrate(options.input, _masks(drive, mask, done), road_ids, camera, assumed)
    _print(found, assumed, options.camera)


def _camera(options: argparse.Namespace, frame: DriveFrame) -> CameraModel:
    """Return the camera that the options name, or else that of the drive."""
    if options.intrinsics:
        return CameraModel(frame.width, frame.height, *options.intrinsics)
    if options.camera_info:
        return model_of(read_camera_info(options.camera_info), options.rectified)
    if frame.calibration is None:
        raise InputError(f'{options.input}: has no calibration; give --camera-info or --intrinsics')
    return model_of(frame.calibration, options.rectified)


def _masks(drive: Drive, mask: Callable[[DriveFrame], np.ndarray], done: Callable[[], None]
           ) -> Iterator[tuple[float, np.ndarray]]:
    """Yield seconds and masks of frames at most five times a second."""
    last = float('-inf')
    for frame in drive:
        seconds = frame.stamp_ns / 1e9
        # A tenth of a period early counts: intervals waver.
        if not 0.0 <= seconds - last < 0.9 * EVERY_S:
            last = seconds
            yield seconds, mask(frame)
        done()


def _truth(frame: DriveFrame) -> np.ndarray:
    if frame.truth is None:
        raise InputError('--truth: expected a drive with labels, found a frame without')
    return frame.truth


def _segmented(segmenter: RoadSegmenter) -> Callable[[DriveFrame], np.ndarray]:
    return lambda frame: segmenter.segment(to_rgb(
        frame.data, frame.height, frame.width, frame.encoding, frame.step,
        frame.is_bigendian)).mask


def _print(found: GroundCalibration, assumed: CameraPose, name: str) -> None:
    fit = found.fit
    roll, pitch, yaw = found.pose.angles
    print(f'straight road in {fit.frames} of {found.frames} frames')
    print(f'pitch {np.rad2deg(pitch):+.2f} +- {np.rad2deg(fit.offset_deviation):.2f} degrees '
          '(positive: looks down)')
    spread = np.rad2deg(fit.slope_deviation)
    if fit.roll_known:
        print(f'roll  {np.rad2deg(roll):+.2f} +- {spread:.2f} degrees (positive: right side low)')
    else:
        print(f'roll  {np.rad2deg(assumed.angles[0]):+.2f} degrees, as given: this drive tells it '
              f'only to +- {spread:.1f}')
    pose = (*found.pose.position.tolist(), roll, pitch, yaw)
    print(f'{name}.pose: [{", ".join(f"{each:.4f}" for each in pose)}]')
