# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``calibrate_ground``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT

DESCRIPTION = """\
Estimate a camera's pitch and roll over the road from a recorded drive.

The two edges of a straight road meet at the horizon. Prints pitch and roll with their standard
deviations, and the pose to set on the node. Needs straight, flat road with both edges in view for
some tens of seconds; bends are left out, and a drive with too little else is refused. Roll shows
only where the vehicle's heading sways by some degrees; otherwise it stays as given. The height is
yours to measure: pitch and roll do not depend on it."""

EPILOG = """\
examples:
  calibrate_ground my_bag --topic /front/image_raw --pose 1.7 0 1.4 0 0 0
  calibrate_ground drive.mp4 --camera-info camera.yaml
  calibrate_ground ~/kitti/image_02 --intrinsics 721.5 721.5 609.6 172.9

A bag brings its own camera_info. Other drives need --camera-info, the file that camera_calibration
writes, or the --intrinsics of rectified images."""


def main(args: Sequence[str] | None = None) -> int:
    """Estimate and print the pose."""
    return run_command('calibrate_ground', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of calibrate_ground."""
    parser = make_parser('calibrate_ground', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('input', help='folder of images, video file, bag (ROS 2 or 1), or rendered[:SEED]')
    add('--topic', help='image topic, for a bag with several')
    add('--frames', type=int, metavar='N', help='read at most N frames')
    add('--rate', type=float, metavar='HZ', help='frames per second of a folder without times')
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument('--camera-info', type=Path, metavar='FILE',
                        help='calibration of the camera (YAML)')
    camera.add_argument('--intrinsics', type=float, nargs=4, metavar=('FX', 'FY', 'CX', 'CY'),
                        help='focal lengths and centre of rectified images, in pixels')
    add('--rectified', action='store_true',
        help='the images are rectified: use P of the calibration, not K and the distortion')
    add('--pose', type=float, nargs=6, metavar=('X', 'Y', 'Z', 'ROLL', 'PITCH', 'YAW'),
        default=(0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
        help='what is known of the pose in base_frame, in metres and rad')
    add('--camera', default='camera', metavar='NAME', help='the camera\'s name on the node')
    add('--checkpoint', help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--truth', action='store_true',
        help='use the drive\'s own labels, where it has some, not the network')
    return parser


if __name__ == '__main__':
    sys.exit(main())
