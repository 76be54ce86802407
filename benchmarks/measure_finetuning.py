# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what fine-tuning a packaged network on a few images is worth.

    python benchmarks/measure_finetuning.py data/camvid --encoder-weights mobilenet_v2.pth

trains on 10, 40 and 160 images of CamVid's train split, three random choices each, once from the
packaged network ``open`` and once from an encoder trained on ImageNet (``train``'s default
network), with the same number of steps, the same size of images and the last weights. Each run is a
line of JSON: the road IoU on all images of val at threshold 0.5, at the images' size. Runs whose
line is in ``--out`` already are left out.
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
from PIL import Image

from fcn_seg_ros.cli.train import main as train
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.files import write_file
from fcn_seg_ros.inference.segmenter import RoadSegmenter

COUNTS = (10, 40, 160)
SEEDS = (0, 1, 2)
# The input's size of ``open``, so that both networks see the same pixels.
COMMON = ['--pixels', '260000', '--crop', '256', '416', '--batch-size', '4', '--scale', '0.6',
          '1.6', '--workers', '1']
# Fine-tuning as in docs/tutorials/own_street.md, the other as in `train`'s own settings.
STARTS = {
    'open': ['--init-from', 'open', '--learning-rate', '2e-4', '--encoder-rate', '0.17',
             '--frozen-layers', '7'],
    'imagenet': ['--learning-rate', '1e-3'],
}


def write_images(dataset: RoadDataset, numbers: list[int], folder: Path) -> None:
    """Write images and masks of 0, 1 and 255 as a user would lay them out."""
    for name in ('images', 'masks'):
        (folder / name).mkdir(parents=True)
    for number in numbers:
        sample = dataset[number]
        Image.fromarray(sample.image).save(folder / 'images' / f'{number:04}.png')
        Image.fromarray(sample.labels).save(folder / 'masks' / f'{number:04}.png')


def road_iou(checkpoint: str | Path, dataset: RoadDataset) -> float:
    """Return the road IoU over all images at threshold 0.5, in percent."""
    segmenter = RoadSegmenter(checkpoint, test=False)
    counts = RoadCounts()
    for index in range(len(dataset)):
        sample = dataset[index]
        levels = segmenter.segment(sample.image).probability
        counts.update((255 * (levels >= 128)).astype('uint8'), sample.labels)
    segmenter.close()
    return round(100 * counts.compute().iou, 2)


def measure(options: argparse.Namespace, done: set[str]) -> Iterator[dict[str, Any]]:
    """Yield a row for ``open`` as it is, then one for each training."""
    images = open_dataset(parse_spec(f'camvid:{options.camvid}?split=train'))
    validation = open_dataset(parse_spec(f'camvid:{options.camvid}?split=val'))
    if 'open/0/0' not in done:
        yield {'run': 'open/0/0', 'road_iou': road_iou('open', validation)}
    for count in options.images:
        for seed in options.seeds:
            numbers = sorted(random.Random(seed).sample(range(len(images)), count))
            for start in STARTS:
                run = f'{start}/{count}/{seed}'
                if run in done:
                    continue
                words = [*STARTS[start], *(['--encoder-weights', options.encoder_weights]
                                           if start == 'imagenet' else [])]
                yield {'run': run, **trained(words, images, validation, numbers, options.steps,
                                             seed)}


def trained(start: list[str], images: RoadDataset, validation: RoadDataset, numbers: list[int],
            steps: int, seed: int) -> dict[str, Any]:
    """Return the score of a training on some images, with as many steps for every number."""
    epochs = max(1, round(4 * steps / (len(numbers) // 4 * 4)))
    with tempfile.TemporaryDirectory() as temporary:
        folder, out = Path(temporary) / 'mine', Path(temporary) / 'run'
        write_images(images, numbers, folder)
        begin = time.monotonic()
        status = train(['--train', f'folder:{folder}', '--out', str(out), '--seed', str(seed),
                        '--epochs', str(epochs), *COMMON, *start])
        if status:
            raise SystemExit(status)
        took = time.monotonic() - begin
        return {'road_iou': road_iou(out / 'checkpoint.safetensors', validation),
                'train_s': round(took)}


def table(rows: list[dict[str, Any]]) -> str:
    """Return the means and ranges as a table in Markdown."""
    lines = ['| images | from open | from ImageNet |', '|---|---|---|']
    found: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        start, count, _ = row['run'].split('/')
        found.setdefault((start, int(count)), []).append(row['road_iou'])
    for count in sorted({count for _, count in found}):
        cells = [found.get((start, count)) for start in STARTS]
        lines.append(f'| {count} | ' + ' | '.join(
            f'{statistics.mean(cell):.1f} ({min(cell):.1f} to {max(cell):.1f})' if cell else '-'
            for cell in cells) + ' |')
    return '\n'.join(lines)


def main() -> None:
    """Measure what is missing in the file, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('camvid', help='CamVid folder')
    parser.add_argument('--out', type=Path, required=True, help='file of JSON lines')
    parser.add_argument('--encoder-weights', default='imagenet')
    parser.add_argument('--images', type=int, nargs='+', default=COUNTS)
    parser.add_argument('--seeds', type=int, nargs='+', default=SEEDS)
    parser.add_argument('--steps', type=int, default=200, help='steps of each training')
    options = parser.parse_args()
    lines = options.out.read_text().splitlines() if options.out.exists() else []
    for row in measure(options, {json.loads(line)['run'] for line in lines}):
        lines.append(json.dumps(row))
        write_file(options.out, '\n'.join([*lines, '']).encode())
        print(lines[-1], flush=True)
    print(table([json.loads(line) for line in lines]))


if __name__ == '__main__':
    main()
