# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether a segmenter stays as it is: memory and times over many frames."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np

from fcn_seg_ros.benchmark.memory import resident_mib
from fcn_seg_ros.benchmark.timing import summary
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter

_WARM_UP = 50


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


def _resident() -> float:
    gc.collect()
    return resident_mib()
