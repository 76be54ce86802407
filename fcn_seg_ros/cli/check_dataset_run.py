# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``check_dataset``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.contact_sheet import contact_sheet
from fcn_seg_ros.datasets.leaks import Source, alike, find_leaks
from fcn_seg_ros.datasets.registry import DatasetSpec, open_dataset, open_datasets, parse_spec
from fcn_seg_ros.datasets.survey import KINDS_OF_PROBLEMS, Problem, Survey, survey
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.images.encode import encode_jpeg, encode_png

_LINES = 10
_QUALITY = 92


@dataclass
class _Checked:
    """A dataset, whether it is for training or validation, and what was found in it."""

    side: str
    spec: DatasetSpec
    found: Survey
    remarks: list[str]

    def sources(self) -> list[Source]:
        root = str(Path(self.spec.root).resolve()) if self.spec.root else ''
        return [Source(self.spec.kind, root, picture) for picture in self.found.pictures]

    def as_dict(self) -> dict[str, Any]:
        other, road, unlabelled = self.found.shares()
        return {'side': self.side, 'dataset': str(self.spec), 'images': len(self.found.pictures),
                'counts': {kind: self.found.count(kind) for kind in KINDS_OF_PROBLEMS},
                'problems': [vars(problem) for problem in self.found.problems],
                'near_duplicates': self.found.near, 'remarks': self.remarks,
                'pixels': {'road': road, 'not_road': other, 'unlabelled': unlabelled}}


def run(options: argparse.Namespace) -> int:
    """Check datasets, or measure how fast they load."""
    sides = {side: [parse_spec(text) for text in getattr(options, side)]
             for side in ('train', 'val')}
    if not any(sides.values()):
        raise InputError('give a dataset by --train or --val (see check_dataset --help)')
    if options.speed:
        _speed(sides['train'], options.config)
        return 0
    opened = [(side, spec, open_dataset(spec, strict=False))
              for side, specs in sides.items() for spec in specs]
    if options.picture:
        _draw(options.picture, opened)
    checked = _survey(opened)
    remarks = _across(checked, options.gap)
    if options.json:
        print(json.dumps({'datasets': [item.as_dict() for item in checked], 'remarks': remarks},
                         indent=1))
    else:
        _print(checked, remarks)
    return int(any(item.found.problems for item in checked))


def _draw(path: Path, opened: list[tuple[str, DatasetSpec, RoadDataset]]) -> None:
    """Write the picture of what was understood; raises InputError if that fails."""
    kind = path.suffix.lower()
    if kind not in ('.png', '.jpg', '.jpeg'):
        raise InputError(f'--picture: expected a file called .png or .jpg, found {path.name}')
    sheet = contact_sheet([f'{side}: {spec}' for side, spec, _ in opened],
                          [dataset for _, _, dataset in opened])
    if sheet is None:
        print('no picture: no sample can be read', file=sys.stderr)
        return
    make_folder(path.parent)
    write_file(path, encode_png(sheet) if kind == '.png' else encode_jpeg(sheet, _QUALITY))
    print(f'wrote {path}', file=sys.stderr)


def _survey(opened: list[tuple[str, DatasetSpec, RoadDataset]]) -> list[_Checked]:
    checked = []
    for side, spec, dataset in opened:
        with progress_bar(str(spec), len(dataset)) as done:
            found = survey(dataset, done)
        # What is wrong with the labels says what they hold.
        understood = '' if found.count('labels') or not found.pictures else (
            dataset.explain_labels())
        checked.append(_Checked(side, spec, found, [*filter(None, [understood]),
                                                    *dataset.remarks]))
    return checked


def _across(checked: list[_Checked], gap: int | None) -> list[str]:
    """Add the problems between datasets: duplicates within a side, leaks between the two sides."""
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
    lines = [f'{item.spec}: {remark}' for item in checked for remark in item.remarks]
    lines += remarks
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
        raise InputError('--speed needs a dataset given by --train')
    config = read_config(config_file) if config_file else TrainingConfig()
    loader = RoadDataModule(open_datasets(specs), None, config).train_dataloader()
    height, width = config.augmentation.crop
    print(f'{config.workers} workers, batches of {config.batch_size}, crops of {width}x{height}')
    for epoch in range(3):
        # Lightning does this for the loader in a run.
        loader.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
        start, images = time.perf_counter(), 0
        for batch in loader:
            images += len(batch.images)
        seconds = time.perf_counter() - start
        print(f'epoch {epoch + 1}: {images / seconds:.1f} images/s ({images} in {seconds:.1f} s)'
              + (', with decoding' if epoch == 0 else ''), flush=True)
