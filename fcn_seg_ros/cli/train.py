# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``train``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.datasets.base import Joined, RoadDataset
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.rendered_road import RenderedRoad
from fcn_seg_ros.datasets.transforms import Augmentation
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import ALL, evaluate
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import with_info
from fcn_seg_ros.models.encoders import ENCODERS, imagenet_state, read_encoder_file
from fcn_seg_ros.models.fcn import DECODERS
from fcn_seg_ros.training.config import INPUT_CONVENTIONS, PRECISIONS, TrainingConfig
from fcn_seg_ros.training.run import train

DESCRIPTION = """\
Train a road segmentation network on KITTI Road.

DATA is a folder in the official layout (training/image_2, training/gt_image_2; images may be PNG
or JPEG). OUT receives the checkpoint (checkpoint.safetensors), the state from which --resume goes
on (last.ckpt) and the metrics (metrics/metrics.csv)."""

EPILOG = """\
examples:
  train ~/kitti_road --out runs/first
  train ~/kitti_road --split train.txt --val-split val.txt --out runs/first \\
        --encoder-weights mobilenet_v2.pth --input-convention tf
  train ~/kitti_road --out runs/first --resume"""

_NUMBERS = {
    'epochs': 'times that every image is seen',
    'batch_size': 'images a step',
    'learning_rate': 'the highest of the schedule (AdamW, warm-up, then a cosine to zero)',
    'weight_decay': 'L2 regularisation of the kernels, decoupled as in AdamW',
    'average_decay': 'of the moving average of the weights that is written; 0: the last weights',
    'seed': 'of the shuffling, the augmentation and the score layers',
    'validate_every': 'epochs between two scores on --val-split',
    'workers': 'processes that decode and augment',
}


def main(args: Sequence[str] | None = None) -> int:
    """Train, score and write a checkpoint."""
    return run_main('train', args, lambda given: _train(_parser().parse_args(given)))


def _parser() -> argparse.ArgumentParser:
    defaults, views = TrainingConfig(), Augmentation()
    parser = make_parser('train', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('data', metavar='DATA', type=Path, help='KITTI Road folder')
    add('--out', type=Path, required=True, help='folder of the run')
    add('--resume', action='store_true', help='go on with the interrupted run in OUT')
    add('--split', default=None, help='file with the names to train on, e.g. train.txt in DATA')
    add('--val-split', default=None, help='file with the names to score on')
    add('--rendered-drives', type=int, default=0, help='add this many rendered drives')
    add('--rendered-frames', type=int, default=2, help='frames taken from each of them')
    add('--encoder', default=defaults.encoder, choices=list(ENCODERS), help='pretrained encoder')
    add('--decoder', default=defaults.decoder, choices=list(DECODERS), help='decoder')
    add('--encoder-weights', default='imagenet',
        help='a .pth file with a classifier\'s state dict, "imagenet" (torchvision\'s, '
             'downloaded) or "none"')
    add('--input-convention', default='torch', choices=list(INPUT_CONVENTIONS),
        help='how the encoder weights want their input: torch (ImageNet mean and std), tf '
             '(-1 to 1) or caffe (BGR minus the mean)')
    for name, text in _NUMBERS.items():
        value = getattr(defaults, name)
        add(f'--{name.replace("_", "-")}', type=type(value), default=value, help=text)
    add('--precision', default=defaults.precision, choices=PRECISIONS,
        help='arithmetic of the forward and backward pass; the weights stay in fp32')
    add('--freeze-norm', action=argparse.BooleanOptionalAction, default=defaults.freeze_norm,
        help='keep the statistics of pretrained batch norms (not for --encoder-weights none)')
    add('--height', type=int, default=views.height, help='rows of the network\'s input')
    add('--crop', type=int, nargs=2, default=views.crop, metavar=('H', 'W'),
        help='size of the training windows')
    add('--scale', type=float, nargs=2, default=views.scale, metavar=('MIN', 'MAX'),
        help='range of random scaling, relative to --height')
    return parser


def _train(options: argparse.Namespace) -> int:
    config = _config(options)
    parts: list[RoadDataset] = [KittiRoad(options.data, options.split)]
    training_data = f'KITTI Road, {len(parts[0])} images ({options.split or "all"})'
    if options.rendered_drives:
        parts.append(RenderedRoad(options.rendered_drives, options.rendered_frames))
        training_data += f'; {len(parts[1])} frames of {options.rendered_drives} rendered drives'
    validation = KittiRoad(options.data, options.val_split) if options.val_split else None
    path = train(config, options.input_convention,
                 None if options.resume else _encoder_state(options), Joined(parts), validation,
                 options.out, training_data, 'CC BY-NC-SA 3.0 (KITTI Road), non-commercial',
                 options.resume)
    if validation is not None:
        _score(path, validation, options.val_split)
    print(f'wrote {path}')
    return 0


def _config(options: argparse.Namespace) -> TrainingConfig:
    names = {field.name for field in dataclasses.fields(TrainingConfig)}
    given = {name: value for name, value in vars(options).items() if name in names}
    views = Augmentation(height=options.height, crop=tuple(options.crop),
                         scale=tuple(options.scale))
    return TrainingConfig(**given, augmentation=views)


def _encoder_state(options: argparse.Namespace) -> dict[str, Tensor] | None:
    if options.encoder_weights == 'none':
        return None
    if options.encoder_weights == 'imagenet':
        if options.input_convention != 'torch':
            raise InputError('--input-convention: expected torch for torchvision\'s weights, '
                             f'found {options.input_convention}')
        return imagenet_state(options.encoder)
    return read_encoder_file(options.encoder_weights)


def _score(path: Path, validation: KittiRoad, split: str) -> None:
    """Score the checkpoint and write threshold and scores into its metadata."""
    segmenter = RoadSegmenter(path)
    evaluation = evaluate(segmenter, validation)
    scores = evaluation.as_dict() | {'dataset': 'KITTI Road', 'split': split}
    scores = {key: scores[key] for key in
              ('dataset', 'split', 'view', 'scores', 'images', 'max_f_interval_95')}
    with_info(path, dataclasses.replace(
        segmenter.info, scores=scores, threshold=evaluation.scores[ALL].threshold))
    print(f'{split}: MaxF {100 * evaluation.scores[ALL].max_f:.2f} (perspective)')


if __name__ == '__main__':
    sys.exit(main())
