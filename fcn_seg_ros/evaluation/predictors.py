# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Sources of the probability to score: a network, or files of any other program."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.datasets.images import read_grey
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.foreign import ForeignNetwork
from fcn_seg_ros.inference.segmentation import resolve_threshold
from fcn_seg_ros.inference.segmenter import RoadSegmenter


class Predictor(Protocol):
    """
    A source of road probabilities.

    Calling it with a sample returns round(255 P(road)) as uint8 (H, W) and the milliseconds that
    took, NaN if not applicable; ``threshold`` is that of its masks, on P(road).
    """

    threshold: float

    def __call__(self, sample: Sample) -> tuple[np.ndarray, float]:
        """Return probability and milliseconds."""
        ...


class Network:
    """A segmenter as a predictor."""

    def __init__(self, segmenter: RoadSegmenter) -> None:
        self._segmenter = segmenter
        self.threshold = segmenter.threshold

    def __call__(self, sample: Sample) -> tuple[np.ndarray, float]:
        """Segment the sample's image."""
        result = self._segmenter.segment(sample.image)
        return result.probability, result.times.total


class Foreign:
    """A network of another project as a predictor."""

    def __init__(self, network: ForeignNetwork, threshold: float = -1.0) -> None:
        self._network = network
        self.threshold = resolve_threshold(threshold, network.threshold)

    def __call__(self, sample: Sample) -> tuple[np.ndarray, float]:
        """Segment the sample's image."""
        return self._network.timed(sample.image)


class StoredProbabilities:
    """
    Files ``folder/NAME.png`` as ``segment --probability`` writes them.

    8-bit grey, round(255 P(road)), of the image's size. Raises InputError if the folder is missing,
    and, when called, for a file that is missing, damaged or of another kind or size.
    """

    def __init__(self, folder: str | Path, threshold: float = 0.5) -> None:
        self.folder, self.threshold = Path(folder), threshold
        if not self.folder.is_dir():
            raise InputError(f'{self.folder}: expected a folder of probability images, found none')

    def __call__(self, sample: Sample) -> tuple[np.ndarray, float]:
        """Read the sample's file."""
        path = self.folder / f'{sample.name}.png'
        probability = read_grey(path)
        if probability.shape != sample.labels.shape:
            height, width = sample.labels.shape
            raise InputError(f'{path}: expected the size of the image, {width}x{height}, found '
                             f'{probability.shape[1]}x{probability.shape[0]}')
        return probability, float('nan')
