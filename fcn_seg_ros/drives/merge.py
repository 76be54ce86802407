# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Merge sources of messages by time, opening each only when needed."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

# Its first field is its time.
T = TypeVar('T', bound=tuple[Any, ...])


def merge_lazily(sources: Iterable[tuple[int, Callable[[], Iterator[T]]]]) -> Iterator[T]:
    """
    Yield the items of all sources by time, their first field; ties keep the order of the sources.

    A source is a pair of the earliest time it may yield and the function that opens it. The times
    of its items must not decrease. A source is opened only when its earliest time is reached, so
    only one of several consecutive sources (chunks of a file, files of a split bag) is open at a
    time.
    """
    waiting = [(start, number, source) for number, (start, source) in enumerate(sources)]
    heapq.heapify(waiting)
    # (time, number of the source, its next item, the rest of it)
    heads: list[tuple[int, int, T, Iterator[T]]] = []
    while waiting or heads:
        while waiting and (not heads or waiting[0][:2] < heads[0][:2]):
            _, number, source = heapq.heappop(waiting)
            items = source()
            for item in items:
                heapq.heappush(heads, (item[0], number, item, items))
                break
        if not heads:
            continue
        _, number, item, items = heads[0]
        yield item
        for following in items:
            heapq.heapreplace(heads, (following[0], number, following, items))
            break
        else:
            heapq.heappop(heads)
