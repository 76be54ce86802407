# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what the node costs while nobody listens, and how long an image holds its executor.

    python benchmarks/measure_idle.py --seconds 30

A camera of 1242x375 publishes at 30 Hz. First nobody subscribes to the node's outputs: it prints
the processor time of the whole process as a share of one core (required: under 1 %). Then a mask
is subscribed to: it prints how long the executor's thread is held by an image, from the
middleware's take with its deserialisation to the end of the callback (required: p99 under 2 ms),
by the wall clock, and in processor time, which other work on the machine does not touch.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import source_tree  # noqa: F401
from node_bench import Bench, NodeProcess, small_checkpoint

from fcn_seg_ros.dds import use_private_domain

RATE = 30.0
SETTLE_S = 3.0
MOST_IDLE_PERCENT, MOST_HELD_MS = 1.0, 2.0


def idle_percent(node: NodeProcess, domain: int, seconds: float) -> float:
    """Return the share of one core that the node takes while nobody listens, in percent."""
    bench = Bench(domain, outputs=())
    try:
        bench.wait_for_node(subscribed=False)
        bench.feed(RATE, SETTLE_S)
        before, start = node.cpu_s(), time.monotonic()
        bench.feed(RATE, seconds)
        return 100 * (node.cpu_s() - before) / (time.monotonic() - start)
    finally:
        bench.close()


def held_ms(node: NodeProcess, domain: int, seconds: float) -> dict[str, list[float]]:
    """Return how long each image held the executor's thread, by wall clock and processor time."""
    bench = Bench(domain)
    try:
        bench.wait_for_node()
        bench.feed(RATE, seconds)
        bench.drain()
    finally:
        bench.close()
    lines = [line for line in node.times() if line.get('topic', '').endswith('image_raw')]
    return {name: [line[name] for line in lines] for name in ('held_ms', 'held_cpu_ms')}


def measure(seconds: float, domain: int) -> dict[str, Any]:
    """Return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        node = NodeProcess(domain, ['-p', f'checkpoint:={small_checkpoint(Path(folder))}',
                                    '-p', 'device:=cpu'], times=True)
        try:
            idle = idle_percent(node, domain, seconds)
            held = held_ms(node, domain, seconds)
        finally:
            node.stop()
    figures: dict[str, Any] = {'idle_percent_of_a_core': round(idle, 2),
                               'images': len(held['held_ms'])}
    for name, values in held.items():
        for share in (50, 99):
            figures[f'executor_{name}_p{share}'] = round(float(np.percentile(values, share)), 2)
    return figures


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=30.0)
    options = parser.parse_args()
    figures = measure(options.seconds, int(use_private_domain({})))
    print(json.dumps(figures))
    good = (figures['idle_percent_of_a_core'] < MOST_IDLE_PERCENT
            and figures['executor_held_ms_p99'] < MOST_HELD_MS)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
