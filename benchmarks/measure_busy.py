# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure image to mask at 10 Hz while something else works on the same processors.

    python benchmarks/measure_busy.py
    python benchmarks/measure_busy.py --checkpoint one.safetensors two.safetensors --busy 0.5

On a vehicle, and on a virtual machine, the processors belong to others as well. Beside seg_node one
process for every processor computes in bursts of 5 to 25 ms at random moments, for a share of the
time (``--busy``); the camera and the planner are in this process. Checkpoints take turns, each with
the others at work and without. Prints a line of JSON: milliseconds from image to mask.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros.benchmark.camera import camera_and_planner
from fcn_seg_ros.benchmark.timing import summary
from fcn_seg_ros.dds import use_private_domain, use_shipped_profile
from fcn_seg_ros.drives.child import Child, executable
from fcn_seg_ros.resources import default_checkpoint
from fcn_seg_ros.shared_memory import remove_stale
from fcn_seg_ros.synthetic.suburb import RenderedDrive

_RATE_HZ = 10.0
_SETTLE_S = 2.0
_BURST_S = (0.005, 0.025)


def work(seed: int, share: float) -> None:
    """Compute for a share of the time, until killed."""
    moments = random.Random(seed)
    while True:
        burst = moments.uniform(*_BURST_S)
        end = time.perf_counter() + burst
        while time.perf_counter() < end:
            pass
        time.sleep(moments.uniform(0, 2) * burst * (1 - share) / share)


def others(share: float) -> list[SpawnProcess]:
    """Start one process for every processor."""
    spawn = get_context('spawn')
    started = [spawn.Process(target=work, args=(seed, share), daemon=True)
               for seed in sorted(os.sched_getaffinity(0))]
    for process in started:
        process.start()
    return started


def latencies(checkpoint: Path, image: np.ndarray, share: float, frames: int) -> np.ndarray:
    """Return image to mask of so many frames in milliseconds."""
    with ExitStack() as stack:
        planner = stack.enter_context(camera_and_planner(image))
        node = stack.enter_context(Child('seg_node', [
            *executable('seg_node'), '--ros-args', '-p', 'device:=cpu', '-p',
            f'checkpoint:={json.dumps(str(checkpoint))}']))

        def check() -> None:
            if node.status() is not None:
                raise RuntimeError(node.last_words())
        planner.wait_for_mask(check)
        for process in others(share) if share else []:
            stack.callback(process.kill)
        planner.publish(round(_RATE_HZ * _SETTLE_S), _RATE_HZ)
        planner.forget()
        planner.publish(frames, _RATE_HZ)
        planner.serve(time.monotonic() + _SETTLE_S)
        check()
        return planner.latencies()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--checkpoint', type=Path, nargs='+', default=[default_checkpoint()])
    parser.add_argument('--busy', type=float, default=0.3, help='share of the time, below 1')
    parser.add_argument('--frames', type=int, default=100, help='of each turn')
    parser.add_argument('--turns', type=int, default=3)
    options = parser.parse_args()
    use_shipped_profile()
    remove_stale()
    use_private_domain()
    image = RenderedDrive(10000)[0].image
    shares = (0.0, options.busy)
    taken: dict[tuple[Path, float], list[float]] = {
        (path, share): [] for path in options.checkpoint for share in shares}
    for _ in range(options.turns):
        for (path, share), times in taken.items():
            times.extend(latencies(path, image, share, options.frames))
    print(json.dumps([{'checkpoint': path.name, 'busy': share,
                       'sent': options.turns * options.frames} | summary(np.array(times))
                      for (path, share), times in taken.items()]))


if __name__ == '__main__':
    main()
