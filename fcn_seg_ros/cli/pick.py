# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``pick``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT

DESCRIPTION = """\
Pick the frames of recordings that are most worth labelling.

Two networks score every frame: how unsure the first is around the road's edge, and where both
disagree. Of frames that score high, those are taken that look least alike and are not of the same
moment. DIR is a dataset for train (folder:DIR): images/, and masks/ drafted by the first network,
to be corrected. Beside them: frames.csv (scores and reasons), sheet_1.jpg (look at it), and the
drafts for CVAT (cvat.zip) and Label Studio (label_studio.json, label_studio.xml).

The recordings are read twice; memory is a kilobyte for each frame. Frames that cannot be read are
named and left out. The same recordings and options give the same files."""

EPILOG = """\
examples:
  pick street.mp4 --frames 40 --every 10 --out street
  pick monday tuesday --topics /front/image_raw --frames 100 --apart 5 --out labels
  pick photos --rate 1 --frames 40 --checkpoint runs/street/checkpoint.safetensors \\
      --second open --out more"""


def main(args: Sequence[str] | None = None) -> int:
    """Pick frames."""
    return run_command('pick', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of pick."""
    parser = make_parser('pick', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('inputs', metavar='INPUT', nargs='+',
        help='folder of images, video file, bag (ROS 2 or 1), or rendered[:SEED]')
    add('--frames', type=int, required=True, metavar='N', help='how many to pick')
    add('--out', type=Path, required=True, metavar='DIR', help='new folder for the dataset')
    add('--every', type=int, default=1, metavar='N',
        help='look at every Nth frame of each camera only')
    add('--apart', type=float, default=1.0, metavar='S',
        help='least seconds between picked frames of a camera; less if there is no other choice')
    add('--topics', default='', metavar='TOPICS',
        help='image topics of bags, with commas, or all; not needed if there is only one')
    add('--rate', type=float, metavar='HZ', help='frames per second of a folder without times')
    add('--checkpoint', default=DEFAULT_CHECKPOINT,
        help=f'network of the drafts: {CHECKPOINT_WORDS}')
    add('--second', default='general', metavar='CHECKPOINT',
        help='network to disagree with; none: score by one network, in half the time')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    return parser


if __name__ == '__main__':
    sys.exit(main())
