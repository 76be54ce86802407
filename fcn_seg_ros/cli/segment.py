# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``segment``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.inference.backends import PRECISIONS, backend_names
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT

DESCRIPTION = """\
Segment images, folders of images, a video or a camera; or, with --output, recordings.

For each image NAME.jpg a file NAME.png of the same size is written to each requested folder: the
road probability (8-bit grey, round(255 P(road))), the mask (8-bit grey, class ids: 0 not road,
1 road), the image with the road tinted, or the image itself. Frames are called VIDEO_000123.png and
camera0_000123.png. --overlay FILE.mp4 writes a video instead. Files are never partial.

Files that cannot be read or are absurd (a picture of 20000x3) are named, left out and counted at
the end: the exit status is then 1. Ctrl-C, which ends a camera, leaves whole files; status 130.

--output DIR writes a recording (a bag, a video, a folder of images) to a new folder: a rosbag2 bag
of what the node would publish, with the stamps of the images, and tables of frames and losses.
Every image gets a mask or a line in errors.jsonl. The folder appears when it is complete; after an
interruption the same command resumes. Of several recordings each gets a folder in DIR."""

EPILOG = """\
examples:
  segment photo.jpg --overlay out
  segment ~/kitti_road/training/image_2 --probability out
  segment photos --mask masks --overlay overlays --checkpoint runs/first/checkpoint.safetensors
  segment street.mp4 --overlay street_road.mp4
  segment street.mp4 --every 30 --image street/images --mask street/masks
  segment /dev/video0 --overlay camera.mp4 --frames 300 --backend onnxruntime
  segment drive --output masks
  segment drive.mcap --output masks --originals --write mask,probability,camera_info
  segment drive --topics /front/image_raw --output masks --every 3 --png mask --video
  segment monday tuesday --output runs --bag sqlite3 --humble
  segment monday tuesday --output runs --ray auto --threads 4

--image and --mask lay out a folder for train (folder:street), with masks to be corrected."""

OUTPUTS = {'probability': 'road probability', 'mask': 'mask',
           'overlay': 'image with the road tinted', 'image': 'image itself'}
VIDEO = '.mp4'


def main(args: Sequence[str] | None = None) -> int:
    """Segment images."""
    return run_command('segment', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of segment."""
    parser = make_parser('segment', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('inputs', metavar='INPUT', nargs='+', help='image files and folders of them (PNG, JPEG, '
        'TIFF, BMP or WebP, turned as their EXIF orientation says); or one video, rendered[:SEED] '
        'or camera (its number, /dev/videoN, or a pipe of MJPEG)')
    for name, what in OUTPUTS.items():
        video = f', or {VIDEO} file' if name == 'overlay' else ''
        add(f'--{name}', type=Path, metavar='OUT', help=f'folder for the {what}{video}')
    parser.set_defaults(of_recordings=_add_recordings(parser))
    add('--every', type=int, default=1, metavar='N', help='take every Nth image')
    add('--frames', type=int, default=0, metavar='N', help='take at most N images; 0: all')
    add('--checkpoint', help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    add('--threshold', type=float, default=-1.0,
        help='threshold of mask and overlay on P(road); -1: the checkpoint\'s')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--backend', default='auto', choices=('auto', *backend_names()), metavar='NAME',
        help=f'what runs the network: auto, {", ".join(backend_names())}')
    add('--precision', default='auto', choices=PRECISIONS, help='arithmetic of the network; int8 '
        'needs CHECKPOINT_int8.xml next to the checkpoint, which the packaged ones have')
    add('--threads', type=int, default=0, metavar='N',
        help='threads of the network on a CPU; 0: the backend decides')
    add('--network-height', type=int, default=0,
        help='rows of the network\'s input; 0: the checkpoint\'s')
    return parser


def _add_recordings(parser: argparse.ArgumentParser) -> dict[str, tuple[str, object]]:
    """Add --output and what goes with it; return name and default of these, by destination."""
    group = parser.add_argument_group('recordings')
    add = group.add_argument
    add('--output', type=Path, metavar='DIR', help='new folder for the results of a recording')
    add('--topics', metavar='TOPICS',
        help='image topics of a bag, with commas, or all; not needed if there is only one')
    add('--start', type=float, default=0.0, metavar='S', help='seconds to leave out first')
    add('--end', type=float, default=0.0, metavar='S',
        help='seconds, from the first image, at which to end; 0: at the last image')
    add('--write', default='mask,camera_info', metavar='NAMES', help='outputs in the bag, with '
        'commas, by their names below CAMERA/road (see the reference of topics)')
    add('--originals', action='store_true', help='write the recorded messages as well')
    add('--bag', default='mcap', choices=('mcap', 'sqlite3'), help='storage of the bag')
    add('--humble', action='store_true', help='write metadata.yaml as Humble reads it')
    add('--no-bag', action='store_true', help='write no bag')
    add('--png', metavar='NAMES',
        help='outputs to write as PNG files: mask, probability, confidence, overlay, mask_colour')
    add('--video', action='store_true', help=f'write the overlay as a video, overlay{VIDEO}')
    add('--unknown-below', type=float, default=0.0, metavar='P',
        help='class 255 where the likeliest class is less likely')
    add('--pose', type=float, nargs=6, metavar=('X', 'Y', 'Z', 'ROLL', 'PITCH', 'YAW'),
        help='the camera in the base frame (m, rad), for outputs in metres')
    add('--base-frame', default='base_link', help='frame of outputs in metres')
    add('--jpeg-quality', type=int, default=80, help='quality of compressed pictures, 1 to 100')
    add('--batch', type=int, default=0, metavar='N', help='images in a pass of the network; 0: '
        'eight on a GPU, one on a CPU')
    add('--ray', metavar='ADDRESS', help='spread the work over a Ray cluster whose machines share '
        'the folders: its address, auto, or local for the cores of this machine; one network per '
        'GPU, or per --threads cores')
    add('--part-frames', type=int, default=250, metavar='N',
        help='images in a part, which is what an interruption costs at most')
    return {action.dest: (action.option_strings[0], action.default)
            for action in group._group_actions if action.dest != 'output'}


if __name__ == '__main__':
    sys.exit(main())
