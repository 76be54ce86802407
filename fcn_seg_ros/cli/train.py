# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``train``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.datasets.options import datasets_help
from fcn_seg_ros.processes import follow_first
from fcn_seg_ros.training.config import default_of, leaves

DESCRIPTION = """\
Train a road segmentation network.

Settings come from --config (see config/train_kitti.yaml); options on the command line override
them. OUT receives the checkpoint (checkpoint.safetensors), the configuration, the state for
--resume (last.ckpt), metrics (metrics/metrics.csv) and TensorBoard's files."""

EPILOG = """\
examples:
  train --train 'kitti:data/kitti_road?split=train' \\
        --val 'kitti:data/kitti_road?split=val' --out runs/first
  train --config config/train_kitti.yaml --out runs/second --learning-rate 5e-4 --crop 384 1248
  train --train kitti:data/kitti_road 'camvid:data/camvid?split=train&weight=0.3' --out runs/both
  train --train kitti:data/kitti_road 'rendered?drives=300&frames=2&world=all' --out runs/world
  train --train kitti:data/kitti_road --init-from runs/first/checkpoint.safetensors --prune 0.5 \\
        --teacher runs/first/checkpoint.safetensors --epochs 30 --out runs/pruned
  train --out runs/first --resume
  torchrun --nproc-per-node 4 -m fcn_seg_ros train --config config/train_kitti.yaml --out runs/4"""


def main(args: Sequence[str] | None = None) -> int:
    """Train, score and write a checkpoint."""
    follow_first()
    return run_command('train', args, build_parser, go_on='go on with --resume')


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of train."""
    parser = make_parser('train', DESCRIPTION, f'{EPILOG}\n\n{datasets_help()}')
    add = parser.add_argument
    add('--out', type=_folder, required=True, help='folder to write to')
    add('--resume', action='store_true',
        help='go on with the run in OUT after its last whole epoch, with its settings; one that '
             'had none begins again')
    add('--config', type=Path, help='YAML file with settings')
    add('--find-learning-rate', action='store_true',
        help='do not train: make 100 steps with a rising learning rate, write the curve of the '
             'loss to OUT (learning_rate.csv, learning_rate.png) and suggest a rate')
    group = parser.add_argument_group('settings')
    for name, item in leaves().items():
        _add_setting(group, name, item)
    return parser


def _folder(text: str) -> Path:
    if not text:  # of a variable that is not set
        raise argparse.ArgumentTypeError('expected a folder, found an empty name')
    return Path(text)


def _add_setting(group: Any, name: str, item: dataclasses.Field[Any]) -> None:
    default = default_of(item)
    shown = ' '.join(map(str, default)) if isinstance(default, tuple) else default
    text = item.metadata['help']
    text = f'{text} (default: {shown if shown != "" else "none"})'.replace('%', '%%')
    options: dict[str, Any] = {'default': argparse.SUPPRESS, 'help': text}
    if isinstance(default, bool):
        options['action'] = argparse.BooleanOptionalAction
    elif isinstance(default, tuple):
        kind = type(default[0]) if default else str
        options |= {'nargs': '+', 'type': kind,
                    'metavar': 'SPEC' if name in ('train', 'val') else name.upper()}
    else:
        options['type'] = type(default)
    group.add_argument(f'--{name.replace("_", "-")}', **options)


if __name__ == '__main__':
    sys.exit(main())
