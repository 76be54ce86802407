# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``fit_statistics``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command

DESCRIPTION = """\
Add statistics of its training images to a checkpoint.

With them a node recognises images unlike anything its network was trained on (parameter
unfamiliar_above). `train` adds them itself; this command is for older checkpoints, and for those
calibrated again. The weights stay as they are. Datasets are named as for `train`."""

EPILOG = """\
examples:
  fit_statistics runs/first/checkpoint.safetensors 'kitti:data/kitti_road?split=train' \\
                 'camvid:data/camvid?split=train'"""


def main(args: Sequence[str] | None = None) -> int:
    """Fit the statistics and print them."""
    return run_command('fit_statistics', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of fit_statistics."""
    parser = make_parser('fit_statistics', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('checkpoint', type=Path, help='checkpoint file (.safetensors) to change')
    add('datasets', metavar='DATASET', nargs='+', help='a dataset that the network was trained on')
    add('--images', type=int, default=400, metavar='N',
        help='use N images of each dataset')
    return parser


if __name__ == '__main__':
    sys.exit(main())
