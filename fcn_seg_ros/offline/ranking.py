# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Choose the frames to show: the lowest by some value, but not one moment over and over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar('T')

#: Frames are of one moment if their numbers lie in the same span of so many.
MOMENT = 10


def lowest_spread(values: Iterable[tuple[int, float]], most: int) -> list[int]:
    """
    Return the numbers of at most ``most`` frames with low values, by falling need to be seen.

    ``values`` holds number and value of each frame. The lowest frame of every moment comes first,
    lowest moment first, then the second of every moment, and so on. Frames that are left out can be
    left out of a later choice among more frames too.
    """
    rank: Counter[int] = Counter()
    ranked = []
    for value, number in sorted((value, number) for number, value in values):
        ranked.append((rank[number // MOMENT], value, number))
        rank[number // MOMENT] += 1
    return [number for _, _, number in sorted(ranked)[:most]]


class Lowest(Generic[T]):
    """What belongs to the lowest frames among those offered, chosen as by ``lowest_spread``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[int, tuple[float, T]] = {}

    def offer(self, number: int, value: float, make: Callable[[], T]) -> None:
        """Keep what ``make`` returns, which is called only if the frame is among the lowest."""
        values = {each: kept[0] for each, kept in self._kept.items()} | {number: value}
        wanted = lowest_spread(values.items(), self._most)
        if number in wanted:
            self._kept[number] = value, make()
            self._kept = {each: self._kept[each] for each in wanted}

    @property
    def kept(self) -> dict[int, T]:
        """Return what is kept by number, the most in need to be seen first."""
        return {number: each for number, (_, each) in self._kept.items()}
