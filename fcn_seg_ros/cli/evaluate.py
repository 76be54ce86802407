# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``evaluate``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.tables import print_tables
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.open import DatasetSpec, open_dataset, parse_spec
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import BIRDS_EYE, score
from fcn_seg_ros.evaluation.geometry import geometry_of
from fcn_seg_ros.evaluation.plots import write_plots
from fcn_seg_ros.evaluation.predictors import Network, Predictor, StoredProbabilities
from fcn_seg_ros.evaluation.report import VIEWS, markdown, tables
from fcn_seg_ros.evaluation.submission import (
    birds_eye_probabilities,
    submission_images,
    write_submission,
)
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.inference.backends import PRECISIONS
from fcn_seg_ros.inference.segmenter import RoadSegmenter, resolve_threshold
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT, find_checkpoint

DESCRIPTION = """\
Score a checkpoint, or the probability images of any program, as KITTI Road does.

DATA is a folder in KITTI Road's layout; camvid:PATH or folder:PATH (see train --help); or
`rendered`: frames of drives that the project renders itself with seeds never trained on (a
regression test, no claim about real roads). The images go through the same segmenter as in the
node. MaxF is the best F1 over 256 thresholds, counts summed over all images; intervals are a
bootstrap over images. The bird's-eye view (the benchmark's: x -10 to 10 m, z 6 to 46 m) and the
scores in metres cover the images whose road plane is known (a calib file with Tr_cam_to_road).
Scores of the two views do not compare with each other."""

EPILOG = """\
examples:
  evaluate ~/kitti_road --split val.txt
  evaluate rendered
  evaluate ~/kitti_road --split val.txt --checkpoint runs/first/checkpoint.safetensors --json
  evaluate ~/kitti_road --split val.txt --markdown report.md --plots plots
  segment ~/kitti_road/training/image_2 --probability out
  evaluate ~/kitti_road --split val.txt --probabilities out
  evaluate ~/kitti_road --split val.txt --submission to_upload"""


_HELD_OUT = {'drives': 20, 'frames': 4, 'first_seed': FIRST_HELD_OUT_SEED}


def main(args: Sequence[str] | None = None) -> int:
    """Print the scores of a checkpoint."""
    return run_main('evaluate', args, lambda given: _evaluate(_parser().parse_args(given)))


def _parser() -> argparse.ArgumentParser:
    parser = make_parser('evaluate', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('data', metavar='DATA', help='KITTI Road folder, rendered, camvid:PATH or folder:PATH')
    add('--split', default=None, help='file with the names to score on, e.g. val.txt in DATA')
    add('--checkpoint', help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    add('--probabilities', type=Path, metavar='DIR',
        help='score the files DIR/NAME.png (8-bit grey, round(255 P(road)), the image\'s size) '
             'instead of running a network')
    add('--threshold', type=float, default=-1.0,
        help='of the masks that "mask" and the scores in metres are about, on P(road); -1: the '
             'checkpoint\'s (0.5 for --probabilities without --checkpoint)')
    add('--view', default='both', choices=list(VIEWS), help='tables to print')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--precision', default='auto', choices=PRECISIONS, help='arithmetic of the network; '
        'int8: that of the file CHECKPOINT_int8.xml beside it, as the packaged one has it')
    add('--network-height', type=int, default=0, help='rows of its input, 0: the checkpoint\'s')
    add('--json', action='store_true', help='print JSON instead of tables')
    add('--markdown', type=Path, metavar='FILE', help='write the tables to a Markdown file')
    add('--plots', type=Path, metavar='DIR',
        help='write precision_recall.png, reliability.png and worst.png (the ten worst images: '
             'true positives green, false positives red, false negatives blue)')
    add('--submission', type=Path, metavar='DIR',
        help='write the benchmark\'s archive of bird\'s-eye probability images: of DATA/testing '
             'where that is there, else of the scored images')
    return parser


def _evaluate(options: argparse.Namespace) -> None:
    dataset = _open(options.data, options.split)
    predictor, setting = _predictor(options)
    geometry = geometry_of(dataset)
    with progress_bar('evaluate', len(dataset)) as done:
        result = score(predictor, dataset, geometry, done)
    if options.view == BIRDS_EYE and result.birds_eye is None:
        raise InputError(f'--view {BIRDS_EYE}: expected calib files in {options.data}, found none '
                         'for the images scored')
    parts = tables(result, options.view)
    if options.json:
        print(json.dumps(setting | result.as_dict(), indent=1))
    else:
        print_tables(parts)
    if options.markdown:
        make_folder(options.markdown.parent)
        write_file(options.markdown, markdown(setting, parts).encode())
    if options.plots:
        write_plots(options.plots, result, predictor, dataset)
    if options.submission:
        _write_submission(options.submission, dataset, predictor)


def _predictor(options: argparse.Namespace) -> tuple[Predictor, dict[str, Any]]:
    """Return what is scored, and what the report says of it."""
    data = {'dataset': options.data, 'split': options.split}
    if options.probabilities:
        given = (read_checkpoint(find_checkpoint(options.checkpoint)).info.threshold
                 if options.checkpoint else 0.5)
        threshold = resolve_threshold(options.threshold, given)
        return (StoredProbabilities(options.probabilities, threshold),
                {'probabilities': str(options.probabilities)} | data)
    checkpoint = find_checkpoint(options.checkpoint)
    segmenter = RoadSegmenter(checkpoint, options.device, options.precision,
                              options.network_height, options.threshold)
    backend = segmenter.backend
    return Network(segmenter), {
        'checkpoint': str(checkpoint)} | data | {
        'network_height': segmenter.network_height, 'backend': backend.name,
        'device': backend.device, 'precision': backend.precision}


def _open(data: str, split: str | None) -> RoadDataset:
    spec = parse_spec(data)
    if spec.kind == 'rendered':
        if split is not None:
            raise InputError(f'--split: expected a KITTI Road folder with it, found {data}')
        spec = DatasetSpec('rendered', options=_HELD_OUT | dict(spec.options))
    elif split is not None:
        spec = dataclasses.replace(spec, split=split)
    return open_dataset(spec)


def _write_submission(folder: Path, dataset: RoadDataset, predictor: Predictor) -> None:
    if not isinstance(dataset, KittiRoad):
        raise InputError('--submission: expected a KITTI Road folder as DATA, found another')
    images = submission_images(Path(dataset.root), dataset.names)
    with progress_bar('submission', len(images)) as done:
        archive = write_submission(folder, birds_eye_probabilities(images, predictor, done))
    print(f'wrote {archive} ({len(images)} images of {images[0].parent.parent.name})',
          file=sys.stderr)


if __name__ == '__main__':
    sys.exit(main())
