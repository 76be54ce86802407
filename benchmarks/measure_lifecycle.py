# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure seg_node's transitions and what they leave in memory.

    python benchmarks/measure_lifecycle.py --cycles 50

Activates, deactivates, cleans up and configures a node again and again, with an image through it
in every cycle. It prints how long each transition took at most, and by how much the resident
memory grew over the second half of the cycles; exit code 1 where one but configure takes a second
or more, or the memory grows by 3 % or more.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import source_tree  # noqa: F401
from node_bench import small_checkpoint
from node_client import ACTIVATE, CLEANUP, CONFIGURE, DEACTIVATE, Client, image_message, running

NAMES = {CONFIGURE: 'configure', ACTIVATE: 'activate', DEACTIVATE: 'deactivate',
         CLEANUP: 'cleanup'}
LIMIT_S, LIMIT_PERCENT = 1.0, 3.0


def cycle(client: Client, times: dict[str, list[float]]) -> None:
    """Go once through all states, with one image while active."""
    image = np.random.default_rng(0).integers(0, 256, (96, 320, 3), np.uint8)
    for transition in (CONFIGURE, ACTIVATE, DEACTIVATE, CLEANUP):
        start = time.monotonic()
        if not client.change(transition):
            raise SystemExit(f'{NAMES[transition]} failed: {client.messages[-1]}')
        times[NAMES[transition]].append(time.monotonic() - start)
        if transition == ACTIVATE:
            client.connect()
            client.exchange(image_message(image, 1))


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cycles', type=int, default=50)
    parser.add_argument('--backend', default='auto')
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in NAMES.values()}
    resident = []
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = small_checkpoint(Path(folder))
        with running('-p', 'autostart:=false', '-p', f'checkpoint:={checkpoint}',
                     '-p', f'backend:={options.backend}') as node:
            client = Client(outputs=('mask',))
            for _ in range(options.cycles):
                cycle(client, times)
                resident.append(psutil.Process(node.pid).memory_info().rss / 2**20)
            client.close()
    half = len(resident) // 2
    # Medians of a few: what an allocator holds back goes up and down.
    growth = 100 * (np.median(resident[-5:]) / np.median(resident[half:half + 5]) - 1)
    longest = {name: round(max(values), 3) for name, values in times.items()}
    print(json.dumps({
        'cycles': options.cycles, 'backend': options.backend, 'longest_s': longest,
        'median_s': {name: round(float(np.median(values)), 3) for name, values in times.items()},
        'resident_mib': [round(value) for value in resident[::max(1, len(resident) // 10)]],
        'growth_percent': round(float(growth), 2)}))
    slow = any(value >= LIMIT_S for name, value in longest.items() if name != 'configure')
    return int(slow or growth >= LIMIT_PERCENT)


if __name__ == '__main__':
    sys.exit(main())
