# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Drive rendered roads by what seg_node sees, and report how close the vehicle came to anything.

    python benchmarks/measure_closed_loop.py --seeds 10009 10013 10018 --in-the-way waits
    python benchmarks/measure_closed_loop.py --seeds 10026 --in-the-way stays --metres 120

Every drive is a closed loop over ROS topics (fcn_seg_ros/examples/closed_loop.py). Prints a row of
a table for each drive as it ends; exit code 1 if one left the road, touched a vehicle or lost
frames.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import source_tree  # noqa: F401

from fcn_seg_ros.examples.closed_loop import IN_THE_WAY, ClosedLoop, LoopOptions
from fcn_seg_ros.stop_signal import StopSignal


def main() -> int:
    """Drive what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--seeds', type=int, nargs='+', default=[10009, 10013, 10018])
    parser.add_argument('--metres', type=float, default=500.0)
    parser.add_argument('--in-the-way', choices=IN_THE_WAY, default='waits')
    parser.add_argument('--checkpoint', default='')
    parser.add_argument('--videos', type=Path, help='folder for a video of each drive')
    arguments = parser.parse_args()
    stopped = StopSignal()
    print('| road | in the way | driven | to the edge | to a vehicle | stops | frames, missed | '
          'took |\n|---|---|---|---|---|---|---|---|', flush=True)
    clean = True
    for seed in arguments.seeds:
        start = time.monotonic()
        out = arguments.videos / f'drive_{seed}.mp4' if arguments.videos else None
        report = ClosedLoop(LoopOptions(
            seed, arguments.metres, arguments.in_the_way, arguments.checkpoint, out),
            stopped, lambda text: None).run()
        gaps = ', '.join(f'{gap:.1f}' for gap in report.stop_gaps)
        print(f'| {seed} | {arguments.in_the_way} | {report.driven:.0f} m in '
              f'{report.seconds:.0f} s | {report.to_edge:.2f} m | '
              f'{report.to_vehicle:.2f} m | {report.stops} ({gaps}) | '
              f'{report.frames}, {report.missed} | {time.monotonic() - start:.0f} s |', flush=True)
        clean = clean and report.clean and not report.missed
        if stopped():
            break
    return stopped.status or int(not clean)


if __name__ == '__main__':
    sys.exit(main())
