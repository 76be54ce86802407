# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``check_dataset``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.datasets.options import datasets_help

DESCRIPTION = """\
Find faults in datasets before they cost a training run.

Decodes every image and lists: files that cannot be read, pairs of different size, images without
road, duplicates, and validation images that are also trained on (the same image, a look-alike, or a
neighbouring frame). Counts the pixels that are road, not road and unlabelled. Exit status: 0 if
nothing is wrong, 1 if something is, 2 if a dataset cannot be opened.

--picture shows what was understood: images beside their labels. Look at it before you train."""

EPILOG = """\
examples:
  check_dataset --train 'kitti:data/kitti_road?split=train' \\
                --val 'kitti:data/kitti_road?split=val'
  check_dataset --train data/kitti_road 'camvid:data/camvid?split=train&weight=0.5' --json
  check_dataset --train 'folder:mine?road=255' --picture understood.png
  check_dataset --train data/kitti_road --speed"""


def main(args: Sequence[str] | None = None) -> int:
    """Check datasets, or measure how fast they load."""
    return run_command('check_dataset', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of check_dataset."""
    parser = make_parser('check_dataset', DESCRIPTION, f'{EPILOG}\n\n{datasets_help()}')
    add = parser.add_argument
    add('--train', metavar='DATASET', nargs='+', default=[], help='datasets to train on')
    add('--val', metavar='DATASET', nargs='+', default=[], help='datasets to score on')
    add('--gap', type=int, metavar='N',
        help='frames up to N numbers apart count as neighbours (default: the usual step of the '
             'sequence)')
    add('--picture', type=Path, metavar='FILE',
        help='write a PNG or JPEG of some images of each dataset beside their labels')
    add('--json', action='store_true', help='print all problems as JSON instead of a table')
    add('--speed', action='store_true',
        help='measure the images per second of the training loader instead')
    add('--config', type=Path, help='training configuration for --speed')
    return parser


if __name__ == '__main__':
    sys.exit(main())
