# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure the node under more images than it can segment.

    python benchmarks/measure_overload.py --seconds 60

First one camera at 30 Hz with the network slowed to 3 Hz: no mask may be older, when it is
published, than its own processing time + one period + 20 ms, and after the drain every image is
in exactly one count. Then three cameras at 10 Hz with a capacity of 15 images a second in total:
the share of each must be within 10 % of a third. The network is slowed by a sleep in its backend
(node_with_hooks.py). It prints the figures; exit code 1 where one is missed. On a machine that is
busy with other work the ages contain its stalls: bench_late_ms is how long this process itself was
held up at worst.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import source_tree  # noqa: F401
from node_bench import Bench, NodeProcess, small_checkpoint, unexplained

from fcn_seg_ros.dds import use_private_domain

ONE_RATE, ONE_CAPACITY = 30.0, 3.0
THREE = ('left', 'front', 'right')
THREE_RATE, THREE_CAPACITY = 10.0, 15.0
SLACK_MS = 20.0


def excess_age_ms(stages: dict[str, float], period_ms: float) -> float:
    """Return by how much a mask was older than its processing and one period of the camera."""
    own = ('convert', 'segment', 'publish')
    return stages['age'] - sum(stages[stage] for stage in own) - period_ms


def run(cameras: Sequence[str], rate: float, capacity: float, seconds: float, domain: int
        ) -> dict[str, Any]:
    """Feed the cameras, wait for the drain, and return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        node = NodeProcess(domain, [
            '-p', f'cameras:=[{", ".join(cameras)}]', '-p', 'device:=cpu',
            '-p', f'checkpoint:={small_checkpoint(Path(folder))}'],
            sleep_s=1.0 / capacity, times=True)
        bench = Bench(domain, cameras)
        try:
            bench.wait_for_node()
            sent = bench.feed(rate, seconds)
            bench.drain()
            counts = {camera: bench.counts(camera) for camera in cameras}
            excess = [excess_age_ms(line, 1e3 / rate) for line in node.times() if 'age' in line]
        finally:
            bench.close()
            node.stop()
    published = [own['published'] for own in counts.values()]
    shares = np.array(published) / max(1, sum(published))
    return {'cameras': len(cameras), 'rate_hz': rate, 'capacity_hz': capacity, 'sent': sent,
            'counts': counts, 'masks_received': sum(map(len, bench.masks.values())),
            'unexplained': sum(unexplained(own, sent) for own in counts.values()),
            'excess_age_ms_p50': round(float(np.median(excess)), 1),
            'excess_age_ms_p99': round(float(np.percentile(excess, 99)), 1),
            'excess_age_ms_max': round(max(excess), 1), 'bench_late_ms': round(bench.late_ms, 1),
            'largest_share_error_percent': round(
                100 * float(np.abs(shares * len(cameras) - 1).max()), 1)}


def main() -> int:
    """Print the figures of both runs."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=60.0)
    options = parser.parse_args()
    domain = int(use_private_domain({}))
    one = run(('camera',), ONE_RATE, ONE_CAPACITY, options.seconds, domain)
    print(json.dumps(one), flush=True)
    three = run(THREE, THREE_RATE, THREE_CAPACITY, options.seconds, domain)
    print(json.dumps(three))
    good = (one['excess_age_ms_max'] <= SLACK_MS and three['largest_share_error_percent'] <= 10
            and not one['unexplained'] and not three['unexplained'])
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
