# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Before a run starts, refuse datasets that are broken or do not label both classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fcn_seg_ros.datasets.balance import both_labelled, count
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.survey import decoded
from fcn_seg_ros.errors import InputError


def verify(dataset: RoadDataset, title: str) -> None:
    """
    Decode every file of a dataset, to find faults before a run starts.

    ``title`` names it. Raises the first InputError, or one if road and not road are not both
    labelled. Datasets that need no check (``check_first``) are not decoded.
    """
    if not dataset.check_first:
        return
    pixels = np.zeros(3, np.int64)
    for result in decoded(dataset):
        if isinstance(result, InputError):
            raise result
        pixels += result.pixels
    fault = both_labelled(dataset, pixels)
    if fault:
        raise InputError(f'{title}: {fault}')


def verify_labels(dataset: RoadDataset, title: str, indices: Sequence[int]) -> None:
    """
    Raise InputError if, in some of the samples, road and not road are not both labelled.

    Ground truth is read until both have been seen.
    """
    pixels = np.zeros(3, np.int64)
    for index in indices:
        pixels += count(dataset.labels(index))
        if pixels[0] and pixels[1]:
            return
    raise InputError(f'{title}: {both_labelled(dataset, pixels)}')
