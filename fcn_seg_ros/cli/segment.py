# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``segment``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.inference.backends import PRECISIONS
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT

DESCRIPTION = """\
Segment every image of a folder.

For each image NAME.jpg a file NAME.png of the same size is written to each requested folder: the
road probability (8-bit grey, round(255 P(road))), the mask (8-bit grey, class ids: 0 not road,
1 road), or the image with the road tinted. Files are never partial."""

EPILOG = """\
examples:
  segment ~/kitti_road/training/image_2 --probability out
  segment photos --mask masks --overlay overlays --checkpoint runs/first/checkpoint.safetensors"""

OUTPUTS = {'probability': 'road probability', 'mask': 'mask',
           'overlay': 'image with the road tinted'}


def main(args: Sequence[str] | None = None) -> int:
    """Segment a folder of images."""
    return run_command('segment', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of segment."""
    parser = make_parser('segment', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('folder', metavar='FOLDER', type=Path, help='folder of PNG, JPEG or TIFF images '
        '(turned as their EXIF orientation says)')
    for name, what in OUTPUTS.items():
        add(f'--{name}', type=Path, metavar='OUT', help=f'folder for the {what}')
    add('--checkpoint', help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    add('--threshold', type=float, default=-1.0,
        help='threshold of mask and overlay on P(road); -1: the checkpoint\'s')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--precision', default='auto', choices=PRECISIONS, help='arithmetic of the network; int8 '
        'needs CHECKPOINT_int8.xml next to the checkpoint, which the packaged ones have')
    add('--network-height', type=int, default=0,
        help='rows of the network\'s input; 0: the checkpoint\'s')
    return parser


if __name__ == '__main__':
    sys.exit(main())
