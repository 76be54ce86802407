# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what a start of seg_node takes: seconds to the first mask, and memory.

    python benchmarks/measure_start.py --starts 40
    python benchmarks/measure_start.py --starts 40 --camera first
    python benchmarks/measure_start.py --starts 3 --cold
    python benchmarks/measure_start.py --starts 3 --cold --precision int8

starts the node again and again with the packaged network and stops it after its first mask. The
camera and the planner are in this process; they start together with the node, or long before it
(``first``), where the middlewares have to meet at any moment of their announcements. Images come at
5 Hz, so times are to a fifth of a second. Prints a line of JSON: the seconds, sorted, and the
node's resident memory at the last start, MiB.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from contextlib import ExitStack

import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros.benchmark.camera import CameraAndPlanner, camera_and_planner
from fcn_seg_ros.benchmark.memory import resident_mib
from fcn_seg_ros.dds import use_private_domain, use_shipped_profile
from fcn_seg_ros.drives.child import Child, executable
from fcn_seg_ros.shared_memory import remove_stale
from fcn_seg_ros.synthetic.suburb import RenderedDrive

# How long a camera has been there before the node comes: more than any period of announcements.
_BEFORE_S = (3.0, 7.0)


def start(planner: CameraAndPlanner, cold: bool, precision: str) -> tuple[float, float]:
    """Start and stop the node; return the seconds to its first mask, and its memory in MiB."""
    command = [*executable('seg_node'), '--ros-args', '-p', 'device:=cpu',
               '-p', f'precision:={precision}']
    with tempfile.TemporaryDirectory() as empty:
        if cold:
            command = ['env', f'FCN_SEG_CACHE={empty}', *command]
        with Child('seg_node', command) as node:
            def check() -> None:
                if node.status() is not None:
                    raise RuntimeError(node.last_words())
            seconds = planner.wait_for_mask(check)
            # Of a child that is ``env``, exec has made the node itself.
            return seconds, resident_mib(process=str(node.process.pid))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--starts', type=int, default=40)
    parser.add_argument('--camera', choices=('together', 'first'), default='together')
    parser.add_argument('--cold', action='store_true', help='with an empty cache each time')
    parser.add_argument('--precision', default='auto', help='as of the node')
    options = parser.parse_args()
    use_shipped_profile()
    remove_stale()
    use_private_domain()
    image = RenderedDrive(10000)[0].image
    waits = random.Random(0)
    found = []
    with ExitStack() as whole:
        planner = (whole.enter_context(camera_and_planner(image))
                   if options.camera == 'first' else None)
        for _ in range(options.starts):
            with ExitStack() as stack:
                if planner is not None:
                    planner.serve(time.monotonic() + waits.uniform(*_BEFORE_S))
                each = planner or stack.enter_context(camera_and_planner(image))
                found.append(start(each, options.cold, options.precision))
    seconds, memory = zip(*found, strict=True)
    print(json.dumps({'camera': options.camera, 'cold': options.cold,
                      'precision': options.precision,
                      'first_mask_s': sorted(round(each, 1) for each in seconds),
                      'median_s': round(float(np.median(seconds)), 2),
                      'resident_mib': round(memory[-1])}))


if __name__ == '__main__':
    main()
