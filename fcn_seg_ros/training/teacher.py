# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Distillation: a network learns a trained network's probabilities in addition to the labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, RoadDataset, Sample
from fcn_seg_ros.evaluation.predictors import Predictor


class Taught(RoadDataset):
    """
    A dataset with a teacher's answer to each image, computed once and kept in memory.

    The answer is the mean over the original image and its mirror image. The augmentation transforms
    it with the labels, so the teacher sees a clear picture where its student sees a darker, noisier
    or blurred one.
    """

    def __init__(self, dataset: RoadDataset, teacher: Predictor) -> None:
        self._dataset = dataset
        self._taught = [ask(teacher, dataset[index]) for index in range(len(dataset))]

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample with the teacher's answer."""
        return replace(self._dataset[index], taught=self._taught[index])


class Untaught(RoadDataset):
    """A dataset without a teacher, for a mixture with others that have one."""

    def __init__(self, dataset: RoadDataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample with an empty answer."""
        sample = self._dataset[index]
        return replace(sample, taught=np.full_like(sample.labels, IGNORE))


def ask(teacher: Predictor, sample: Sample) -> np.ndarray:
    """Return a teacher's road probability for a sample, in the format of ``Sample.taught``."""
    mirrored = replace(sample, image=np.ascontiguousarray(sample.image[:, ::-1]))
    both = teacher(sample).probability.astype(np.float32) + teacher(mirrored).probability[:, ::-1]
    return np.round(both / 2 * (IGNORE - 1) / 255).astype(np.uint8)
