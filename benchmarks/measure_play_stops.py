# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Stop play at random moments, and look for a process that aborts, hangs or prints a traceback.

    nice -n 5 python benchmarks/measure_play_stops.py --runs 100

Each run plays a small bag, video or folder, mostly with --loop, and sends SIGINT or SIGTERM once
between the moment its handlers are there and 3 s later: while it starts, joins ROS, waits, decodes,
publishes or ends. Its status must be 130 or 143 (0 with --loop, or where it was at its end), within
20 s. Exit code 1 where it is not.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import source_tree  # noqa: F401
from measure_play_loss import start_play, wait_until_it_catches_signals
from recording_makers import MAKERS

from fcn_seg_ros.dds import use_private_domain

KINDS = ('sqlite3', 'compressed images', 'video', 'images')
OPTIONS: tuple[list[str], ...] = ([], ['--rate', '200'], ['--speed', '20'], ['--preload'])
# Long, as the machine may be busy; whoever stops play on an idle one waits a fraction of a second.
LONGEST_S = 20.0


def stop_once(drive: Path, domain: int, rng: random.Random) -> tuple[str, float]:
    """Stop one run; return what is wrong with its end or '', and the seconds that it took."""
    arguments = [str(drive), '--wait-for-subscribers', rng.choice('0001'), *rng.choice(OPTIONS)]
    loop = rng.random() < 0.7
    number = rng.choice([signal.SIGINT, signal.SIGTERM])
    process = start_play([*arguments, *(['--loop'] if loop else [])], domain)
    wait_until_it_catches_signals(process)
    time.sleep(rng.uniform(0.0, 3.0))
    start = time.monotonic()
    process.send_signal(number)
    try:
        _, errors = process.communicate(timeout=60.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return 'it hung', 60.0
    seconds = time.monotonic() - start
    # At its very end Python has given its handlers back, and the signal itself ends the process.
    fine = {0, 128 + number, -number}
    wrong = '' if process.returncode in fine else f'status {process.returncode}'
    if 'Traceback' in errors or 'terminate called' in errors:
        wrong += f' {errors[-300:]}'
    return wrong or ('' if seconds < LONGEST_S else f'{seconds:.1f} s'), seconds


def main() -> int:
    """Print how many runs ended well, and the longest time that one took; 1 if one did not."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--runs', type=int, default=40)
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    # In the background a shell has it ignored, and play would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    domain, rng = int(use_private_domain({})), random.Random(options.seed)
    bad, times = 0, []
    with tempfile.TemporaryDirectory() as folder:
        drives = []
        for kind in KINDS:
            (Path(folder) / kind).mkdir()
            drives.append(MAKERS[kind](Path(folder) / kind))
        for run in range(options.runs):
            wrong, seconds = stop_once(rng.choice(drives), domain, rng)
            times.append(seconds)
            if wrong:
                bad += 1
                print(f'run {run}: {wrong}', flush=True)
    print(f'{options.runs - bad} of {options.runs} runs ended well, in {max(times):.2f} s at most')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
