# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Train and score the rows of docs/model_zoo.md, each by the shipped commands.

    python benchmarks/measure_campaign.py --data data --out campaign family cross
    python benchmarks/measure_campaign.py --data data --out campaign --table

The first goes on where it was stopped (a run that is unfinished is resumed, one that is finished
is left alone) and prints each command; the second prints what has been scored, as Markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import source_tree  # noqa: F401

KITTI = 'kitti:{data}/kitti_road?split=train'
KITTI_VAL = 'kitti:{data}/kitti_road?split=val'
CAMVID = 'camvid:{data}/camvid?split=train'
MOBILENET = ('--encoder', 'mobilenet_v2', '--input-convention', 'tf', '--encoder-weights',
             '{data}/weights/mobilenet_v2_torchvision_layout.pth')
VGG = ('--input-convention', 'caffe', '--encoder-weights',
       '{data}/weights/vgg19_conv1_1_to_conv3_4_keras_tfjs.pth')
# Equal conditions for what is compared; half the packaged network's height, a sixth of its work.
QUICK = ('--height', '192', '--crop', '192', '576', '--epochs', '20', '--validate-every', '20')


@dataclass(frozen=True)
class Run:
    """One training run of a row; ``arguments`` with {data} for the folder of the data."""

    row: str
    seed: int
    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the folder of the run."""
        return f'{self.row}_seed{self.seed}'


GROUPS: dict[str, list[Run]] = {
    # Seed by seed, so that a campaign that was cut short still compares like with like.
    'family': [Run(decoder, seed, ('--train', KITTI, '--decoder', decoder, *MOBILENET, *QUICK))
               for seed in range(3) for decoder in ('fcn8s', 'fcn16s', 'fcn32s')],
    'cross': [Run('on_camvid', 0, ('--train', CAMVID, *MOBILENET, *QUICK)),
              Run('on_both', 0, ('--train', KITTI, CAMVID, *MOBILENET, *QUICK))],
    'vgg': [Run('vgg16_1024', 0, ('--train', KITTI, '--encoder', 'vgg16_1024', *VGG, '--height',
                                  '192', '--crop', '160', '416', '--learning-rate', '3e-4',
                                  '--epochs', '24', '--validate-every', '8'))],
}


def commands(run: Run, data: Path, out: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield (file it makes, arguments) of what is still to be done for a run."""
    folder = out / run.name
    checkpoint = folder / 'checkpoint.safetensors'
    given = [text.format(data=data) for text in (*run.arguments, '--val', KITTI_VAL)]
    state = ['--resume'] if (folder / 'last.ckpt').exists() else [*given, '--seed', str(run.seed)]
    steps = [(checkpoint, ['train', '--out', str(folder), *state]),
             (folder / 'kitti.json', ['evaluate', f'{data}/kitti_road', '--split', 'val.txt']),
             (folder / 'camvid.json', ['evaluate', f'camvid:{data}/camvid', '--split', 'val'])]
    for path, arguments in steps:
        if not path.exists():
            scored = ['--checkpoint', str(checkpoint), '--json']
            yield path, arguments + (scored if arguments[0] == 'evaluate' else [])


def carry_out(run: Run, data: Path, out: Path) -> None:
    """Train and score a run as far as that has not been done."""
    for path, arguments in commands(run, data, out):
        print('fcn_seg_ros', *arguments, flush=True)
        command = [sys.executable, '-m', 'fcn_seg_ros', *arguments]
        if arguments[0] == 'train':
            subprocess.run(command, check=True)
        else:
            result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            path.write_text(result.stdout)


def table(out: Path) -> str:
    """Return the scores of every run that is done, and their means over seeds, as Markdown."""
    lines = ['| row | seeds | KITTI val MaxF, perspective | bird\'s-eye | CamVid val, road IoU at '
             'the best threshold |', '|---|---|---|---|---|']
    rows: dict[str, list[tuple[float, ...]]] = {}
    for run in (run for runs in GROUPS.values() for run in runs):
        files = [out / run.name / name for name in ('kitti.json', 'camvid.json')]
        if all(path.exists() for path in files):
            kitti, camvid = (json.loads(path.read_text()) for path in files)
            rows.setdefault(run.row, []).append((
                kitti['scores']['all']['max_f'], kitti['birds_eye']['scores']['all']['max_f'],
                camvid['scores']['all']['iou']))
    for row, scores in rows.items():
        cells = [' / '.join(f'{value:.2f}' for value in column)
                 + (f', mean **{statistics.mean(column):.2f}**' if len(column) > 1 else '')
                 for column in zip(*scores, strict=True)]
        lines.append(f'| {row} | {len(scores)} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def main() -> None:
    """Run the groups asked for, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('groups', nargs='*', metavar='GROUP', help=', '.join(GROUPS))
    parser.add_argument('--data', type=Path, default=Path('data'))
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--table', action='store_true')
    options = parser.parse_args()
    unknown = set(options.groups) - GROUPS.keys()
    if unknown:
        parser.error(f'expected groups of {", ".join(GROUPS)}, found {", ".join(unknown)}')
    for group in options.groups:
        for run in GROUPS[group]:
            carry_out(run, options.data, options.out)
    if options.table:
        print(table(options.out))


if __name__ == '__main__':
    main()
