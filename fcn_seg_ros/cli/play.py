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
  <cam>/camera_info   sensor_msgs/CameraInfo (all zeros where the drive has no calibration)
  <cam>/road/truth    sensor_msgs/Image mono8, 1 road / 0 not road, where the drive knows it

all three with one header, as far apart as they were recorded. What is damaged is left out and told
on stderr. It publishes reliably, with the Fast DDS profile of this package (config/fastdds.xml), so
that images above 0.5 MB reach best-effort subscribers as well; set FASTDDS_DEFAULT_PROFILES_FILE to
use your own."""

EPILOG = """\
examples:
  play rendered                        the built-in rendered drive at its own rate
  play rendered:7 --frames 300         another one (seed 7), 300 frames
  play ~/kitti/image_02 --rate 10      a folder of images; KITTI raw and KITTI Road layouts too
  play highway.mp4 --loop              a video, its frames at their own times, again and again
  play night.bag --speed 4             a bag of ROS 1, four times as fast
  play my_bag --topic /front/image_raw --cam front --stamps recorded
                                       one camera of a rosbag2 (sqlite3 or mcap) as it was

stamps: `wall` stamps each image with the time at which it is published, as a live camera does.
`recorded` keeps the drive's stamps; with --loop they jump back at each turn, as those of
`ros2 bag play --loop` do, and nodes that compare them with the clock need use_sim_time and a
/clock from elsewhere.

It ends with one line: frames published, achieved rate, frames that were late by more than half a
period, messages that were lost of the recording. Late frames mean that decoding is too slow for
the rate: try --preload or a lower --rate.
Ctrl-C or SIGTERM ends it at once (status 130 or 143; 0 with --loop, which ends no other way)."""


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
                        help='evenly, so many frames a second (default: as far apart as recorded)')
    parser.add_argument('--speed', type=float, metavar='FACTOR', default=1.0,
                        help='so many times as fast as recorded')
    parser.add_argument('--frames', type=int, metavar='N', help='play at most N frames')
    parser.add_argument('--loop', action='store_true', help='play it again and again')
    parser.add_argument('--stamps', choices=('wall', 'recorded'), default='wall',
                        help='stamp with the time of publishing, or as recorded')
    parser.add_argument('--topic', help='image topic of a bag that has several')
    parser.add_argument('--preload', action='store_true',
                        help='decode everything before the start (1.4 MB a KITTI image)')
    parser.add_argument('--wait-for-subscribers', type=int, default=1, metavar='N',
                        help='wait until N subscribers of image_raw are there; 0 waits for none')
    parser.add_argument('--wait-for-info-subscribers', type=int, default=0, metavar='N',
                        help='the same for camera_info')
    parser.add_argument('--wait-for-listener', default='', metavar='NODE',
                        help='wait until this node listens to camera_info')
    parser.add_argument('--wait-timeout', type=float, default=30.0, metavar='S',
                        help='play anyway after S seconds; inf waits without end')
    parser.add_argument('--json', action='store_true', help='print the summary as JSON')
    return parser


def _play(arguments: Sequence[str]) -> int:
    from fcn_seg_ros.cli.ros import without_ros_arguments
    options = build_parser().parse_args(without_ros_arguments('play', arguments))
    from fcn_seg_ros.cli.play_run import run
    return run(options, arguments)


if __name__ == '__main__':
    sys.exit(main())
