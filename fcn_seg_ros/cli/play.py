# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``play``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fcn_seg_ros.cli.common import make_parser, run_main

DESCRIPTION = """\
Publish a drive over ROS 2, as a camera driver would:

  <cam>/image_raw     sensor_msgs/Image, in the drive's own encoding
  <cam>/camera_info   sensor_msgs/CameraInfo (all zeros if not calibrated)
  <cam>/road/truth    sensor_msgs/Image mono8, 1 road, 0 not road, if the drive knows it

The three share one header; intervals are as recorded. Damaged messages are skipped and reported on
stderr. Publishers are reliable and use this package's Fast DDS profile (config/fastdds.xml), so
that images above 0.5 MB also reach best-effort subscribers; set FASTDDS_DEFAULT_PROFILES_FILE to
use your own."""

EPILOG = """\
examples:
  play rendered
  play rendered:7 --frames 300
  play ~/kitti/image_02 --rate 10
  play highway.mp4 --loop
  play night.bag --speed 4
  play my_bag --topic /front/image_raw --cam front --stamps recorded

`rendered:7` is the built-in rendered drive with seed 7; folders may have the layouts of KITTI raw
and KITTI Road; bags are those of ROS 2 (sqlite3, mcap) and ROS 1.

With --stamps wall each image is stamped when it is published, as by a live camera. With --stamps
recorded it keeps its stamp. Then --loop makes stamps jump back at each repetition, like
`ros2 bag play --loop`, and nodes that compare stamps with the clock need use_sim_time and a /clock
from another program.

At the end one line gives the frames published, the rate, the frames that were late by more than
half a period, and the messages lost in the recording. Late frames mean that decoding is too slow
for the rate: try --preload or a lower --rate. Ctrl-C or SIGTERM ends it at once (exit status 130 or
143; 0 with --loop, which ends no other way)."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command ``play``; without ``args`` the command line is sys.argv."""
    return run_main('play', args, _play)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of play."""
    parser = make_parser('play', DESCRIPTION, EPILOG)
    parser.add_argument(
        'input', help='folder of images, video file, bag (ROS 2 or 1), or rendered[:SEED]')
    parser.add_argument('--cam', default='camera', help='namespace of the topics')
    parser.add_argument('--rate', type=float, metavar='HZ',
                        help='frames per second, evenly spaced (default: intervals as recorded)')
    parser.add_argument('--speed', type=float, metavar='FACTOR', default=1.0,
                        help='speed relative to the recording')
    parser.add_argument('--frames', type=int, metavar='N', help='play at most N frames')
    parser.add_argument('--loop', action='store_true', help='start again at the end')
    parser.add_argument('--stamps', choices=('wall', 'recorded'), default='wall',
                        help='stamp images with the time of publishing, or as recorded')
    parser.add_argument('--topic', help='image topic, for a bag with several')
    parser.add_argument('--preload', action='store_true',
                        help='decode all frames before the start (1.4 MB per KITTI image)')
    parser.add_argument('--wait-for-subscribers', type=int, default=1, metavar='N',
                        help='wait for N subscribers to image_raw; 0: start at once')
    parser.add_argument('--wait-for-info-subscribers', type=int, default=0, metavar='N',
                        help='the same for subscribers to camera_info')
    parser.add_argument('--wait-for-listener', default='', metavar='NODE',
                        help='wait until this node listens to camera_info')
    parser.add_argument('--wait-timeout', type=float, default=30.0, metavar='S',
                        help='start anyway after S seconds; inf: wait for ever')
    parser.add_argument('--json', action='store_true', help='print the summary as JSON')
    return parser


def _play(arguments: Sequence[str]) -> int:
    from fcn_seg_ros.cli.ros import without_ros_arguments
    options = build_parser().parse_args(without_ros_arguments('play', arguments))
    from fcn_seg_ros.cli.play_run import run
    return run(options, arguments)


if __name__ == '__main__':
    sys.exit(main())
