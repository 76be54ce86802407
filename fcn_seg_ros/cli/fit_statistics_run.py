# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``fit_statistics``."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.evaluation.statistics import fit_statistics


def run(options: argparse.Namespace) -> None:
    """Fit the statistics, store them in the checkpoint and print them."""
    datasets = [open_dataset(parse_spec(text)) for text in options.datasets]
    total = sum(min(len(part), options.images) for part in datasets)
    with progress_bar('images', total) as done:
        ranges = fit_statistics(options.checkpoint, datasets, options.images, done)
    table = Table('figure', 'low', 'middle', 'high')
    for name, ends in ranges.items():
        table.add_row(name, *(f'{end:.3f}' for end in ends))
    Console().print(table)
