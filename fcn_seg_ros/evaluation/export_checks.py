# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Images for calibrating and checking an exported model, and the check of its accuracy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import ALL, score_all
from fcn_seg_ros.evaluation.predictors import Network
from fcn_seg_ros.inference.backends.hardware import cpu_has_bf16
from fcn_seg_ros.inference.formats import MIN_SIDE
from fcn_seg_ros.inference.preprocess import network_rows, network_size, resize_image
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint_file import NetworkSource
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.synthetic.suburb import RenderedDrive

# A quantised network is rejected if its MaxF on the validation images falls by this or more.
ALLOWED_LOSS = 0.002
# The same for the mean IoU of several classes, whose thin and rare ones vary more.
ALLOWED_CLASS_LOSS = 0.01


def parity_batches(info: CheckpointInfo) -> list[np.ndarray]:
    """
    Return rendered frames at sizes of the network's input: several sizes, and a batch of two.

    uint8 RGB (N, H, W, 3): two frames at the checkpoint's size, one at half of it, and the 4:3
    centre of one.
    """
    first, second, third = (RenderedDrive(FIRST_HELD_OUT_SEED + number)[0].image
                            for number in range(3))
    middle = third[:, third.shape[1] // 2 - third.shape[0] * 2 // 3:][:, :third.shape[0] * 4 // 3]
    half = dataclasses.replace(info, network_height=max(MIN_SIDE, info.network_height // 2),
                               network_pixels=info.network_pixels // 4)
    return [np.concatenate([_as_seen(first, info), _as_seen(second, info)]),
            _as_seen(third, half), _as_seen(middle, info)]


def calibration_batches(dataset: RoadDataset, info: CheckpointInfo, most: int) -> list[np.ndarray]:
    """Return up to ``most`` images, evenly spread over the dataset, at the size of the input."""
    chosen = np.unique(np.linspace(0, len(dataset) - 1, most).round().astype(int))
    return [_as_seen(dataset[int(index)].image, info) for index in chosen]


@dataclass(frozen=True)
class Loss:
    """
    MaxF (perspective, a fraction) of a checkpoint and of its exported model.

    ``classes`` are their mean IoU, if the network has several classes and the images name theirs.
    """

    before: float
    after: float
    classes: tuple[float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the scores in percent."""
        found = {'max_f_checkpoint': round(100 * self.before, 3),
                 'max_f_exported': round(100 * self.after, 3)}
        if self.classes is not None:
            found |= {'mean_iou_checkpoint': round(100 * self.classes[0], 3),
                      'mean_iou_exported': round(100 * self.classes[1], 3)}
        return found


def accuracy_loss(checkpoint: NetworkSource, exported: Path, dataset: RoadDataset,
                  done: Callable[[], object]) -> Loss:
    """
    Score an exported model and its checkpoint in bf16, or fp32 if this CPU has no bf16.

    Raises InputError if MaxF falls by ALLOWED_LOSS or more, or the mean IoU of several classes by
    ALLOWED_CLASS_LOSS. ``done`` is called after each image.
    """
    # Not with precision auto, which may choose an int8 version that already exists.
    segmenters = [RoadSegmenter(checkpoint, 'cpu', 'bf16' if cpu_has_bf16() else 'fp32'),
                  RoadSegmenter(exported, 'cpu', test=False)]
    predictors = [Network(segmenter) for segmenter in segmenters]
    before, after = score_all(predictors, dataset, done=done)
    loss = Loss(before.scores[ALL].max_f, after.scores[ALL].max_f,
                None if before.classes is None or after.classes is None else
                (before.classes.mean_iou, after.classes.mean_iou))
    scores = [('MaxF', ALLOWED_LOSS, (loss.before, loss.after))]
    scores += [('the mean IoU', ALLOWED_CLASS_LOSS, loss.classes)] if loss.classes else []
    for name, allowed, (first, second) in scores:
        if first - second >= allowed:
            raise InputError(
                f'{exported.name}: {name} must fall by less than {100 * allowed:g}, found '
                f'{100 * first:.2f} in {segmenters[0].backend.precision} and {100 * second:.2f} in '
                f'{segmenters[1].backend.precision}; nothing is written')
    return loss


def _as_seen(image: np.ndarray, info: CheckpointInfo) -> np.ndarray:
    """Return a batch of one image, scaled as the segmenter does."""
    height, width = image.shape[:2]
    size = network_size(height, width, network_rows(height, width, info))
    return np.ascontiguousarray(resize_image(image, size))[None]
