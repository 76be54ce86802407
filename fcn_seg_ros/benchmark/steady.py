# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A segmenter over many frames: whether it stays as it is, and what a pause costs."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fcn_seg_ros.benchmark.memory import resident_mib
from fcn_seg_ros.benchmark.timing import summary
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter

_WARM_UP = 50
# Long enough for the processors to fall back to what they do at that rate.
_TURN = 50


def steady_state(segmenter: RoadSegmenter, image: np.ndarray, frames: int,
                 done: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """
    Segment ``frames`` images in a row and return memory growth and times as JSON values.

    The memory is the resident one after some warm-up and after the last frame. Raises InputError
    for fewer than 100 frames, of which a p99 says nothing.
    """
    if frames < 100:
        raise InputError(f'--steady: expected at least 100 frames, found {frames}')
    for _ in range(_WARM_UP):
        segmenter.segment(image)
    before, times = _resident(), np.empty(frames)
    for index in range(frames):
        times[index] = segmenter.segment(image).times.total
        done()
    growth = _resident() - before
    found = summary(times)
    return {'frames': frames, 'ms': found, 'p99_over_p50': round(found['p99'] / found['p50'], 3),
            'resident_mib': round(before, 1), 'growth_mib': round(growth, 2)}


def at_a_rate(segmenter: RoadSegmenter, image: np.ndarray, frames: int, rate_hz: float
              ) -> dict[str, Any]:
    """
    Return the times of ``frames`` calls in a row, and of as many at a camera's rate, in turns.

    As JSON values, ``in_a_row_ms`` and ``paced_ms``. Processors that have been idle between two
    images are slower at first, two that work together above all: this is what a node's time from
    image to mask contains of it.
    """
    for _ in range(_WARM_UP):
        segmenter.segment(image)
    in_a_row, paced = [], []
    for _ in range(-(-frames // _TURN)):
        in_a_row += [segmenter.segment(image).times.total for _ in range(_TURN)]
        due = time.monotonic()
        for _ in range(_TURN):
            due += 1.0 / rate_hz
            time.sleep(max(0.0, due - time.monotonic()))
            paced.append(segmenter.segment(image).times.total)
    return {'in_a_row_ms': summary(np.array(in_a_row)), 'paced_ms': summary(np.array(paced))}


def _resident() -> float:
    gc.collect()
    return resident_mib()
