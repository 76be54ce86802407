# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure how evenly this machine's processors compute after a pause, with nothing of this package.

    python benchmarks/measure_cores.py --bursts 300
    python benchmarks/measure_cores.py --bursts 300 --rate 0

On every processor a process of its own, pinned to it, computes small matrix products in bursts of
about 20 ms, all at the same moments (``--rate`` a second; 0: one burst after the other). A virtual
machine's processors may lie on one core of the host during a burst, and are then all slow at once;
or a neighbour takes a part of one. No program in the machine can do anything about either, so this
is what the p95 of a frame that is computed on all processors is to be read with. Prints a line of
JSON: milliseconds of a burst on the slowest processor, and the shares of bursts in which all, or
only some, took more than 1.6 times the median.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import source_tree  # noqa: F401

# So that a process computes in one thread; read when it imports NumPy.
_ONE_THREAD = dict.fromkeys(('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS'), '1')

_BURST_S = 0.02
_SIDE = 96
_SLOW = 1.6
_START_S = 3.0


def compute(products: int) -> float:
    """Compute so many matrix products; return the seconds."""
    values = np.ones((_SIDE, _SIDE), np.float32)
    out = np.empty_like(values)
    begin = time.perf_counter()
    for _ in range(products):
        np.matmul(values, values, out=out)
    return time.perf_counter() - begin


def products_in_a_burst() -> int:
    """Return how many products a burst has."""
    return round(500 * _BURST_S / min(compute(500) for _ in range(5)))


def bursts_on(processor: int, start: float, count: int, period_s: float, products: int
              ) -> list[float]:
    """Compute in bursts on one processor from a moment (monotonic) on; return their seconds."""
    os.sched_setaffinity(0, {processor})
    compute(products)
    found = []
    for number in range(count):
        time.sleep(max(0.0, start + number * period_s - time.monotonic()))
        found.append(compute(products))
    return found


def measure(count: int, rate_hz: float) -> dict[str, object]:
    """Return the figures of so many bursts."""
    processors = sorted(os.sched_getaffinity(0))
    os.environ |= _ONE_THREAD
    with ProcessPoolExecutor(len(processors), mp_context=get_context('spawn')) as pool:
        products = pool.submit(products_in_a_burst).result()
        start = time.monotonic() + _START_S
        jobs = [pool.submit(bursts_on, each, start, count, 1 / rate_hz if rate_hz else 0.0,
                            products) for each in processors]
        times = 1e3 * np.array([job.result() for job in jobs])
    slow = times > _SLOW * np.median(times)
    p50, p95, p99 = np.percentile(times.max(axis=0), (50, 95, 99)).round(1).tolist()
    return {'processors': len(processors), 'bursts': count, 'rate_hz': rate_hz,
            'slowest_ms': {'p50': p50, 'p95': p95, 'p99': p99},
            'all_slow': round(float(slow.all(axis=0).mean()), 4),
            'some_slow': round(float((slow.any(axis=0) & ~slow.all(axis=0)).mean()), 4)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bursts', type=int, default=300)
    parser.add_argument('--rate', type=float, default=10.0, help='bursts a second, 0: no pause')
    options = parser.parse_args()
    print(json.dumps(measure(options.bursts, options.rate)))


if __name__ == '__main__':
    main()
