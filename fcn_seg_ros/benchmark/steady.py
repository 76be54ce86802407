# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Run a segmenter on many images: memory growth, and the cost of pauses."""

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
    for which a p99 is meaningless.
    """
    if frames < 100:
        raise InputError(f'--steady: expected at least 100 frames, found {frames}')
    return {'variant': variant.name} | in_own_process(_run, variant, image, frames)


def _run(variant: Variant, image: np.ndarray, frames: int) -> dict[str, Any]:
    return frames_in_a_row(variant.open(), image, frames)


def frames_in_a_row(segmenter: RoadSegmenter, image: np.ndarray, frames: int) -> dict[str, Any]:
    """
    Segment an image ``frames`` times; return memory growth and times as JSON values.

    Memory is this process's resident memory, after a warm-up and after the last frame. Page faults
    (minor ones) count how often the system had to provide a page of memory: hardly ever, if each
    frame reuses what earlier frames have freed.
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
    A segmenter in this process, called in a row and at a camera's rate, alternately.

    CPUs that were idle between two images are slower at first, above all when several work
    together. The difference is the part of a node's time from image to mask that such pauses cost.
    Calls come in short turns so that the node can be measured in between.
    """

    def __init__(self, segmenter: RoadSegmenter, image: np.ndarray, rate_hz: float) -> None:
        self._segmenter, self._image, self._rate_hz = segmenter, image, rate_hz
        self._in_a_row: list[float] = []
        self._paced: list[float] = []
        for _ in range(_WARM_UP):
            segmenter.segment(image)

    def turn(self, calls: int) -> None:
        """Make ``calls`` calls of each kind."""
        self._in_a_row += [self._call() for _ in range(calls)]
        due = time.monotonic()
        for _ in range(calls):
            due += 1.0 / self._rate_hz
            time.sleep(max(0.0, due - time.monotonic()))
            self._paced.append(self._call())

    def summary(self) -> dict[str, Any]:
        """Return the times so far, ``in_a_row_ms`` and ``paced_ms``, as JSON values."""
        return {'in_a_row_ms': summary(np.array(self._in_a_row)),
                'paced_ms': summary(np.array(self._paced))}

    def _call(self) -> float:
        return self._segmenter.segment(self._image).times.total


def _resident() -> float:
    gc.collect()
    return resident_mib()


def _page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
