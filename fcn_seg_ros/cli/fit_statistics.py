# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``fit_statistics``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.evaluation.statistics import IMAGES, fit_statistics

DESCRIPTION = """\
Write into a checkpoint what its training data look like.

By these statistics a node tells a picture that is unlike everything the network was trained on
(parameter unfamiliar_above). `train` does this by itself; here it is for a checkpoint that was
written before, or whose network has been calibrated anew. The weights stay as they are.
Datasets are named as for `train`."""

EPILOG = """\
examples:
  fit_statistics runs/first/checkpoint.safetensors 'kitti:data/kitti_road?split=train.txt' \\
                 'camvid:data/camvid?split=train'"""


def main(args: Sequence[str] | None = None) -> int:
    """Fit the statistics and print them."""
    return run_main('fit_statistics', args, lambda given: _fit(_parser().parse_args(given)))


def _parser() -> argparse.ArgumentParser:
    parser = make_parser('fit_statistics', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('checkpoint', type=Path, help='checkpoint file (.safetensors), which is changed')
    add('datasets', metavar='DATASET', nargs='+', help='what its network was trained on')
    add('--images', type=int, default=IMAGES, metavar='N', help='look at so many of each dataset')
    return parser


def _fit(options: argparse.Namespace) -> None:
    datasets = [open_dataset(parse_spec(text)) for text in options.datasets]
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(
            'images', total=sum(min(len(part), options.images) for part in datasets))
        ranges = fit_statistics(options.checkpoint, datasets, options.images,
                                lambda: progress.advance(task))
    table = Table('figure', 'low', 'middle', 'high')
    for name, ends in ranges.items():
        table.add_row(name, *(f'{end:.3f}' for end in ends))
    Console().print(table)


if __name__ == '__main__':
    sys.exit(main())
