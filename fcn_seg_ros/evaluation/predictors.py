# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sources of the probability to score: a network, or files of any other program."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.datasets.class_file import ClassList, classes_of
from fcn_seg_ros.datasets.images import read_grey
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.foreign import ForeignNetwork
from fcn_seg_ros.inference.segmentation import resolve_threshold
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint_info import is_binary


class Answer(NamedTuple):
    """
    What a predictor says of an image.

    ``probability`` is round(255 P(road)), uint8 (H, W); ``milliseconds`` what that took, NaN if not
    applicable. ``mask`` is that of a network of several classes, uint8 (H, W); others have None, as
    probability and threshold say everything.
    """

    probability: np.ndarray
    milliseconds: float = float('nan')
    mask: np.ndarray | None = None


class Predictor(Protocol):
    """
    A source of road probabilities.

    ``threshold`` is that of its masks, on P(road). A network of several classes has ``classes``;
    its masks hold the likeliest class and have no threshold.
    """

    threshold: float
    classes: ClassList | None

    def __call__(self, sample: Sample) -> Answer:
        """Return what it says of a sample's image."""
        ...


class Network:
    """A segmenter as a predictor."""

    def __init__(self, segmenter: RoadSegmenter) -> None:
        self._segmenter = segmenter
        self.threshold = segmenter.threshold
        info = segmenter.info
        self.classes = None if is_binary(info) else classes_of(info)

    def __call__(self, sample: Sample) -> Answer:
        """Segment the sample's image."""
        result = self._segmenter.segment(sample.image)
        return Answer(result.probability, result.times.total,
                      None if self.classes is None else result.mask)


class Foreign:
    """A network of another project as a predictor."""

    classes: ClassList | None = None

    def __init__(self, network: ForeignNetwork, threshold: float | None = None) -> None:
        self._network = network
        self.threshold = resolve_threshold(threshold, network.threshold)

    def __call__(self, sample: Sample) -> Answer:
        """Segment the sample's image."""
        return Answer(*self._network.timed(sample.image))


class StoredProbabilities:
    """
    Files ``folder/NAME.png`` as ``segment --probability`` writes them.

    8-bit grey, round(255 P(road)), of the image's size. Raises InputError if the folder is missing,
    and, when called, for a file that is missing, damaged or of another kind or size.
    """

    classes: ClassList | None = None

    def __init__(self, folder: str | Path, threshold: float = 0.5) -> None:
        self.folder, self.threshold = Path(folder), threshold
        if not self.folder.is_dir():
            raise InputError(f'{self.folder}: expected a folder of probability images, found none')

    def __call__(self, sample: Sample) -> Answer:
        """Read the sample's file."""
        path = self.folder / f'{sample.name}.png'
        probability = read_grey(path)
        if probability.shape != sample.labels.shape:
            height, width = sample.labels.shape
            raise InputError(f'{path}: expected the size of the image, {width}x{height}, found '
                             f'{probability.shape[1]}x{probability.shape[0]}')
        return Answer(probability)
