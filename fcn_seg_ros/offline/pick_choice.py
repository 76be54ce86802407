# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Choose the frames of a recording that are most worth labelling.

A farthest-first traversal (Gonzalez, 1985; for choosing what to label: Sener and Savarese, "Active
Learning for Convolutional Neural Networks: A Core-Set Approach", ICLR 2018) whose distances are
multiplied by how much the network has to learn from a frame. It is deterministic: sums are of
integers, and of equal frames the first one wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# Rows of looks that are converted at a time.
_BLOCK = 4096
# From this place among all frames (0 to 1) on, a score is named as a reason.
_HIGH = 0.8
# Shorter distances in time than this are none.
_LEAST_APART_S = 1e-3
REASONS = ('unsure of the road\'s edge', 'the networks disagree', 'unlike the others')


class Frames(Protocol):
    """What is known of N frames; see ``FrameScores``."""

    edge_doubt: list[float]
    disagreement: list[float]
    source: list[int]
    time_ns: list[int]

    @property
    def looks(self) -> np.ndarray:
        """Return uint8 (N, D)."""
        ...


@dataclass(frozen=True)
class Pick:
    """
    A chosen frame: its index, its distance in looks to those chosen before, and why it was chosen.

    A distance of 1 is what two frames at random have on average; the first frame's is infinite.
    """

    index: int
    distance: float
    reasons: tuple[str, ...]


def choose(frames: Frames, wanted: int, apart_s: float, parts: Sequence[slice]
           ) -> tuple[list[Pick], float]:
    """
    Return the chosen frames, the most valuable first, and their least distance in time.

    At most ``wanted`` frames: those that look exactly like chosen ones are not worth it. Frames of
    one camera are ``apart_s`` seconds apart, or half of that, a quarter, ... where there are not
    enough. ``parts`` are those of the looks that count the same.
    """
    looks = frames.looks
    # A score that is the same everywhere says nothing.
    scores = [places(each) if np.ptp(each) else np.zeros(len(each))
              for each in map(np.array, (frames.edge_doubt, frames.disagreement))]
    telling = [each for each in scores if each.any()]
    worth = np.mean(telling, axis=0) if telling else np.ones(len(looks))
    distances = _Distances(looks, parts)
    time_s, source = np.array(frames.time_ns) / 1e9, np.array(frames.source)
    nearest = np.full(len(looks), np.inf)
    gap = np.full(len(looks), np.inf)
    picks: list[Pick] = []
    while len(picks) < min(wanted, len(looks)):
        value = worth * (nearest if picks else 1.0)
        value[[pick.index for pick in picks]] = 0.0
        if not value.any():
            break
        while not (value * (gap >= apart_s)).any():
            apart_s = apart_s / 2 if apart_s > _LEAST_APART_S else 0.0
        index = int(np.argmax(value * (gap >= apart_s)))
        new = places(nearest)[index] if picks else 0.0
        picks.append(Pick(index, float(nearest[index]),
                          _reasons([*(each[index] for each in scores), new])))
        nearest = np.minimum(nearest, distances.to(index))
        same = source == source[index]
        gap[same] = np.minimum(gap[same], abs(time_s[same] - time_s[index]))
    return picks, apart_s


def places(values: np.ndarray) -> np.ndarray:
    """Return each value's place among all, 0 (lowest) to 1; equal values share the middle one."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles: np.ndarray = (np.cumsum(counts) - counts / 2) / len(values)
    return middles[number]


def _reasons(found: list[float]) -> tuple[str, ...]:
    """Return the names of the scores with a high place, or of the highest one."""
    limit = min(_HIGH, max(found))
    return tuple(name for name, place in zip(REASONS, found, strict=True) if place >= limit)


class _Distances:
    """Distances in looks, in which each part has the same spread."""

    def __init__(self, looks: np.ndarray, parts: Sequence[slice]) -> None:
        self._looks = looks
        self._scaled = [(part, 1.0 / (2.0 * spread * len(parts))) for part in parts
                        if (spread := _spread(looks[:, part])) > 0]

    def to(self, index: int) -> np.ndarray:
        """Return the distances of all frames to one, float64 (N,)."""
        found: list[np.ndarray] = []
        for block in _blocks(self._looks):
            total = np.zeros(len(block))
            for part, scale in self._scaled:
                away = block[:, part].astype(np.int32) - self._looks[index, part]
                total += scale * np.einsum('ij,ij->i', away, away)
            found.append(np.sqrt(total))
        return np.concatenate(found)


def _spread(values: np.ndarray) -> float:
    """Return the sum of the variances of all columns."""
    total = np.zeros(values.shape[1], np.int64)
    squares = 0
    for block in _blocks(values):
        wide = block.astype(np.int64)
        total += wide.sum(axis=0)
        squares += int((wide * wide).sum())
    mean = total / max(1, len(values))
    return squares / max(1, len(values)) - float((mean * mean).sum())


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    return (values[at:at + _BLOCK] for at in range(0, len(values), _BLOCK))
