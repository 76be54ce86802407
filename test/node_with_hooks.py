# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The executable seg_node with hooks for measurements; what follows ``--`` are its own arguments.

    node_with_hooks.py [--sleep-s S] [--beat-s S] [--times FILE] -- [ROS arguments]

``--sleep-s``: every image takes the network this much longer, as on a slow device. ``--beat-s``:
the period of the diagnostics. ``--times``: write, as JSON lines, the stage times of every mask
(``{"camera": ...}``) and how long the executor's thread held each message, from the middleware's
take to the end of the callback (``{"topic": ..., "held_ms": ..., "held_cpu_ms": ...}``: by the
clock on the wall, and of processor time).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


class SlowedBackend:
    """A backend that sleeps before it computes."""

    def __init__(self, backend: Any, seconds: float) -> None:
        """Slow a backend down by ``seconds`` an image."""
        self._backend, self._seconds = backend, seconds
        self.name, self.device = backend.name, backend.device
        self.precision, self.reason = backend.precision, backend.reason

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Run the backend."""
        time.sleep(self._seconds * len(images))
        return self._backend(images)

    def close(self) -> None:
        """Close the backend."""
        self._backend.close()


def slow_down(seconds: float) -> None:
    """Make every segmenter's backend a slow one."""
    from fcn_seg_ros.inference import segmenter
    make = segmenter.make_backend
    segmenter.make_backend = lambda *args, **named: SlowedBackend(make(*args, **named), seconds)


def write_times(path: Path) -> None:
    """Log stage times and how long the executor is held."""
    from rclpy.executors import Executor

    from fcn_seg_ros.node.statistics import RecentTimes
    file = path.open('w', buffering=1)
    add, take = RecentTimes.add, Executor._take_subscription

    def logged_add(self: RecentTimes, stages: dict[str, float]) -> None:
        file.write(json.dumps({'camera': id(self)} | stages) + '\n')
        add(self, stages)

    def timed_take(self: Executor, subscription: Any) -> Any:
        start, start_cpu = time.perf_counter(), time.thread_time()
        execute = take(self, subscription)
        if execute is None:
            return None

        async def timed_execute() -> None:
            await execute()
            held_cpu = 1e3 * (time.thread_time() - start_cpu)
            held = 1e3 * (time.perf_counter() - start)
            file.write(json.dumps({'topic': subscription.topic, 'held_ms': held,
                                   'held_cpu_ms': held_cpu}) + '\n')
        return timed_execute

    RecentTimes.add, Executor._take_subscription = logged_add, timed_take


def main(args: Sequence[str]) -> int:
    """Install the hooks and run the node."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sleep-s', type=float, default=0.0)
    parser.add_argument('--beat-s', type=float, default=0.0)
    parser.add_argument('--times', type=Path)
    split = list(args).index('--')
    options = parser.parse_args(args[:split])
    if options.sleep_s:
        slow_down(options.sleep_s)
    if options.beat_s:
        from fcn_seg_ros.node import diagnostics
        diagnostics._PERIOD_S = options.beat_s
    if options.times:
        write_times(options.times)
    from fcn_seg_ros.cli.seg_node import main as seg_node
    return seg_node(args[split + 1:])


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
