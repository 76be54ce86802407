# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
What it takes to segment what a fleet records, from the figures in docs/results.

    python benchmarks/fleet.py
    python benchmarks/fleet.py --vehicles 50 --hours 8 --cameras 1 --hz 5

Prints the tables of docs/explanation/fleet.md, for this or for another fleet.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).resolve().parent.parent / 'docs' / 'results'
DAY_S = 86400
# Machines fail, and drives come late.
USED = 0.7


@dataclass(frozen=True)
class Fleet:
    """Vehicles that drive so many hours a day, with cameras of a rate in Hz."""

    vehicles: int = 1000
    hours: float = 2.0
    cameras: int = 3
    hz: float = 10.0

    @property
    def images(self) -> float:
        """Return the images of a day."""
        return self.vehicles * self.hours * 3600 * self.cameras * self.hz


def figure(page: str, pattern: str) -> float:
    """Return a figure of a page of results: the only group of the only match of a pattern."""
    found = re.findall(pattern, (RESULTS / page).read_text())
    assert len(found) == 1, (page, pattern, found)
    return float(found[0].replace(',', ''))


def cluster_share() -> float:
    """Return what a run on a cluster reaches of the bare network's rate, as measured on CPUs."""
    offline = figure('recordings.md', r'nothing else running \| \*\*([\d.]+) %') / 100
    return offline * figure('recordings.md', r'\| Ray, the two halves \|.*\| ([\d.]+) \| [\d.]+ \|')


def rates() -> dict[str, tuple[float, int]]:
    """Return masks a second of one network, and the CPU cores it takes (0: a GPU)."""
    fp16 = r'\*\*cuda_graph\*\* \(`auto`\) .*'
    call_ms = figure('performance.md', r'\| 1242x375 \| ([\d.]+), [\d.]+ x \|')
    return {
        'two CPU cores, `open`': (1000 / call_ms, 2),
        'H200, one by one': (figure('performance.md', fp16 + r'\| (\d+) \| \d+ \| 0'), 0),
        'H200, `--batch 4`': (figure('performance.md', fp16 + r'\| \d+ \| (\d+) \| 0'), 0)}


def sizes() -> dict[str, float]:
    """Return kilobytes of a frame of 1242x375 by what is stored."""
    return {name: figure('recordings.md', rf'\| {name} \| ([\d.]+) \(')
            for name in ('image, raw', 'image, JPEG 90', 'mask, raw', 'mask, PNG',
                         'probability, PNG')}


def table(columns: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return '\n'.join(f'| {" | ".join(line)} |'
                     for line in (columns, ['---'] * len(columns), *rows))


def machines(fleet: Fleet) -> Iterator[Sequence[str]]:
    """Yield what computes a day's images within a day."""
    for name, (rate, cores) in rates().items():
        reached = rate * cluster_share()
        networks = fleet.images / DAY_S / (reached * USED)
        number = int(-(-networks // 1))
        need = f'{number * cores} cores' if cores else f'{number} GPUs'
        yield (name, f'{rate:.0f}', f'{reached:.0f}', f'{fleet.images / reached / 3600:,.0f}',
               f'{networks:.1f}', need)


def storage(fleet: Fleet) -> Iterator[Sequence[str]]:
    """Yield what a day's frames take."""
    for name, kilobytes in sizes().items():
        day = fleet.images * kilobytes * 1e3
        yield (name, f'{kilobytes:,.1f}', f'{day / 1e12:,.1f}', f'{365 * day / 1e15:,.2f}',
               f'{day / DAY_S / 1e6:,.0f}')


def tables(fleet: Fleet) -> str:
    """Return both tables, with the images of a day before them."""
    return '\n\n'.join((
        f'{fleet.vehicles:,} vehicles x {fleet.hours:g} h x {fleet.cameras} cameras x '
        f'{fleet.hz:g} Hz are **{fleet.images:,.0f} images a day**, {fleet.images / DAY_S:,.0f} '
        'a second if the work is spread over the day.',
        table(('one network', 'masks/s, bare', 'masks/s, counted on', 'hours for a day\'s images',
               'networks', 'to have'), machines(fleet)),
        table(('of each frame', 'kB', 'TB a day', 'PB a year', 'MB/s'), storage(fleet))))


def main() -> None:
    """Print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Fleet()
    add = parser.add_argument
    add('--vehicles', type=int, default=default.vehicles)
    add('--hours', type=float, default=default.hours, help='of driving a day')
    add('--cameras', type=int, default=default.cameras)
    add('--hz', type=float, default=default.hz)
    print(tables(Fleet(**vars(parser.parse_args()))))


if __name__ == '__main__':
    main()
