# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure whether the self-check notices a wrong pose, and what pitch road edges tell of KITTI.

    python benchmarks/measure_ground_calibration.py check --seeds 1 2 3 --checkpoint general
    python benchmarks/measure_ground_calibration.py kitti ROOT --checkpoint general
    python benchmarks/measure_ground_calibration.py cost

``check`` lets the self-check follow rendered drives with a right and with wrong poses; the camera
nods and rolls by up to 0.7 degrees, as on a vehicle. ``kitti`` compares the pitch from the road's
edges with Tr_cam_to_road of KITTI Road's images. ``cost`` times a frame of the self-check, in
processor time. Without --checkpoint the masks are the true ones.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros import RoadSegmenter
from fcn_seg_ros.datasets.kitti_calib import calib_file, read_calib
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.drives.ground_calibration import EVERY_S
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.ground.horizon import fit_horizon
from fcn_seg_ros.ground.horizon_watch import HorizonOptions, HorizonWatch
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.road_edges import LevelRows
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.synthetic.suburb import RenderedDrive

# Roll and pitch in degrees by which the assumed pose is off. On a slope that begins at the vehicle
# the road looks as on flat ground with another pitch.
SLOPE = float(np.rad2deg(np.arctan(0.01)))
WRONG = {'right pose': (0.0, 0.0), 'pitch +0.5 deg': (0.0, 0.5), 'pitch -0.5 deg': (0.0, -0.5),
         'road rises 1 %': (0.0, -SLOPE), 'road falls 1 %': (0.0, SLOPE), 'roll 1 deg': (1.0, 0.0),
         'pitch +1 deg': (0.0, 1.0), 'pitch -1 deg': (0.0, -1.0)}
HEIGHT = 1.65
SECONDS = 60.0


def main() -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('what', choices=('check', 'kitti', 'cost'))
    parser.add_argument('root', nargs='?', default=os.environ.get('FCN_SEG_DATA', '')
                        + '/kitti_road', help='KITTI Road, for kitti')
    parser.add_argument('--checkpoint', help='take the masks from this network')
    parser.add_argument('--seeds', type=int, nargs='+', default=[1, 2, 3], help='rendered drives')
    arguments = parser.parse_args()
    {'check': check, 'kitti': kitti, 'cost': cost}[arguments.what](arguments)
    return 0


def pose(roll: float = 0.0, pitch: float = 0.0) -> CameraPose:
    """Return a pose over the road, angles in degrees."""
    return CameraPose.from_angles(0.0, 0.0, HEIGHT, *np.deg2rad([roll, pitch]), 0.0)


def model(camera: PinholeCamera) -> CameraModel:
    """Return a rendered drive's camera."""
    return CameraModel(camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy)


def segmenter(checkpoint: str | None) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return what makes a mask (1 road) of an image and its true mask."""
    if checkpoint is None:
        return lambda image, truth: truth
    network = RoadSegmenter(checkpoint, device='cpu')
    return lambda image, truth: network.segment(image).road.astype(np.uint8)


def check(arguments: argparse.Namespace) -> None:
    """Print when the self-check warns and what pitch it names, for each drive and wrong pose."""
    mask_of = segmenter(arguments.checkpoint)
    for seed in arguments.seeds:
        drive = RenderedDrive(seed, round(SECONDS / EVERY_S), 1.0 / EVERY_S)
        watches = {name: (HorizonWatch(), LevelRows(model(drive.camera), pose(*angles).rotation))
                   for name, angles in WRONG.items()}
        reports: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in WRONG}
        for frame in drive:
            mask = mask_of(frame.image, frame.road)
            for name, (watch, level) in watches.items():
                watch.look(level, mask, (1,), frame.time, HorizonOptions())
                report = watch.report
                if not np.isnan(report.error):
                    reports[name].append((frame.time, report.error, bool(report.fault)))
        for name, rows in reports.items():
            print(f'drive {seed}, {arguments.checkpoint or "true mask"}, {name:15} '
                  f'{_verdict(rows)}', flush=True)


def _verdict(rows: list[tuple[float, float, bool]]) -> str:
    if not rows:
        return 'no verdict: too little straight road'
    errors = [error for _, error, _ in rows]
    warned = [time for time, _, fault in rows if fault]
    when = f'{len(warned) / len(rows):4.0%} warned' + (
        f', first after {warned[0]:.0f} s' if warned else '')
    return (f'error {np.median(errors):+.2f} ({min(errors):+.2f} to {max(errors):+.2f}) degrees, '
            f'{when}')


def _kitti_frames(root: Path) -> Iterator[tuple[np.ndarray, np.ndarray, GroundView]]:
    for split in ('train.txt', 'val.txt'):
        dataset = KittiRoad(root, split)
        for index in range(len(dataset)):
            sample = dataset[index]
            file = calib_file(root / 'training' / 'image_2' / f'{sample.name}.png')
            if file.exists():
                yield sample.image, sample.labels, read_calib(file).view(*sample.labels.shape)


def kitti(arguments: argparse.Namespace) -> None:
    """Print the pitch from the road's edges, from a level start, and KITTI's own."""
    mask_of = segmenter(arguments.checkpoint)
    level = pose()
    points, theirs, count = [], [], 0
    for image, labels, view in _kitti_frames(Path(arguments.root)):
        count += 1
        rows = LevelRows(view.camera, level.rotation)
        point = rows.vanishing_point(*rows.rows(mask_of(image, labels), (1,)))
        if point is not None:
            points.append(point)
            theirs.append(view.pose.angles[1])
    fit = fit_horizon(points, [index // 4 for index in range(len(points))])
    if fit is None:
        print(f'straight road in {len(points)} of {count} images: too few')
        return
    roll, pitch = np.rad2deg(fit.angles(level.rotation))
    frame = np.rad2deg([-np.arctan(point.y) for point in points]) - np.rad2deg(theirs)
    print(f'{arguments.checkpoint or "ground truth"}: straight road in {len(points)} of {count} '
          f'images; pitch {pitch:+.2f} +- {np.rad2deg(fit.offset_deviation):.2f} degrees, '
          f'KITTI {np.rad2deg(np.median(theirs)):+.2f}; roll {roll:+.2f} '
          f'({"+- " if fit.roll_known else "as given, told to "}'
          f'{np.rad2deg(fit.slope_deviation):.2f}); single images differ from KITTI by '
          f'{np.median(frame):+.2f}, {np.std(frame):.2f} (1 sd)')


def cost(arguments: argparse.Namespace) -> None:
    """Print the processor time of a frame."""
    frame = RenderedDrive(arguments.seeds[0], 30)[20]
    level, options = LevelRows(model(frame.camera), pose().rotation), HorizonOptions()
    watch, taken = HorizonWatch(), []
    for k in range(60):
        start = time.process_time()
        watch.look(level, frame.road, (1,), float(k), options)
        taken.append(time.process_time() - start)
    print(f'self-check: {1e3 * np.median(taken):.1f} ms a frame')


if __name__ == '__main__':
    sys.exit(main())
