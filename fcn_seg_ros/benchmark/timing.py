# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Time calls alternately, so that other load affects all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import numpy as np

Call = Callable[[], Mapping[str, float]]
Key = TypeVar('Key', bound=Hashable)
PERCENTILES = (50, 95, 99)
# Calls in a row. The first does not count: the previous variant's threads may still spin, and
# caches are cold.
_BLOCK = 5
# Calls that take longer count once per turn, and get no more turns after a while.
_SLOW_S = 0.3
_ENOUGH_S = 30.0


def interleave(calls: Mapping[Key, Call], frames: int, done: Callable[[], object] = lambda: None
               ) -> dict[Key, dict[str, np.ndarray]]:
    """
    Make all calls alternately, a few of each, until about ``frames`` of each have counted.

    A call returns the milliseconds of its stages. Returns the times by key and stage, float64
    (calls,): at least ``frames`` of them, fewer if a call takes longer than 0.3 s. ``done`` is
    called after each round.
    """
    taken: dict[Key, list[Mapping[str, float]]] = {key: [] for key in calls}
    spent = dict.fromkeys(calls, 0.0)
    for _ in range(turns(frames)):
        for key, call in calls.items():
            if spent[key] > _ENOUGH_S:
                continue
            begin = time.perf_counter()
            call()
            slow = time.perf_counter() - begin > _SLOW_S
            taken[key] += [call() for _ in range(1 if slow else _BLOCK)]
            if slow:
                spent[key] += time.perf_counter() - begin
        done()
    return {key: {stage: np.array([times[stage] for times in rows]) for stage in rows[0]}
            for key, rows in taken.items()}


def timed(call: Callable[[], object]) -> Call:
    """Return a function that makes a call and returns its milliseconds."""
    def measured() -> Mapping[str, float]:
        start = time.perf_counter()
        call()
        return {'total': 1e3 * (time.perf_counter() - start)}
    return measured


def turns(frames: int) -> int:
    """Return the number of turns for ``frames`` calls."""
    return -(-frames // _BLOCK)


def summary(times: np.ndarray) -> dict[str, Any]:
    """Return the percentiles of times in milliseconds, and their number, as JSON values."""
    found: dict[str, Any] = {'calls': len(times)}
    return found | {f'p{level}': round(float(np.percentile(times, level)), 3)
                    for level in PERCENTILES}


def stages(times: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the summary of every stage."""
    return {stage: summary(values) for stage, values in times.items()}
