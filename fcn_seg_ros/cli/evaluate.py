# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``evaluate``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED, RenderedRoad
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import Evaluation, evaluate
from fcn_seg_ros.inference.backends import PRECISIONS
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import default_checkpoint

DESCRIPTION = """\
Score a checkpoint on KITTI Road as the benchmark does, in perspective view.

DATA is a folder in KITTI Road's layout, or `rendered`: frames of drives that the project renders
itself with seeds never trained on (a regression test, no claim about real roads). The images go
through the same segmenter as in the node. MaxF is the best F1 over 256 thresholds, counts summed
over all images; the interval is a bootstrap over images."""

EPILOG = """\
examples:
  evaluate ~/kitti_road --split val.txt
  evaluate rendered
  evaluate ~/kitti_road --split val.txt --checkpoint runs/first/checkpoint.safetensors --json"""


_HELD_OUT_DRIVES, _FRAMES = 20, 4


def main(args: Sequence[str] | None = None) -> int:
    """Print the scores of a checkpoint."""
    return run_main('evaluate', args, lambda given: _evaluate(_parser().parse_args(given)))


def _parser() -> argparse.ArgumentParser:
    parser = make_parser('evaluate', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('data', metavar='DATA', help='KITTI Road folder, or rendered')
    add('--split', default=None, help='file with the names to score on, e.g. val.txt in DATA')
    add('--checkpoint', type=Path, help='checkpoint file (default: the packaged one)')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--precision', default='auto', choices=PRECISIONS, help='arithmetic of the network')
    add('--network-height', type=int, default=0, help='rows of its input, 0: the checkpoint\'s')
    add('--json', action='store_true', help='print JSON instead of a table')
    return parser


def _evaluate(options: argparse.Namespace) -> None:
    dataset = _open(options.data, options.split)
    checkpoint = options.checkpoint or default_checkpoint()
    segmenter = RoadSegmenter(checkpoint, options.device, options.precision,
                              options.network_height)
    result = evaluate(segmenter, dataset)
    if options.json:
        backend = segmenter.backend
        setting = {'checkpoint': str(checkpoint), 'dataset': options.data, 'split': options.split,
                   'network_height': segmenter.network_height, 'backend': backend.name,
                   'device': backend.device, 'precision': backend.precision}
        print(json.dumps(setting | result.as_dict(), indent=1))
    else:
        _print_table(result)


def _open(data: str, split: str | None) -> RoadDataset:
    if data != 'rendered':
        return KittiRoad(data, split)
    if split is not None:
        raise InputError(f'--split: expected a KITTI Road folder with it, found {data}')
    return RenderedRoad(_HELD_OUT_DRIVES, _FRAMES, FIRST_HELD_OUT_SEED)


def _print_table(result: Evaluation) -> None:
    table = Table(title='perspective view, percent')
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
