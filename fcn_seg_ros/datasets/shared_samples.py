# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decoded samples, cached once for all processes that load them."""

from __future__ import annotations

import mmap
import multiprocessing
from itertools import pairwise

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.errors import InputError

# Offset of the sample's bytes (-1: not kept), height, width, bytes of its name, and which of the
# optional planes it has, one bit each.
_FIELDS = 5
_OPTIONAL = ('taught', 'codes')


class SharedSamples(RoadDataset):
    """
    A dataset whose samples are decoded once and kept, by this process and those it forks together.

    Samples are kept in the order of use until ``most_bytes`` are full; since every epoch needs all
    samples, replacing some would not help. The others are decoded every time. Memory is allocated
    as it is filled. It is an anonymous mapping, because /dev/shm is small in containers and a file
    might fill a disk. Raises InputError if the system does not have this much memory.
    """

    def __init__(self, dataset: RoadDataset, most_bytes: int) -> None:
        self._dataset = dataset
        self._lock = multiprocessing.get_context('fork').Lock()
        rows = len(dataset)
        try:
            self._pool = np.frombuffer(mmap.mmap(-1, max(1, most_bytes)), np.uint8)
            numbers = mmap.mmap(-1, 8 * (1 + _FIELDS * rows))
        except (OSError, ValueError, OverflowError) as error:
            raise InputError(f'image_memory: expected less than {most_bytes // 10**6} MB, the '
                             f'system has no more ({error})') from None
        self._room = most_bytes
        self._used = np.frombuffer(numbers, np.int64, 1)
        self._table = np.frombuffer(numbers, np.int64, offset=8).reshape(rows, _FIELDS)
        self._table[:, 0] = -1

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        """Return one sample; do not modify its arrays, which may be the cached ones."""
        with self._lock:
            row = self._table[index].copy()
        if row[0] >= 0:
            return self._kept(row)
        sample = self._dataset[index]
        self._keep(index, sample)
        return sample

    def _keep(self, index: int, sample: Sample) -> None:
        """Keep a sample if there is room for it and nobody else has kept it meanwhile."""
        planes = [np.frombuffer(sample.name.encode(), np.uint8), sample.image, sample.labels]
        optional = [getattr(sample, name) for name in _OPTIONAL]
        planes += [plane for plane in optional if plane is not None]
        bits = sum((plane is not None) << bit for bit, plane in enumerate(optional))
        size = sum(plane.size for plane in planes)
        with self._lock:
            start = int(self._used[0])
            if self._table[index, 0] >= 0 or start + size > self._room:
                return
            end = start
            for plane in planes:
                self._pool[end:end + plane.size] = plane.ravel()
                end += plane.size
            self._used[0] = end
            self._table[index] = (start, *sample.labels.shape, planes[0].size, bits)

    def _kept(self, row: np.ndarray) -> Sample:
        start, height, width, name, bits = map(int, row)
        optional = [plane for bit, plane in enumerate(_OPTIONAL) if bits >> bit & 1]
        ends = np.cumsum([start + name, *(depth * height * width
                                          for depth in (3, 1, *(1 for _ in optional)))])
        image, *planes = (self._pool[first:last] for first, last in pairwise(ends))
        labels, *others = (plane.reshape(height, width) for plane in planes)
        return Sample(self._pool[start:start + name].tobytes().decode(),
                      image.reshape(height, width, 3), labels,
                      **dict(zip(optional, others, strict=True)))
