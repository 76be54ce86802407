# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Check that an exported model gives the same masks as the network it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.overlap import mean_iou
from fcn_seg_ros.inference.postprocess import to_level

# uint8 RGB (N, H, W, 3) in, round(255 P) as uint8 (N, H, W, K) out.
Model = Callable[[np.ndarray], np.ndarray]

# The lowest IoU of the masks with those of eager fp32.
LEAST_IOU = {'fp32': 0.999, 'bf16': 0.995, 'fp16': 0.995}
# int8 changes more pixels; what that costs is measured by MaxF on real images. The mean difference
# of round(255 P) here only distinguishes a wrong model from a quantised one.
LARGEST_MEAN_OF_INT8 = 8.0


@dataclass(frozen=True)
class Parity:
    """
    How well two models agree on some images.

    ``iou`` is the masks' IoU over all images: the road's for a two-class network, else the mean
    over the classes that occur. ``largest`` and ``mean`` are differences of round(255 P).
    """

    iou: float
    largest: int
    mean: float


def compare(model: Model, reference: Model, batches: Sequence[np.ndarray], threshold: float
            ) -> Parity:
    """
    Run both models on batches of images, uint8 (N, H, W, 3), and compare their results.

    Raises InputError if the model's result differs in shape or type from the reference's.
    """
    both, either = np.zeros(256, np.int64), np.zeros(256, np.int64)
    largest, total, count = 0, 0, 0
    for batch in batches:
        found, expected = model(batch), reference(batch)
        if found.shape != expected.shape or found.dtype != expected.dtype:
            raise InputError(f'parity: expected {expected.dtype} {expected.shape} for images '
                             f'{batch.shape}, found {found.dtype} {found.shape}')
        difference = np.abs(found.astype(np.int16) - expected)
        largest = max(largest, int(difference.max()))
        total, count = total + int(difference.sum(dtype=np.int64)), count + difference.size
        ours, theirs = class_mask(found, threshold), class_mask(expected, threshold)
        agreed = np.bincount(ours[ours == theirs], minlength=256)
        both += agreed
        either += np.bincount(ours.ravel(), minlength=256) - agreed
        either += np.bincount(theirs.ravel(), minlength=256)
    if expected.shape[-1] == 1:
        both[0] = either[0] = 0
    return Parity(mean_iou(both, either, empty=1.0), largest, total / count)


def class_mask(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Return the class ids, uint8 (N, H, W), for round(255 P) of shape (N, H, W, K)."""
    if probability.shape[-1] == 1:
        return (probability[..., 0] >= to_level(threshold)).astype(np.uint8)
    ids: np.ndarray = probability.argmax(axis=-1).astype(np.uint8)
    return ids


def check_parity(name: str, precision: str, parity: Parity) -> None:
    """Raise InputError if a model of this precision differs too much from the reference."""
    if precision == 'int8':
        if parity.mean > LARGEST_MEAN_OF_INT8:
            raise InputError(f'{name}: expected a mean difference in probability of at most '
                             f'{LARGEST_MEAN_OF_INT8:g}/255 from eager fp32 on rendered frames, '
                             f'found {parity.mean:.1f}; nothing is written')
    elif parity.iou < LEAST_IOU[precision]:
        raise InputError(f'{name}: expected masks with IoU of at least {LEAST_IOU[precision]} '
                         f'with eager fp32 on rendered frames, found {parity.iou:.4f} (largest '
                         f'difference {parity.largest}/255); nothing is written')
