# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Check that a loaded network gives the same result here as where it was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.overlap import intersection_and_union, intersection_over_union
from fcn_seg_ros.inference.postprocess import probability_to_mask
from fcn_seg_ros.inference.preprocess import network_rows, network_size

if TYPE_CHECKING:
    from fcn_seg_ros.inference.segmentation import Segmentation
    from fcn_seg_ros.inference.segmenter import RoadSegmenter

# The packaged networks' masks in bf16 and fp32 have an IoU of at least 0.995. int8 and other
# network heights change more pixels, a broken kernel or a wrong channel order far more.
_LEAST_IOU = 0.9
# Probabilities differ most where the network is uncertain, and little on average.
_LARGEST_MEAN_DIFFERENCE = 8.0


def self_test(segmenter: RoadSegmenter) -> float | None:
    """
    Segment the checkpoint's self-test image; return the IoU of the mask with the one expected.

    Raises InputError, one line, if the mask or the probability differs from the checkpoint's, or if
    the image's negative gives the same result, because scores are not finite or all weights zero.
    If the checkpoint has no self-test (``drawn_scene`` is used then) or the network height differs,
    only the negative is checked and None returned.
    """
    expected, name = segmenter.self_test, segmenter.name
    image = drawn_scene() if expected is None else expected.image
    found = segmenter.segment(image)
    # Comparing with a constant would not work: the result always varies at the image's edge.
    if _are_alike(found, segmenter.segment(255 - image)):
        raise InputError(f'{name}: self-test: the probability does not depend on the image (mean '
                         f'{found.probability.mean():.0f}/255): the weights were never trained, or '
                         'the scores are not finite')
    if expected is None:
        return None
    probability, wanted = found.probability, expected.probability
    height, width = expected.image.shape[:2]
    own_size = network_size(height, width, network_rows(height, width, segmenter.info))
    if segmenter.network_shape((height, width)) != own_size:
        return None
    iou = intersection_over_union(*intersection_and_union(
        *(probability_to_mask(p, segmenter.info.threshold) for p in (probability, wanted))))
    difference = float(np.abs(probability.astype(np.int16) - wanted).mean())
    if iou < _LEAST_IOU or difference > _LARGEST_MEAN_DIFFERENCE:
        raise InputError(
            f'{name}: self-test on {segmenter.backend.name} in {segmenter.backend.precision}: '
            f'expected an IoU of at least {_LEAST_IOU} with the checkpoint\'s mask and a mean '
            f'difference of at most {_LARGEST_MEAN_DIFFERENCE:g}/255 in probability, found '
            f'{iou:.3f} and {difference:.1f}')
    return iou


def drawn_scene() -> np.ndarray:
    """
    Return a test image for networks without a self-test: a grey road between meadows.

    It is always the same, uint8 RGB, half KITTI's size, so that its network input is that of a
    KITTI image.
    """
    rows, columns = np.mgrid[:192, :640].astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 5, (192, 640, 3))
    below = np.clip((rows - 80) / 112, 0, 1)
    image = np.stack([120 - 60 * below, 150 - 40 * below, 210 - 160 * below], axis=2)
    image[rows >= 80] = 70, 110, 50
    aside = np.abs(columns - 320) / (30 + 330 * below)
    image[(rows >= 80) & (aside < 1)] = 105, 103, 100
    image[(rows >= 80) & (aside < 0.03) & (rows % 24 < 12)] = 230, 230, 225
    image[40:120, 60:180] = 90, 30, 25
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _are_alike(one: Segmentation, other: Segmentation) -> bool:
    """Return whether two results differ at most by rounding."""
    pairs = ((one.probability, other.probability), (one.confidence, other.confidence))
    return np.array_equal(one.mask, other.mask) and all(
        cv2.absdiff(a, b).max() <= 1 for a, b in pairs)
