# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what frames chosen by `pick` are worth, against as many at random.

    python benchmarks/measure_pick.py camvid:data/camvid kitti:data/kitti_road --out pick.jsonl

takes 40 images of a set's train split and their true labels, fine-tunes the packaged network
``open`` on them as in docs/tutorials/own_street.md, and scores it on the val split: road IoU at
threshold 0.5, at the images' size. The images are chosen by `pick` (``pick``), by `pick --second
none` (``one``), evenly spread (``even``) or at random (``random``, another choice for each seed);
the seed also decides the order and the crops of the training. Each run is a line of JSON; runs
whose line is in ``--out`` already are left out.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import source_tree  # noqa: F401
from measure_finetuning import COMMON, STARTS, road_iou, write_images

from fcn_seg_ros.cli.pick import main as pick
from fcn_seg_ros.cli.train import main as train
from fcn_seg_ros.datasets.base import RoadDataset
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
        run_command(pick, words + (['--second', 'none'] if choice == 'one' else []))
        return sorted(int(path.stem[-6:]) for path in (out / 'images').iterdir())


def run_command(main: Any, words: list[str]) -> None:
    """Run a command of the package; it has said what is wrong if it fails."""
    status = main(words)
    if status:
        raise SystemExit(status)


def measure(options: argparse.Namespace, spec: str, done: set[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for ``open`` as it is, then one for each training on a set."""
    images = open_dataset(parse_spec(f'{spec}?split=train'))
    validation = open_dataset(parse_spec(f'{spec}?split=val'))
    name = parse_spec(spec).kind
    if f'{name}/open/0' not in done:
        yield {'run': f'{name}/open/0', 'road_iou': road_iou('open', validation)}
    for choice in options.choices:
        numbers: list[int] = []
        for seed in options.seeds:
            run = f'{name}/{choice}/{seed}'
            if run in done:
                continue
            if choice == 'random' or not numbers:
                numbers = chosen(choice, images, options.images, seed)
            yield {'run': run, **fine_tuned(options, images, validation, numbers, seed),
                   'numbers': numbers}


def fine_tuned(options: argparse.Namespace, images: RoadDataset, validation: RoadDataset,
               numbers: list[int], seed: int) -> dict[str, Any]:
    """Return the score of a training on some images."""
    epochs = max(1, round(4 * options.steps / (len(numbers) // 4 * 4)))
    with tempfile.TemporaryDirectory() as temporary:
        folder, out = Path(temporary) / 'mine', Path(temporary) / 'run'
        write_images(images, numbers, folder)
        begin = time.monotonic()
        run_command(train, ['--train', f'folder:{folder}', '--out', str(out), '--seed', str(seed),
                            '--epochs', str(epochs), *COMMON, *STARTS['open']])
        took = time.monotonic() - begin
        return {'road_iou': road_iou(out / 'checkpoint.safetensors', validation),
                'train_s': round(took)}


def table(rows: list[dict[str, Any]]) -> str:
    """Return means and ranges as a table in Markdown, a row for each set."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        name, choice, _ = row['run'].split('/')
        found.setdefault(name, {}).setdefault(choice, []).append(row['road_iou'])
    columns = ('open', *CHOICES)
    lines = [f'| set | {" | ".join(columns)} |', '|---' * (1 + len(columns)) + '|']
    for name, scores in found.items():
        cells = [scores.get(column, []) for column in columns]
        lines.append(f'| {name} | ' + ' | '.join(
            '-' if not cell else f'{cell[0]:.2f}' if len(cell) == 1 else
            f'{statistics.mean(cell):.2f} ({min(cell):.2f} to {max(cell):.2f})'
            for cell in cells) + ' |')
    return '\n'.join(lines)


def main() -> None:
    """Measure what is missing in the file, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('sets', nargs='+', help='datasets with the splits train and val')
    parser.add_argument('--out', type=Path, required=True, help='file of JSON lines')
    parser.add_argument('--choices', nargs='+', default=CHOICES, choices=CHOICES)
    parser.add_argument('--seeds', type=int, nargs='+', default=SEEDS)
    parser.add_argument('--images', type=int, default=40)
    parser.add_argument('--steps', type=int, default=200, help='steps of each training')
    options = parser.parse_args()
    lines = options.out.read_text().splitlines() if options.out.exists() else []
    for spec in options.sets:
        for row in measure(options, spec, {json.loads(line)['run'] for line in lines}):
            lines.append(json.dumps(row))
            write_file(options.out, '\n'.join([*lines, '']).encode())
            print(lines[-1], flush=True)
    print(table([json.loads(line) for line in lines]))


if __name__ == '__main__':
    main()
