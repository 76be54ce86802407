# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what frames chosen by `pick` are worth, against as many at random.

    python benchmarks/measure_pick.py camvid:data/camvid kitti:data/kitti_road --out pick.jsonl

takes 40 images of a set's train split, chosen by `pick` (``pick``), by `pick --second none`
(``one``), evenly spread (``even``) or at random (``random``, another choice for each seed). Of each
choice it says how right the packaged network ``open`` is on these images before it learns from
them, then fine-tunes it on them and their true labels as in docs/tutorials/own_street.md, and
scores it on the val split; the seed decides the order and the crops of the training. Scores are
road IoU at threshold 0.5, at the images' size. Each is a line of JSON; those that are in ``--out``
already are left out. ``--steps 0`` trains nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import source_tree  # noqa: F401
from measure_finetuning import STARTS, road_iou, trained, write_images

from fcn_seg_ros.cli.pick import main as pick
from fcn_seg_ros.datasets.base import Part, RoadDataset
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.drives.contact_sheet import evenly
from fcn_seg_ros.files import write_file

CHOICES = ('random', 'pick', 'one', 'even')
SEEDS = (0, 1, 2)


def chosen(choice: str, images: RoadDataset, count: int, seed: int) -> list[int]:
    """Return the numbers of the images to train on."""
    if choice == 'random':
        return sorted(random.Random(seed).sample(range(len(images)), count))
    if choice == 'even':
        return evenly(len(images), count)
    with tempfile.TemporaryDirectory() as temporary:
        drive, out = Path(temporary) / 'drive', Path(temporary) / 'out'
        write_images(images, list(range(len(images))), drive)
        # The images of neither set are as close in time as those of a folder are by default.
        words = [str(drive / 'images'), '--rate', '1', '--frames', str(count), '--out', str(out)]
        if status := pick(words + (['--second', 'none'] if choice == 'one' else [])):
            raise SystemExit(status)
        return sorted(int(path.stem[-6:]) for path in (out / 'images').iterdir())


def before(options: argparse.Namespace, spec: str, done: set[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each choice of images: their numbers, and the score of ``open`` on them."""
    name, images = parse_spec(spec).kind, open_dataset(parse_spec(f'{spec}?split=train'))
    if f'{name}/all/before' not in done:
        yield {'run': f'{name}/all/before', 'road_iou': road_iou('open', images)}
    for choice in options.choices:
        for seed in options.seeds if choice == 'random' else [0]:
            run = f'{name}/{choice}/before/{seed}'
            if run not in done:
                numbers = chosen(choice, images, options.images, seed)
                yield {'run': run, 'road_iou': road_iou('open', Part(images, numbers)),
                       'numbers': numbers}


def after(options: argparse.Namespace, spec: str, rows: dict[str, dict[str, Any]]
          ) -> Iterator[dict[str, Any]]:
    """Yield a row for ``open`` as it is on val, then one for each training."""
    name, images = parse_spec(spec).kind, open_dataset(parse_spec(f'{spec}?split=train'))
    validation = open_dataset(parse_spec(f'{spec}?split=val'))
    if f'{name}/open/0' not in rows:
        yield {'run': f'{name}/open/0', 'road_iou': road_iou('open', validation)}
    for choice in options.choices if options.steps else ():
        for seed in options.seeds:
            if f'{name}/{choice}/{seed}' not in rows:
                found = rows[f'{name}/{choice}/before/{seed if choice == "random" else 0}']
                yield {'run': f'{name}/{choice}/{seed}',
                       **trained(STARTS['open'], images, validation, found['numbers'],
                                 options.steps, seed)}


def tables(rows: dict[str, dict[str, Any]]) -> str:
    """Return means and ranges, before and after, as tables in Markdown with a row for each set."""
    found: dict[str, dict[str, list[float]]] = {}
    for run, row in rows.items():
        name, choice, *rest = run.split('/')
        part = 'before' if rest[0] == 'before' else 'after'
        found.setdefault(f'{part} {name}', {}).setdefault(choice, []).append(row['road_iou'])
    lines = []
    for part, first in (('before', 'all'), ('after', 'open')):
        columns = (first, *CHOICES)
        lines += ['', f'| {part} | {" | ".join(columns)} |', '|---' * (1 + len(columns)) + '|']
        lines += [f'| {name.split()[1]} | ' + ' | '.join(
            cell(scores.get(column, [])) for column in columns) + ' |'
            for name, scores in sorted(found.items()) if name.startswith(part)]
    return '\n'.join(lines)


def cell(scores: list[float]) -> str:
    """Return mean and range of scores."""
    if len(scores) < 2:
        return f'{scores[0]:.2f}' if scores else '-'
    return f'{statistics.mean(scores):.2f} ({min(scores):.2f} to {max(scores):.2f})'


def main() -> None:
    """Measure what is missing in the file, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('sets', nargs='+', help='datasets with the splits train and val')
    parser.add_argument('--out', type=Path, required=True, help='file of JSON lines')
    parser.add_argument('--choices', nargs='+', default=CHOICES, choices=CHOICES)
    parser.add_argument('--seeds', type=int, nargs='+', default=SEEDS)
    parser.add_argument('--images', type=int, default=40)
    parser.add_argument('--steps', type=int, default=200, help='steps of each training')
    options = parser.parse_args()
    lines = options.out.read_text().splitlines() if options.out.exists() else []
    rows = {(row := json.loads(line))['run']: row for line in lines}
    for spec in options.sets:
        for new in itertools.chain(before(options, spec, set(rows)), after(options, spec, rows)):
            rows[new['run']] = new
            write_file(options.out, ''.join(f'{json.dumps(row)}\n'
                                            for row in rows.values()).encode())
            print(json.dumps(new), flush=True)
    print(tables(rows))


if __name__ == '__main__':
    main()
