# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A trained network whose probabilities another one learns beside the labels (distillation)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, RoadDataset, Sample
from fcn_seg_ros.evaluation.predictors import Predictor


class Taught(RoadDataset):
    """
    A dataset with what a teacher says of each image, asked once and kept in memory.

    The teacher sees the image as it is, and mirrored; the mean of both is moved along with the
    labels by the augmentation. So it judges the clear picture, while the network that learns from
    it sees a darker, noisier or blurred one.
    """

    def __init__(self, dataset: RoadDataset, teacher: Predictor) -> None:
        self._dataset = dataset
        self._taught = [ask(teacher, dataset[index]) for index in range(len(dataset))]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample with what the teacher says."""
        return replace(self._dataset[index], taught=self._taught[index])


class Untaught(RoadDataset):
    """A dataset of which the teacher says nothing, beside others of which it does."""

    def __init__(self, dataset: RoadDataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample with nothing said."""
        sample = self._dataset[index]
        return replace(sample, taught=np.full_like(sample.labels, IGNORE))


def ask(teacher: Predictor, sample: Sample) -> np.ndarray:
    """Return a teacher's road probability of a sample as ``Sample.taught`` holds it."""
    mirrored = replace(sample, image=np.ascontiguousarray(sample.image[:, ::-1]))
    both = teacher(sample)[0].astype(np.float32) + teacher(mirrored)[0][:, ::-1]
    return np.round(both / 2 * (IGNORE - 1) / 255).astype(np.uint8)
