# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``evaluate``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.evaluation.evaluate import Evaluation, evaluate
from fcn_seg_ros.inference.backends import PRECISIONS
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import default_checkpoint

DESCRIPTION = """\
Score a checkpoint on KITTI Road as the benchmark does, in perspective view.

The images go through the same segmenter as in the node. MaxF is the best F1 over 256 thresholds,
counts summed over all images; the interval is a bootstrap over images."""

EPILOG = """\
examples:
  evaluate ~/kitti_road --split val.txt
  evaluate ~/kitti_road --split val.txt --checkpoint runs/first/checkpoint.safetensors --json"""


def main(args: list[str] | None = None) -> int:
    """Print the scores of a checkpoint."""
    parser = make_parser('evaluate', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('data', metavar='DATA', type=Path, help='KITTI Road folder')
    add('--split', default=None, help='file with the names to score on, e.g. val.txt in DATA')
    add('--checkpoint', type=Path, default=default_checkpoint(), help='checkpoint file')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--precision', default='auto', choices=PRECISIONS, help='arithmetic of the network')
    add('--network-height', type=int, default=0, help='rows of its input, 0: the checkpoint\'s')
    add('--json', action='store_true', help='print JSON instead of a table')
    options = parser.parse_args(args)
    return run_main('evaluate', lambda: _evaluate(options))


def _evaluate(options: argparse.Namespace) -> None:
    dataset = KittiRoad(options.data, options.split)
    segmenter = RoadSegmenter(options.checkpoint, options.device, options.precision,
                              options.network_height)
    result = evaluate(segmenter, dataset)
    if options.json:
        backend = segmenter.backend
        setting = {'checkpoint': str(options.checkpoint), 'split': options.split,
                   'network_height': segmenter.network_height, 'backend': backend.name,
                   'device': backend.device, 'precision': backend.precision}
        print(json.dumps(setting | result.as_dict(), indent=1))
    else:
        _print_table(result)


def _print_table(result: Evaluation) -> None:
    table = Table(title='KITTI Road, perspective view, percent')
    for column in ('category', 'images', 'MaxF', 'AP', 'PRE', 'REC', 'FPR', 'FNR', 'IoU'):
        table.add_column(column, justify='left' if column == 'category' else 'right')
    for name, s in result.scores.items():
        values = (s.max_f, s.ap, s.precision, s.recall, s.fpr, s.fnr, s.iou)
        table.add_row(name, str(result.images[name]), *(f'{100 * v:.2f}' for v in values))
    console = Console()
    console.print(table)
    low, high = result.interval
    console.print(f'MaxF of all images: 95 % interval {100 * low:.2f} to {100 * high:.2f}; '
                  f'masks at threshold {result.threshold:.3f}: IoU '
                  f'{100 * result.iou_at_threshold:.2f}', highlight=False)
    worst = ', '.join(f'{name} {100 * f1:.1f}' for name, f1 in result.worst[:5])
    console.print(f'worst images by F1: {worst}', highlight=False)


if __name__ == '__main__':
    sys.exit(main())
