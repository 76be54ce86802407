# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Two Ray workers against two processes that each segment one half on their own.

    python benchmarks/measure_ray.py --frames 400 --rounds 3

A rendered drive of 1242x375, raw rgb8 in mcap, as one bag and as two of half its length. In turns:
two processes, each with a half; Ray with the two halves; and Ray with the whole bag, in pieces.
Every one has its networks loaded before the first round, on a thread each, and writes whole runs
with their reports. Images a second and CPU time per image (of all processes of Ray) of each round,
and the ratios of Ray to the two processes: the median of the rounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path

import ray
import source_tree  # noqa: F401
from measure_offline import write_recording

from fcn_seg_ros.offline import piece_task
from fcn_seg_ros.offline.archive import Archive
from fcn_seg_ros.offline.cluster import connect
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.network_choice import NetworkChoice
from fcn_seg_ros.offline.recording import Recording
from fcn_seg_ros.offline.run import Outcome, segment_recording

CHOICE = NetworkChoice(device='cpu', threads=1)
# Of a few minutes' drive, as long ones are cut.
JOB = Job(part_frames=50)
TICKS = os.sysconf('SC_CLK_TCK')


def alone(drive: Path, output: Path) -> int:
    """Segment a recording in this process; returns its frames."""
    segmenter, network = piece_task.load(CHOICE)
    return segment_recording(Recording(str(drive), JOB), output, segmenter, network,
                             lambda length, before: nullcontext(lambda: None)).frames


def cpu_seconds() -> float:
    """Return the CPU time of this process, those it started, and those that they started."""
    stats: dict[int, tuple[int, float]] = {}
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            words = path.read_text().rpartition(')')[2].split()
        except OSError:
            continue
        # The parent; user and system time, and those of children that have ended.
        stats[int(path.parent.name)] = int(words[1]), sum(map(int, words[11:15])) / TICKS
    mine, more = set(), {os.getpid()}
    while more:
        mine |= more
        more = {pid for pid, (parent, _) in stats.items() if parent in mine} - mine
    return sum(stats[pid][1] for pid in mine if pid in stats)


def timed(work: Callable[[Path], int], folder: Path, frames: int) -> tuple[float, float]:
    """Return seconds and CPU seconds of work, which must make as many masks as there are frames."""
    output = folder / 'out'
    begun, cpu = time.perf_counter(), cpu_seconds()
    made = work(output)
    found = time.perf_counter() - begun, cpu_seconds() - cpu
    assert made == frames, made
    shutil.rmtree(output)
    return found


def measure(folder: Path, frames: int, rounds: int) -> None:
    """Print the figures."""
    halves = {str(folder / name): name for name in ('first', 'second')}
    for name, count in (('whole', frames), ('first', frames // 2), ('second', frames // 2)):
        write_recording(folder / name, count)
    with ProcessPoolExecutor(2, get_context('spawn')) as pool, connect('local', CHOICE) as cluster:
        def processes(output: Path) -> int:
            return sum(pool.map(alone, halves, [output / name for name in halves.values()]))

        def archive(*drives: str) -> Callable[[Path], int]:
            def work(output: Path) -> int:
                places = {drive: output / Path(drive).name for drive in drives}
                results = Archive(places, JOB).segment(cluster, lambda _: None, lambda: False)
                return sum(result.frames for _, result in results if isinstance(result, Outcome))
            return work
        ways = {'processes': processes, 'ray, halves': archive(*halves),
                'ray, whole': archive(str(folder / 'whole'))}
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for number in range(-1, rounds):
            for name, work in ways.items():
                seconds, cpu = timed(work, folder, frames)
                # The round before the first loads the networks.
                if number >= 0:
                    found[name].append((seconds, cpu))
                    print(f'round {number}, {name}: {frames / seconds:.1f}/s, '
                          f'{1e3 * cpu / frames:.2f} ms CPU', flush=True)
    for name in ('ray, halves', 'ray, whole'):
        ratios = [statistics.median(one[part] / other[part] for one, other in
                                    zip(found['processes'], found[name], strict=True))
                  for part in (0, 1)]
        print(f'{name}: {ratios[0]:.2f} of two processes, by CPU time {ratios[1]:.2f}')


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=int, default=400)
    parser.add_argument('--rounds', type=int, default=3)
    options = parser.parse_args()
    os.environ |= {'RAY_USAGE_STATS_ENABLED': '0', 'RAY_worker_niceness': '0'}
    ray.init('local', num_cpus=2, include_dashboard=False, object_store_memory=80 * 2**20,
             log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.frames, options.rounds)


if __name__ == '__main__':
    main()
