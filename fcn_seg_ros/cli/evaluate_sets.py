# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The part of ``evaluate`` that compares several networks on several sets."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.tables import RowPrinter, print_tables
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.registry import DatasetSpec, open_dataset, parse_spec
from fcn_seg_ros.datasets.verify import verify_labels
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import Evaluation, score_all
from fcn_seg_ros.evaluation.networks import Contestant
from fcn_seg_ros.evaluation.report import Table
from fcn_seg_ros.evaluation.robustness import Robustness, compare
from fcn_seg_ros.evaluation.robustness_table import NOTE, mean_table, robustness_table
from fcn_seg_ros.evaluation.set_table import (
    COLUMNS,
    NOTES,
    TITLE,
    road_user_rows,
    road_user_table,
    row,
)
from fcn_seg_ros.evaluation.variants import Variant


@dataclass(frozen=True)
class OpenSet:
    """A dataset, the spec it was opened from, and which of its images are scored."""

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

    Remarks on how its files were understood go to stderr. Raises InputError, also if road and not
    road are not both labelled.
    """
    if every < 1 or limit < 0:
        raise InputError('--every and --limit: expected at least 1, and 0 (all) or more, found '
                         f'{every} and {limit}')
    spec = parse_spec(data, scoring=True)
    if split is not None:
        spec = dataclasses.replace(spec, split=split)
    dataset = open_dataset(spec)
    indices = list(range(0, len(dataset), every))
    if limit and len(indices) > limit:
        chosen = np.linspace(0, len(indices) - 1, limit).round().astype(int)
        indices = [indices[position] for position in chosen]
    verify_labels(dataset, str(spec), indices)
    for remark in dataset.remarks:
        print(f'{spec}: {remark}', file=sys.stderr)
    return OpenSet(spec, dataset, indices)


def score_sets(sets: Sequence[OpenSet], networks: Sequence[Contestant], show: bool
               ) -> tuple[list[list[Evaluation]], list[Table]]:
    """
    Score all networks on all sets and return the results by set and network, and as tables.

    With ``show``, a row for each pair is printed as soon as it is ready.
    """
    titles = titles_of(networks)
    printer = _printer([part.title for part in sets], titles) if show else lambda words: None
    found: list[list[Evaluation]] = []
    rows: list[tuple[str, ...]] = []
    users: list[tuple[str, ...]] = []
    for part in sets:
        with progress_bar(part.title, len(part.indices)) as done:
            found.append(score_all([network.predictor for network in networks], part.dataset,
                                   part.dataset.geometry, done, part.indices))
        for title, result in zip(titles, found[-1], strict=True):
            rows.append(row(part.title, title, result))
            printer(rows[-1])
            users += road_user_rows(part.title, title, result)
    tables = [road_user_table(users)] if users else []
    if show:
        print_tables([], NOTES)
        print_tables(tables)
    return found, [Table(TITLE, COLUMNS, rows, NOTES), *tables]


def compare_sets(sets: Sequence[OpenSet], networks: Sequence[Contestant],
                 variants: Sequence[Variant], show: bool
                 ) -> tuple[list[list[Robustness]], list[Table]]:
    """Measure what each network loses on each set by variants, as ``score_sets`` does."""
    titles, found, tables = titles_of(networks), [], []
    for part in sets:
        with progress_bar(f'{part.title}, variants', (len(variants) + 1) * len(part.indices)
                          ) as done:
            found.append(compare([network.predictor for network in networks], part.dataset,
                                 variants, part.indices, done))
        tables.append(robustness_table(part.title, titles, found[-1]))
        if show:
            print_tables(tables[-1:])
    if len(sets) > 1:
        tables.append(mean_table(titles, list(zip(*found, strict=True))))
        if show:
            print_tables(tables[-1:])
    if show:
        print_tables([], [NOTE])
    tables[-1] = dataclasses.replace(tables[-1], notes=(NOTE,))
    return found, tables


def titles_of(networks: Sequence[Contestant]) -> list[str]:
    """Return the networks' titles, or their files if two share a title."""
    titles = [network.title for network in networks]
    return [title if titles.count(title) == 1 else str(network.facts.get('checkpoint', title))
            for title, network in zip(titles, networks, strict=True)]


def _printer(sets: list[str], titles: list[str]) -> RowPrinter:
    widest = ['100.00']
    return RowPrinter(TITLE, COLUMNS, [sets, titles, [], widest, ['88.8-100.0'],
                                       *[widest] * (len(COLUMNS) - 5)])
