# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A segmenter over many images: memory growth, and the cost of pauses."""

from __future__ import annotations

import gc
import resource
import time
from typing import Any

import numpy as np

from fcn_seg_ros.benchmark.memory import in_own_process, resident_mib
from fcn_seg_ros.benchmark.timing import summary
from fcn_seg_ros.benchmark.variants import Variant
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter

_WARM_UP = 50


def steady_state(variant: Variant, image: np.ndarray, frames: int) -> dict[str, Any]:
    """
    Segment ``frames`` images in a row, in a separate process.

    Returns JSON values, as ``frames_in_a_row`` does. Raises InputError for fewer than 100 frames,
    of which a p99 says nothing.
    """
    if frames < 100:
        raise InputError(f'--steady: expected at least 100 frames, found {frames}')
    return {'variant': variant.name} | in_own_process(_run, variant, image, frames)


def _run(variant: Variant, image: np.ndarray, frames: int) -> dict[str, Any]:
    return frames_in_a_row(variant.open(), image, frames)


def frames_in_a_row(segmenter: RoadSegmenter, image: np.ndarray, frames: int) -> dict[str, Any]:
    """
    Segment an image ``frames`` times; return memory growth and times as JSON values.

    The memory is the resident one of this process after some warm-up and after the last frame.
    Page faults (minor ones) are how often the system had to hand out a page of memory: about none
    where every frame gets along with what the frames before it gave back.
    """
    for _ in range(_WARM_UP):
        segmenter.segment(image)
    before, times = _resident(), np.empty(frames)
    faults = _page_faults()
    for index in range(frames):
        times[index] = segmenter.segment(image).times.total
    faults = _page_faults() - faults
    growth = _resident() - before
    found = summary(times)
    return {'frames': frames, 'ms': found, 'p99_over_p50': round(found['p99'] / found['p50'], 3),
            'resident_mib': round(before, 1), 'growth_mib': round(growth, 2),
            'page_faults_a_frame': round(faults / frames, 2)}


class Alone:
    """
    A segmenter in this process: calls in a row, and as many at a camera's rate, turn by turn.

    Processors that have been idle between two images are slower at first, two that work together
    above all: this is what a node's time from image to mask contains of it. Turns, so that what it
    is compared with can be measured in between.
    """

    def __init__(self, segmenter: RoadSegmenter, image: np.ndarray, rate_hz: float) -> None:
        self._segmenter, self._image, self._rate_hz = segmenter, image, rate_hz
        self._in_a_row: list[float] = []
        self._paced: list[float] = []
        for _ in range(_WARM_UP):
            segmenter.segment(image)

    def turn(self, calls: int) -> None:
        """Make ``calls`` calls of either kind."""
        self._in_a_row += [self._call() for _ in range(calls)]
        due = time.monotonic()
        for _ in range(calls):
            due += 1.0 / self._rate_hz
            time.sleep(max(0.0, due - time.monotonic()))
            self._paced.append(self._call())

    def summary(self) -> dict[str, Any]:
        """Return the times so far as JSON values, ``in_a_row_ms`` and ``paced_ms``."""
        return {'in_a_row_ms': summary(np.array(self._in_a_row)),
                'paced_ms': summary(np.array(self._paced))}

    def _call(self) -> float:
        return self._segmenter.segment(self._image).times.total


def _resident() -> float:
    gc.collect()
    return resident_mib()


def _page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
