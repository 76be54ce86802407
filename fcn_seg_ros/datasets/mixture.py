# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several datasets as one, each with a weight."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch

from fcn_seg_ros.datasets.base import Joined, RoadDataset, Sample
from fcn_seg_ros.errors import InputError

# Its multiples are spread most evenly between 0 and 1.
_GOLDEN = (math.sqrt(5) - 1) / 2


class Mixture(RoadDataset):
    """
    Several datasets joined, each with a weight that says how often an epoch uses its samples.

    A part of n samples and weight w contributes round(w n) samples to every epoch: with weight 1
    each once, with 0.5 half of them (the other half in the next epoch), with 2 each twice. Within
    an epoch, and over all epochs so far, the use counts of a part's samples differ by at most one.
    Choice and order depend on (seed, epoch) only. ``len`` and indexing are those of the joined
    parts, whatever the weights.

    ``repeats`` gives each part's samples factors, how often one is used compared with others; n is
    then their sum.
    """

    def __init__(self, parts: Sequence[RoadDataset], weights: Sequence[float] | None = None,
                 repeats: Sequence[Sequence[float] | np.ndarray] | None = None) -> None:
        self.weights = [1.0] * len(parts) if weights is None else list(weights)
        if not parts or len(self.weights) != len(parts):
            raise InputError('mixture: expected at least one dataset and a weight for each, '
                             f'found {len(parts)} datasets and {len(self.weights)} weights')
        for weight in self.weights:
            if not (weight > 0 and math.isfinite(weight)):
                raise InputError(f'mixture: expected weights above 0, found {weight}')
        self._parts = list(parts)
        self._joined = Joined(self._parts)
        self.repeats = ([np.ones(len(part)) for part in self._parts] if repeats is None
                        else [np.array(factors, float) for factors in repeats])
        self._quotas = [max(1, round(weight * factors.sum())) if len(factors) else 0
                        for weight, factors in zip(self.weights, self.repeats, strict=True)]

    @property
    def parts(self) -> list[RoadDataset]:
        """Return the datasets that are mixed."""
        return self._parts

    def __len__(self) -> int:
        """Return the number of samples of all parts."""
        return len(self._joined)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample of the part that holds it."""
        return self._joined[index]

    @property
    def epoch_length(self) -> int:
        """Return the number of samples of an epoch."""
        return sum(self._quotas)

    def indices(self, seed: int, epoch: int) -> list[int]:
        """Return the samples of an epoch, in order, as indices of the mixture."""
        return [index for index, _ in self.draws(seed, epoch)]

    def draws(self, seed: int, epoch: int) -> list[tuple[int, int]]:
        """
        Return an epoch's samples as (index, how often this epoch has used it before).

        The second number lets repeated samples be augmented differently.
        """
        chosen: list[tuple[int, int]] = []
        start = 0
        for number, (part, quota) in enumerate(zip(self.parts, self._quotas, strict=True)):
            # A window sliding cyclically over a fixed order uses all samples evenly.
            order = _permutation(len(part), mix_seed(seed, number, 1 << 40))
            ends = self.repeats[number][order].cumsum()
            # Between samples with factors it starts elsewhere each time, evenly spread.
            window = np.arange(epoch * quota, (epoch + 1) * quota) + epoch * _GOLDEN % 1
            found = np.searchsorted(ends, window % ends[-1], 'right') if quota else window
            # The last end is rounded, so nothing may lie behind it.
            times = Counter(start + order[min(position, len(order) - 1)]
                            for position in found.tolist())
            chosen += sorted((index, copy) for index, count in times.items()
                             for copy in range(count))
            start += len(part)
        return [chosen[i] for i in _permutation(len(chosen), mix_seed(seed, epoch, 0))]


def mix_seed(seed: int, epoch: int, index: int) -> int:
    """Return a 63-bit hash: changing any argument changes about half of the bits."""
    value = 0x243F6A8885A308D3
    # The seed is mixed like the others; XORing it with the epoch would only permute epochs.
    for part in (seed, epoch, index):
        value = (value ^ part & 0xFFFFFFFFFFFFFFFF) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 29
    return value & 0x7FFFFFFFFFFFFFFF


def _permutation(length: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(length, generator=generator).tolist()
