# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The part of ``evaluate`` that compares several networks on several sets."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.tables import RowPrinter, print_tables
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.open import DatasetSpec, open_dataset, parse_spec
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import Evaluation, score_all
from fcn_seg_ros.evaluation.geometry import geometry_of
from fcn_seg_ros.evaluation.networks import Contestant
from fcn_seg_ros.evaluation.report import Table, markdown
from fcn_seg_ros.evaluation.set_table import COLUMNS, NOTES, TITLE, road_user_table, row
from fcn_seg_ros.files import make_folder, write_file

_HELD_OUT = {'drives': 20, 'frames': 4, 'first_seed': FIRST_HELD_OUT_SEED}


@dataclass(frozen=True)
class OpenSet:
    """A dataset, what it was opened from, and which of its images are scored."""

    spec: DatasetSpec
    dataset: RoadDataset
    indices: list[int]

    @property
    def title(self) -> str:
        """Return a short name for tables: ``kitti_road val``."""
        name = Path(self.spec.root).name or self.spec.kind
        return f'{name} {Path(self.spec.split).stem}' if self.spec.split else name


def open_set(data: str, split: str | None, every: int = 1, limit: int = 0) -> OpenSet:
    """
    Open a set by its spec: every ``every``-th of its images, at most ``limit`` of them (0: all).

    Raises InputError.
    """
    if every < 1 or limit < 0:
        raise InputError('--every, --limit: expected at least 1, and 0 (all) or more, found '
                         f'{every} and {limit}')
    spec = parse_spec(data)
    if spec.kind == 'rendered':
        if split is not None:
            raise InputError(f'--split: expected a KITTI Road folder with it, found {data}')
        spec = DatasetSpec('rendered', options=_HELD_OUT | dict(spec.options))
    elif split is not None:
        spec = dataclasses.replace(spec, split=split)
    dataset = open_dataset(spec)
    indices = list(range(0, len(dataset), every))
    if limit and len(indices) > limit:
        chosen = np.linspace(0, len(indices) - 1, limit).round().astype(int)
        indices = [indices[position] for position in chosen]
    return OpenSet(spec, dataset, indices)


def evaluate_sets(sets: Sequence[OpenSet], networks: Sequence[Contestant], as_json: bool,
                  report: Path | None) -> None:
    """Score all networks on all sets and print a row for each of both, or JSON at the end."""
    titles = _titles(networks)
    rows, users, found = [], [], []
    show = None if as_json else _printer([part.title for part in sets], titles)
    for part in sets:
        with progress_bar(part.title, len(part.indices)) as done:
            results = score_all([network.predictor for network in networks], part.dataset,
                                geometry_of(part.dataset), done, part.indices)
        for network, title, result in zip(networks, titles, results, strict=True):
            rows.append(row(part.title, title, result))
            users.append(road_user_table(part.title, title, result))
            found.append(_as_dict(part, network, title, result))
            if show is not None:
                show(rows[-1])
    tables = [Table(TITLE, COLUMNS, rows, NOTES), *(table for table in users if table)]
    if as_json:
        print(json.dumps({'results': found}, indent=1))
    else:
        print_tables(tables[1:], NOTES)
    if report is not None:
        make_folder(report.parent)
        write_file(report, markdown({}, tables).encode())


def print_rows(set_title: str, title: str, result: Evaluation) -> None:
    """Print the row of one network on one set, and its road users."""
    _printer([set_title], [title])(row(set_title, title, result))
    users = road_user_table(set_title, title, result)
    print_tables([users] if users else [], NOTES)


def _printer(sets: list[str], titles: list[str]) -> RowPrinter:
    return RowPrinter(TITLE, COLUMNS, [sets, titles, [], ['100.00'], ['88.8-100.0'],
                                       *[['100.00']] * (len(COLUMNS) - 5)])


def _titles(networks: Sequence[Contestant]) -> list[str]:
    """Return the networks' titles, or their files where two share one."""
    titles = [network.title for network in networks]
    return [title if titles.count(title) == 1 else str(network.facts.get('checkpoint', title))
            for title, network in zip(titles, networks, strict=True)]


def _as_dict(part: OpenSet, network: Contestant, title: str, result: Evaluation) -> dict[str, Any]:
    return {'set': part.title, 'dataset': str(part.spec), 'network': title,
            **network.facts, **result.as_dict()}
