# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure the memory of the processes that load training images.

For each number of workers: the memory of all of them together after the first batch and after two
epochs, in MB. A page that several processes share counts once (PSS in /proc/PID/smaps_rollup).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
from pathlib import Path

from fcn_seg_ros.datasets.registry import open_datasets, parse_spec
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import RoadDataModule


def memory(process: int) -> float:
    """Return a process's share of the memory, in MB."""
    text = Path(f'/proc/{process}/smaps_rollup').read_text()
    return int(re.findall(r'^Pss: +(\d+) kB', text, re.MULTILINE)[0]) / 1000


def workers_memory() -> list[float]:
    """Return the memory of each worker, in MB."""
    return [memory(child.pid or 0) for child in multiprocessing.active_children()]


def main() -> None:
    """Print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--train', nargs='+', default=['rendered?drives=40&frames=5'])
    parser.add_argument('--workers', nargs='+', type=int, default=[1, 2, 4])
    options = parser.parse_args()
    mixture = open_datasets([parse_spec(text) for text in options.train])
    for workers in options.workers:
        config = TrainingConfig(train=tuple(options.train), workers=workers)
        loader = RoadDataModule(mixture, None, config).train_dataloader()
        before: list[float] = []
        for epoch in range(2):
            loader.batch_sampler.set_epoch(epoch)
            for _ in loader:
                before = before or [memory(os.getpid()), *workers_memory()]
        after = [memory(os.getpid()), *workers_memory()]
        print(f'{workers} workers, {len(mixture)} images: {sum(before):.0f} MB at first, '
              f'{sum(after):.0f} MB after two epochs; each worker '
              f'{", ".join(f"{value:.0f}" for value in after[1:])} MB', flush=True)
        del loader


if __name__ == '__main__':
    main()
