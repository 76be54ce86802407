# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether a network that was just loaded does here what it did where it was trained."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.postprocess import (
    intersection_and_union,
    intersection_over_union,
    probability_to_mask,
)
from fcn_seg_ros.inference.preprocess import network_rows, network_size
from fcn_seg_ros.inference.segmenter import RoadSegmenter

# In bf16 the packaged network's masks agree to an IoU of 0.995 and more with those in fp32; int8
# and other network heights move more pixels, a broken kernel or a wrong channel order far more.
_LEAST_IOU = 0.9
# Probabilities differ most where the network is in doubt, and little on the mean of an image.
_LARGEST_MEAN_DIFFERENCE = 8.0


def self_test(segmenter: RoadSegmenter) -> float | None:
    """
    Segment the checkpoint's self-test image; return the IoU of the mask with the one expected.

    Raises InputError, one line, where the mask or the probability is not what the checkpoint says.
    At another network height than the checkpoint's they are not compared, only must the
    probability vary over the image. None where nothing was compared, as for a checkpoint without
    a self-test.
    """
    expected, name = segmenter.self_test, segmenter.name
    if expected is None:
        return None
    probability = segmenter.segment(expected.image).probability
    wanted = expected.probability
    if probability.min() == probability.max() and wanted.min() < wanted.max():
        raise InputError(f'{name}: self-test: expected a probability that varies over the image, '
                         f'found {probability.flat[0]} everywhere (scores that are not finite?)')
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
            f'expected a mask with IoU of at least {_LEAST_IOU} and a probability within '
            f'{_LARGEST_MEAN_DIFFERENCE:g}/255 on the mean of what the checkpoint says, found '
            f'{iou:.3f} and {difference:.1f}')
    return iou
