# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measure seg_node and the tutorial node as processes, saturated and at camera rate."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.benchmark.camera import camera_and_planner
from fcn_seg_ros.benchmark.steady import Alone
from fcn_seg_ros.benchmark.timing import summary
from fcn_seg_ros.dds import use_private_domain, use_shipped_profile
from fcn_seg_ros.drives.child import Child, executable
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.node.cpu_latency import CPU_LATENCY_DEVICE
from fcn_seg_ros.processes import command as python
from fcn_seg_ros.shared_memory import remove_stale

CAMERA_HZ = 10.0
_SATURATE_S = 8.0
_SETTLE_S = 2.0
# Long enough for CPUs to reach the sleep states typical of the camera's rate.
_TURN = 50


def measure_nodes(checkpoint: Path, height: int, device: str, image: np.ndarray, frames: int,
                  saturating_hz: float, rounds: int = 2,
                  say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """
    Measure both nodes with the same camera; return JSON values.

    Camera and planner are in this process, the node in another. For both nodes in turn: masks per
    second while images arrive at ``saturating_hz``. For seg_node: milliseconds from publishing an
    image to its mask, over ``frames`` images at 10 Hz and alternating with calls of an equal
    segmenter in this process; its own stage times; under ``awake`` the same with CPUs kept awake,
    where this process may request that; and seconds from start to first mask, with the present
    cache and with an empty one. Raises InputError if a node exits or gives no mask.
    """
    use_shipped_profile()
    remove_stale()
    use_private_domain()
    own = [*executable('seg_node'), '--ros-args', '-p', f'network_height:={height}',
           '-p', f'checkpoint:={json.dumps(str(checkpoint))}', '-p', f'device:={device}']
    tutorial = python('fcn_seg_ros.benchmark.tutorial_node', str(checkpoint), str(height))
    rates: dict[str, list[float]] = {'tutorial_node': [], 'seg_node': []}
    starts: list[float] = []
    for number in range(rounds):
        for name, command in (('tutorial_node', tutorial), ('seg_node', own)):
            say(f'{name}, round {number + 1} of {rounds}')
            with _Run(name, command, image) as run:
                start = run.planner.wait_for_mask(run.check)
                rates[name].append(run.masks_a_second(saturating_hz))
                if name == 'seg_node':
                    starts.append(start)

    def open_segmenter(backend: str, precision: str) -> RoadSegmenter:
        return RoadSegmenter(checkpoint, device, precision, height, backend=backend)
    say('seg_node at camera rate, alternating with a bare segmenter')
    # A node of its own, so that its figures cover nothing else.
    with _Run('seg_node', own, image) as run:
        starts.append(run.planner.wait_for_mask(run.check))
        found = run.latency(frames, open_segmenter)
    if os.access(CPU_LATENCY_DEVICE, os.W_OK):
        say('seg_node at camera rate, CPUs kept awake')
        with _Run('seg_node', [*own, '-p', 'cpu_latency_us:=0'], image) as run:
            run.planner.wait_for_mask(run.check)
            found['awake'] = run.latency(frames, open_segmenter)
    say('seg_node, with an empty cache')
    cold = _cold_start(own, image)
    medians = {name: float(np.median(values)) for name, values in rates.items()}
    return {'saturating_hz': saturating_hz,
            'masks_a_second': {name: [round(v, 2) for v in values]
                               for name, values in rates.items()},
            'throughput_ratio': round(medians['seg_node'] / medians['tutorial_node'], 2),
            'first_mask_s': [round(start, 2) for start in starts],
            'first_mask_cold_s': round(cold, 2), **found}


def _cold_start(command: list[str], image: np.ndarray) -> float:
    """Return the seconds from start to first mask with an empty cache."""
    with tempfile.TemporaryDirectory() as cache, _Run(
            'seg_node', ['env', f'FCN_SEG_CACHE={cache}', *command], image) as run:
        return run.planner.wait_for_mask(run.check)


class _Run:
    """A node in a separate process with its camera and planner, as a context manager."""

    def __init__(self, name: str, command: list[str], image: np.ndarray) -> None:
        self._image = image
        with ExitStack() as stack:
            self.planner = stack.enter_context(camera_and_planner(image))
            self._child = stack.enter_context(Child(name, command))
            self._stack = stack.pop_all()

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def check(self) -> None:
        """Raise InputError if the node has exited."""
        status = self._child.status()
        if status is not None:
            raise InputError(f'{self._child.name}: exited with status {status}: '
                             f'{self._child.last_words()}')

    def masks_a_second(self, rate_hz: float) -> float:
        """Return the masks per second while images arrive faster than that."""
        self.planner.publish(round(rate_hz * _SETTLE_S), rate_hz)
        self.planner.forget()
        begin = time.monotonic()
        self.planner.publish(round(rate_hz * _SATURATE_S), rate_hz)
        seconds = time.monotonic() - begin
        self.check()
        if not self.planner.arrived:
            raise InputError(f'{self._child.name}: no mask within {_SATURATE_S:g} s; is the '
                             'machine busy?')
        return len(self.planner.arrived) / seconds

    def latency(self, frames: int, open_segmenter: Callable[[str, str], RoadSegmenter]
                ) -> dict[str, Any]:
        """
        Return milliseconds from image to mask at camera rate, and the node's own figures.

        Measurements alternate with a bare segmenter of the same backend and precision.
        """
        self._settle()
        reported = self.planner.diagnostics
        if keys.BACKEND not in reported:
            raise InputError('seg_node: published no diagnostics that name its backend')
        backend, precision = reported[keys.BACKEND], reported[keys.PRECISION]
        alone = Alone(open_segmenter(backend, precision), self._image, CAMERA_HZ)
        times: list[float] = []
        for begin in range(0, frames, _TURN):
            count = min(_TURN, frames - begin)
            self._settle()
            self.planner.publish(count, CAMERA_HZ)
            self.planner.serve(time.monotonic() + _SETTLE_S)
            self.check()
            times.extend(self.planner.latencies())
            alone.turn(count)
        if not times:
            raise InputError(f'seg_node: no mask arrived at {CAMERA_HZ:g} Hz')
        return {'frames': frames, 'masks': len(times),
                'image_to_mask_ms': summary(np.array(times)), 'segmenter': alone.summary(),
                'backend': backend, 'precision': precision,
                'node_reports': {key: value for key, value in self.planner.diagnostics.items()
                                 if '_ms' in key}}

    def _settle(self) -> None:
        """Let the node settle at this rate; these images do not count."""
        self.planner.publish(round(CAMERA_HZ * _SETTLE_S), CAMERA_HZ)
        self.planner.forget()
