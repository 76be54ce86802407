# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Choose the frames to show: the lowest by some value, but not one moment over and over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

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
