# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a dataset of road images is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

IGNORE = 255


@dataclass(frozen=True)
class Sample:
    """
    An image and its truth.

    ``image`` is uint8 RGB of shape (H, W, 3); ``labels`` uint8 of shape (H, W): 0 not road,
    1 road, 255 not labelled. ``taught``, where a teacher has seen the image, is its road
    probability, round(254 P) as uint8 (H, W), 255 where it says nothing.
    """

    name: str
    image: np.ndarray
    labels: np.ndarray
    taught: np.ndarray | None = None


class RoadDataset(Protocol):
    """A sized, indexable set of samples; the same index always gives the same sample."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """Return one sample."""
        ...


@dataclass(frozen=True)
class Classes:
    """
    What every pixel of a sample shows: ids, uint8 (H, W), and their names.

    The names are common to all datasets: car, lorry, bus, motorcycle, pedestrian, cyclist,
    pavement, road; others may be a dataset's own.
    """

    ids: np.ndarray
    names: Mapping[int, str]


@runtime_checkable
class ClassedDataset(Protocol):
    """A RoadDataset that knows more classes than road."""

    def __len__(self) -> int:
        """Return the number of samples."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """Return one sample."""
        ...

    def classes(self, index: int) -> Classes:
        """Return what the pixels of a sample show."""
        ...


class Joined:
    """
    Several datasets as one, in the order given.

    With ``numbered`` a sample's name begins with the number of its dataset, and so is its own.
    """

    def __init__(self, parts: Sequence[RoadDataset], numbered: bool = False) -> None:
        self._samples = [(part, index) for part in parts for index in range(len(part))]
        self._numbers = {id(part): number for number, part in enumerate(parts)}
        self._numbered = numbered

    def __len__(self) -> int:
        """Return the number of samples of all parts."""
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample of the part that holds it."""
        part, position = self._samples[index]
        sample = part[position]
        if not self._numbered:
            return sample
        return replace(sample, name=f'{self._numbers[id(part)]}/{sample.name}')


class Part:
    """Some samples of a dataset, by their numbers."""

    def __init__(self, dataset: RoadDataset, numbers: Sequence[int]) -> None:
        self._dataset = dataset
        self._numbers = numbers

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._numbers)

    def __getitem__(self, index: int) -> Sample:
        """Return one sample."""
        return self._dataset[self._numbers[index]]


class InMemory:
    """A dataset whose samples are decoded once and kept (1.8 MB for a KITTI image)."""

    def __init__(self, dataset: RoadDataset) -> None:
        self._dataset = dataset
        self._kept: dict[int, Sample] = {}

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        """Return one sample, from memory the second time."""
        if index not in self._kept:
            self._kept[index] = self._dataset[index]
        return self._kept[index]
