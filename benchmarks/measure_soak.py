# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Run the node for long and see that its memory stays flat and every image is accounted for.

    python benchmarks/measure_soak.py --minutes 30

One camera of 1242x375 at 10 Hz through the packaged checkpoint. The resident memory is that of
the last tenth of the run against that of the first tenth after a warm-up of a minute (or a fifth
of a shorter run). Exit code 1 where it grew by 1 % or more, or an image is in no count.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from typing import Any

import numpy as np
import source_tree  # noqa: F401
from node_bench import Bench, NodeProcess, unexplained

from fcn_seg_ros.dds import use_private_domain

WARM_UP_S = 60.0
SAMPLE_S = 1.0
MOST_GROWTH_PERCENT = 1.0


def growth_percent(samples: list[tuple[float, float]], seconds: float) -> tuple[float, float]:
    """Return (MiB after the warm-up, growth in percent) of samples (seconds, MiB)."""
    warm = [mib for at, mib in samples if at >= min(WARM_UP_S, seconds / 5)]
    tenth = max(1, len(warm) // 10)
    before, after = float(np.mean(warm[:tenth])), float(np.mean(warm[-tenth:]))
    return before, 100 * (after / before - 1)


def measure(minutes: float, rate: float, domain: int, arguments: list[str]) -> dict[str, Any]:
    """Run, and return the figures."""
    seconds = 60 * minutes
    node = NodeProcess(domain, arguments)
    bench = Bench(domain)
    samples: list[tuple[float, float]] = []
    stop = threading.Event()

    def sample(start: float) -> None:
        while not stop.wait(SAMPLE_S):
            samples.append((time.monotonic() - start, node.rss_mib()))
    try:
        bench.wait_for_node()
        sampler = threading.Thread(target=sample, args=(time.monotonic(),))
        sampler.start()
        sent = bench.feed(rate, seconds)
        stop.set()
        sampler.join()
        bench.drain()
        counts, status = bench.counts('camera'), bench.status['camera']
    finally:
        stop.set()
        bench.close()
        node.stop()
    before, growth = growth_percent(samples, seconds)
    return {'minutes': minutes, 'sent': sent, 'counts': counts,
            'unexplained': unexplained(counts, sent), 'masks_received': len(bench.masks['camera']),
            'rss_mib_warm': round(before, 1), 'rss_growth_percent': round(growth, 2),
            'segment_ms_p50': float(status['segment_ms_p50']),
            'age_ms_p95': float(status['age_ms_p95']), 'backend': status['backend']}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--rate', type=float, default=10.0)
    parser.add_argument('--device', default='auto')
    options = parser.parse_args()
    figures = measure(options.minutes, options.rate, int(use_private_domain({})),
                      ['-p', f'device:={options.device}'])
    print(json.dumps(figures))
    good = figures['rss_growth_percent'] < MOST_GROWTH_PERCENT and not figures['unexplained']
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
