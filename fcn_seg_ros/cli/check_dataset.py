# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``check_dataset``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.leaks import Source, alike, find_leaks
from fcn_seg_ros.datasets.registry import DatasetSpec, open_dataset, open_datasets, parse_spec
from fcn_seg_ros.datasets.survey import KINDS_OF_PROBLEMS, Problem, Survey, survey
from fcn_seg_ros.errors import InputError

DESCRIPTION = """\
Look for faults in datasets before they cost a training run.

Every image is decoded. Listed are files that cannot be read, pairs of different size, images
without road, the same image twice, and validation images of which the same, a look-alike or a
neighbouring frame is trained on; and how many pixels are road, not road and unlabelled. The exit
status is 0 where nothing is wrong, 1 where something is, 2 where a dataset cannot be opened.

A dataset is KIND:PATH?option=value&option=value:
  kitti:PATH?split=train.txt     KITTI Road in its official layout (a plain PATH is the same)
  camvid:PATH?split=train        CamVid, folders train and trainannot (val, test)
  folder:PATH?split=names.txt    images/ and masks/ (PNG of the same stem: 0 not road, 1 road,
                                 255 unlabelled; with road=255 they are 0 and 255 = road)
  rendered?drives=30&frames=2    drives that the project renders (first_seed=0); with world=all
                                 other roads, weathers and cameras (see train --help)
Each takes weight=W: how often an epoch sees its images (0.5: every second, 2: all twice)."""

EPILOG = """\
examples:
  check_dataset --train 'kitti:data/kitti_road?split=train.txt' \\
                --val 'kitti:data/kitti_road?split=val.txt'
  check_dataset --train data/kitti_road 'camvid:data/camvid?split=train&weight=0.5' --json
  check_dataset --train data/kitti_road --speed"""

_LINES = 10


def main(args: Sequence[str] | None = None) -> int:
    """Check datasets, or measure how fast they load."""
    return run_main('check_dataset', args, lambda given: _check(_parser().parse_args(given)))


def _parser() -> argparse.ArgumentParser:
    parser = make_parser('check_dataset', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('--train', metavar='DATASET', nargs='+', default=[], help='datasets to train on')
    add('--val', metavar='DATASET', nargs='+', default=[], help='datasets to score on')
    add('--gap', type=int, metavar='N',
        help='frame numbers up to N apart are neighbours (default: the usual step of the '
             'sequence)')
    add('--json', action='store_true', help='print JSON, with every problem, instead of a table')
    add('--speed', action='store_true',
        help='instead: images a second that the training loader delivers')
    add('--config', type=Path, help='training configuration whose loader --speed measures')
    return parser


@dataclass
class _Checked:
    """A dataset, the side it is on and what was found."""

    side: str
    spec: DatasetSpec
    found: Survey

    def sources(self) -> list[Source]:
        root = str(Path(self.spec.root).resolve()) if self.spec.root else ''
        return [Source(self.spec.kind, root, picture) for picture in self.found.pictures]

    def as_dict(self) -> dict[str, Any]:
        other, road, unlabelled = self.found.shares()
        return {'side': self.side, 'dataset': str(self.spec), 'images': len(self.found.pictures),
                'counts': {kind: self.found.count(kind) for kind in KINDS_OF_PROBLEMS},
                'problems': [vars(problem) for problem in self.found.problems],
                'near_duplicates': self.found.near,
                'pixels': {'road': road, 'not_road': other, 'unlabelled': unlabelled}}


def _check(options: argparse.Namespace) -> int:
    sides = {side: [parse_spec(text) for text in getattr(options, side)]
             for side in ('train', 'val')}
    if not any(sides.values()):
        raise InputError('expected --train or --val with a dataset, found neither '
                         '(see check_dataset --help)')
    if options.speed:
        _speed(sides['train'], options.config)
        return 0
    opened = [(side, spec, open_dataset(spec, strict=False))
              for side, specs in sides.items() for spec in specs]
    checked = _survey(opened)
    remarks = _across(checked, options.gap)
    if options.json:
        print(json.dumps({'datasets': [item.as_dict() for item in checked], 'remarks': remarks},
                         indent=1))
    else:
        _print(checked, remarks)
    return int(any(item.found.problems for item in checked))


def _survey(opened: list[tuple[str, DatasetSpec, RoadDataset]]) -> list[_Checked]:
    console = Console(stderr=True)
    checked = []
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        for side, spec, dataset in opened:
            task = progress.add_task(str(spec), total=len(dataset))
            found = survey(dataset, lambda task=task: progress.advance(task))  # type: ignore[misc]
            checked.append(_Checked(side, spec, found))
    return checked


def _across(checked: list[_Checked], gap: int | None) -> list[str]:
    """Add what only shows between datasets: duplicates on one side, leaks between both."""
    for number, item in enumerate(checked):
        for mate in checked[:number]:
            if mate.side == item.side:
                item.found.problems += [
                    Problem('duplicate', f'{text} in {mate.spec}')
                    for text in alike(item.found.pictures, mate.found.pictures).values()]
    train = [source for item in checked if item.side == 'train' for source in item.sources()]
    remarks: list[str] = []
    for item in checked:
        if item.side == 'val':
            leaks, more = find_leaks(train, item.sources(), gap)
            item.found.problems += leaks
            remarks += more
    return remarks


def _print(checked: list[_Checked], remarks: list[str]) -> None:
    console = Console()
    console.print(_table(checked))
    lines = list(remarks)
    for item in checked:
        if item.found.near:
            one, other_name = item.found.near[0]
            lines.append(f'{item.spec}: {len(item.found.near)} pairs look alike, such as {one} '
                         f'and {other_name}')
        for kind in KINDS_OF_PROBLEMS:
            texts = [problem.text for problem in item.found.problems if problem.kind == kind]
            lines += [f'{kind}: {text}' for text in texts[:_LINES]]
            if len(texts) > _LINES:
                lines.append(f'{kind}: {len(texts) - _LINES} more in {item.spec} (--json)')
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(checked: list[_Checked]) -> Table:
    """Return a table with a column for each dataset."""
    rows = {'images': [str(len(item.found.pictures)) for item in checked]}
    for kind in KINDS_OF_PROBLEMS:
        rows[kind] = [str(item.found.count(kind)) for item in checked]
    for number, name in enumerate(('not road, % of pixels', 'road', 'unlabelled')):
        rows[name] = [f'{100 * item.found.shares()[number]:.1f}' for item in checked]
    table = Table()
    table.add_column('')
    for item in checked:
        part = item.spec.split or Path(item.spec.root).name
        table.add_column(f'{item.side}\n{item.spec.kind}\n{part}', justify='right',
                         overflow='fold')
    for name, values in rows.items():
        table.add_row(name, *values)
    return table


def _speed(specs: list[DatasetSpec], config_file: Path | None) -> None:
    """Print how many images a second the training loader delivers, epoch by epoch."""
    from fcn_seg_ros.training.config import TrainingConfig, read_config
    from fcn_seg_ros.training.data import RoadDataModule
    if not specs:
        raise InputError('--speed: expected --train with a dataset, found none')
    config = read_config(config_file) if config_file else TrainingConfig()
    loader = RoadDataModule(open_datasets(specs), None, config).train_dataloader()
    height, width = config.augmentation.crop
    print(f'{config.workers} workers, batches of {config.batch_size}, crops of {width}x{height}')
    for epoch in range(3):
        # Lightning does this for the loader in a run.
        loader.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
        start, images = time.perf_counter(), 0
        for batch, _ in loader:
            images += len(batch)
        seconds = time.perf_counter() - start
        print(f'epoch {epoch + 1}: {images / seconds:.1f} images/s ({images} in {seconds:.1f} s)'
              + (', with decoding' if epoch == 0 else ''), flush=True)


if __name__ == '__main__':
    sys.exit(main())
