# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Datasets made of pairs of files: an image and its ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.images import read_rgb, read_size
from fcn_seg_ros.errors import InputError


class SizeMismatch(InputError):
    """An image and a ground truth of different size."""


@dataclass(frozen=True)
class Pair:
    """The two files of a sample."""

    name: str
    image: Path
    truth: Path


class PairedFiles(RoadDataset):
    """
    Samples that are pairs of files, found by name.

    ``find`` returns the files for a name, or raises InputError if one is missing; ``labels`` reads
    a ground truth file as uint8 (H, W), or raises InputError. The sizes of all files are read
    immediately. A faulty pair raises InputError, or, if not ``strict``, is left out and its error
    listed in ``faults``. ``turn``: images are turned as their EXIF orientation says.
    """

    def __init__(self, names: Iterable[str], find: Callable[[str], Pair],
                 labels: Callable[[Path], np.ndarray], strict: bool = True, turn: bool = True
                 ) -> None:
        self.pairs: list[Pair] = []
        self._faults: list[InputError] = []
        self._labels = labels
        self._turn = turn
        for name in names:
            try:
                pair = find(name)
                _compare_sizes(pair, turn)
            except InputError as error:
                if strict:
                    raise
                self._faults.append(error)
            else:
                self.pairs.append(pair)
        self.names = [pair.name for pair in self.pairs]

    @property
    def faults(self) -> list[InputError]:
        """Return the faults of the pairs that were left out."""
        return self._faults

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample; raises InputError for a damaged file."""
        pair = self.pairs[index]
        return Sample(pair.name, read_rgb(pair.image, self._turn), self.labels(index))

    def labels(self, index: int) -> np.ndarray:
        """Return the labels alone; raises InputError for a damaged file."""
        return self._labels(self.pairs[index].truth)


def _compare_sizes(pair: Pair, turn: bool) -> None:
    image, truth = read_size(pair.image, turn), read_size(pair.truth, turn)
    if image == truth:
        return
    stored = turn and read_size(pair.image, False) == read_size(pair.truth, False)
    raise SizeMismatch(f'{pair.truth}: expected the size of {pair.image.name}, '
                       f'{image[0]}x{image[1]}, found {truth[0]}x{truth[1]}'
                       + (': one of them is turned by its EXIF orientation and the other is not'
                          if stored else ''))
