# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""After training, fit temperature and threshold, and store scores and self-test in the file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import Joined, RoadDataset
from fcn_seg_ros.datasets.registry import DatasetSpec, open_dataset, parse_spec
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED
from fcn_seg_ros.errors import InputError, TrainingError
from fcn_seg_ros.evaluation.evaluate import ALL, Evaluation, evaluate
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.evaluation.statistics import fit_statistics
from fcn_seg_ros.files import partial_name, remove_partial, replacing
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import save_checkpoint
from fcn_seg_ros.models.checkpoint_file import (
    SelfTest,
    read_checkpoint,
    with_info,
    with_self_test,
)
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo, is_binary
from fcn_seg_ros.models.fcn import FCN
from fcn_seg_ros.synthetic.suburb import RenderedDrive
from fcn_seg_ros.training.config import TrainingConfig

# Half the size of KITTI's images, which adds 0.4 MB to the file. With 640 columns the network's
# input has the same size as for KITTI's images, so a node compiles one shape at start.
_CAMERA = PinholeCamera(640, 192, 369.4, 369.4, 312.1, 88.5)


# The highest temperature: a higher one gives nearly all pixels the same of 256 probabilities.
_FLAT = 10.0
# Fits of a network of several classes, and the change of log T at which they end.
_MOST_FITS, _FITTED = 4, 0.02


def finish(path: Path, network: FCN, info: CheckpointInfo, config: TrainingConfig) -> None:
    """
    Write the checkpoint of a run: calibrated and scored, with statistics and self-test.

    It appears when all is done. Raises TrainingError if it cannot be written, and for a weight that
    is not finite.
    """
    remove_partial(path)
    unfinished = partial_name(path)
    try:
        with replacing(path):
            _write(unfinished, network, info, config)
    except (InputError, OSError) as error:
        words = str(error)
        if isinstance(error, InputError) and str(unfinished) not in words:
            raise
        if isinstance(error, OSError):
            words = f'{path}: cannot be written ({error.strerror})'
        raise TrainingError(f'{words.replace(str(unfinished), str(path))}; the trained weights are '
                            'kept: make room, then go on with --resume') from None
    print(f'wrote {path}', flush=True)


def _write(path: Path, network: FCN, info: CheckpointInfo, config: TrainingConfig) -> None:
    """Write a run's checkpoint step by step."""
    try:
        save_checkpoint(path, network, info)
    except InputError:
        raise
    except ValueError as error:
        raise TrainingError(f'{error}; try a smaller --learning-rate (it is '
                            f'{config.learning_rate:g})') from None
    if config.val:
        _print_scores(path, config)
    fit_statistics(path, [open_dataset(parse_spec(text)) for text in config.train])
    add_self_test(path)


def _print_scores(path: Path, config: TrainingConfig) -> None:
    """Calibrate and score a checkpoint on the validation sets."""
    specs = [parse_spec(text) for text in config.val]
    spec, found = specs[0], calibrate_and_score(path, specs)
    name = f'{spec.kind} {spec.split}' if spec.split else spec.kind
    print(f'{name}: MaxF {100 * found.scores[ALL].max_f:.2f} '
          '(perspective)')
    if found.classes is not None:
        absent = found.classes.absent
        print(f'mean IoU of {len(found.classes.names) - len(absent)} classes '
              f'{100 * found.classes.mean_iou:.2f}'
              + (f', without {", ".join(absent)}, of which there is no pixel' if absent else ''))


def calibrate_and_score(path: Path, validation: Sequence[DatasetSpec]) -> Evaluation:
    """
    Fit temperature and threshold, and write them and the scores into a checkpoint.

    The temperature is fitted to the probability near the road's boundary on all validation sets
    together, in addition to the checkpoint's present one. The threshold maximises F1 on the
    calibrated probability, averaged over the sets, so a large set counts no more than a small one.
    The scores, which are also returned, are those of the first set in perspective; neither
    temperature nor threshold changes them.
    """
    opened = [open_dataset(spec) for spec in validation]
    together = Joined(opened, numbered=True)
    info = _fit_temperature(path, together)
    threshold = best_threshold(_open(path), opened)
    with_info(path, dataclasses.replace(info, threshold=threshold))
    evaluation = evaluate(_open(path), opened[0])
    first = validation[0]
    all_scores = evaluation.as_dict() | {'dataset': first.kind, 'split': first.split or 'all'}
    scores = {key: all_scores[key] for key in
              ('dataset', 'split', 'view', 'scores', 'images', 'max_f_interval_95')}
    if evaluation.classes is not None:
        found = evaluation.classes.as_dict()
        scores['classes'] = {key: found[key] for key in found if key != 'confusion'}
    with_info(path, dataclasses.replace(info, threshold=threshold, scores=scores))
    return evaluation


def _fit_temperature(path: Path, dataset: RoadDataset) -> CheckpointInfo:
    """
    Fit the temperature of a checkpoint, write it, and return the metadata.

    It stays where the fit would flatten all probabilities to one, and with them the scores.
    """
    info = read_checkpoint(path).info
    # Of two classes the road's probability says all. The sum over some of several classes is no
    # sigmoid of a score divided by the temperature, so there the fit is repeated until it stays.
    for _ in range(1 if is_binary(info) else _MOST_FITS):
        fitted = evaluate(_open(path), dataset).calibration.temperature
        if info.temperature * fitted > _FLAT:
            print(f'temperature: left at {info.temperature:.3g}, since the probability near the '
                  "road's boundary says nothing of the labels there", flush=True)
            break
        info = dataclasses.replace(info, temperature=info.temperature * fitted)
        with_info(path, info)
        if abs(math.log(fitted)) < _FITTED:
            break
    return info


def best_threshold(segmenter: RoadSegmenter, datasets: Sequence[RoadDataset]) -> float:
    """
    Return the threshold with the best mean F1 over datasets.

    It is 0.5 if in none of them road and not road are both labelled; the others do not count: where
    all is road, F1 is best at a threshold of 0.
    """
    curves = []
    for dataset in datasets:
        counts = RoadCounts()
        for index in range(len(dataset)):
            sample = dataset[index]
            counts.update(segmenter.segment(sample.image).probability, sample.labels)
        if counts.histogram.any(axis=1).all():
            curves.append(counts.f1())
    if not curves:
        return 0.5
    mean = np.mean(curves, axis=0)
    return float(mean.argmax() / (len(mean) - 1))


def add_self_test(path: Path) -> None:
    """Store a rendered image and the network's fp32 answer to it in a checkpoint."""
    image = RenderedDrive(FIRST_HELD_OUT_SEED, camera=_CAMERA)[0].image
    probability = _open(path, 'cpu', 'fp32').segment(image).probability
    with_self_test(path, SelfTest(image, probability))


def _open(path: Path, device: str = 'auto', precision: str = 'auto') -> RoadSegmenter:
    # After an epoch or two a network may answer every image alike, which the self-test would
    # refuse.
    return RoadSegmenter(path, device, precision, test=False)
