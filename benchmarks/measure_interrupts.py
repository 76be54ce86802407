# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Kill and interrupt training runs at random moments, resume them, and compare their weights.

    nice -n 10 python benchmarks/measure_interrupts.py --each 4

For each of five stages (imports, choosing channels, first epoch, saving, final scoring) so many
runs of a pruned network on rendered roads are ended at a random moment of it, by SIGINT, SIGTERM or
SIGKILL, to the process or to its group with the loader's worker, and go on with ``--resume``. One
line of JSON for each, then a summary: how many said what is documented (status 130, 143 or that of
the signal, one line) and ended with the bytes of the undisturbed run's checkpoint.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import source_tree  # noqa: F401
from source_tree import ROOT

LINE = 'train: interrupted; go on with --resume'
SMALL = ['--train', 'rendered?drives=6&frames=1', '--val',
         'rendered?drives=2&frames=1&first_seed=90', '--height', '64', '--crop', '64', '128',
         '--batch-size', '2', '--workers', '1', '--epochs', '4', '--validate-every', '2']
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
STAGES = ('imports', 'choosing channels', 'first epoch', 'saving', 'final scoring')


class Run:
    """A ``train`` in a process group of its own, its lines noted with their times."""

    def __init__(self, folder: Path, *words: str) -> None:
        """Start it."""
        self.out = folder / 'run'
        self.log = (folder / 'stderr').open('w+')
        self.begin = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'fcn_seg_ros', 'train', *words, '--out', str(self.out)],
            cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True)

    def wait_for(self, seen: Callable[[], bool]) -> bool:
        """Wait until something is there; False if the run ends before."""
        while not seen():
            if self.process.poll() is not None:
                return False
            time.sleep(0.0005)
        return True

    def wait_for_line(self, words: str) -> bool:
        """Wait for a line on stdout."""
        assert self.process.stdout is not None
        return any(words in line for line in self.process.stdout)

    def end(self) -> tuple[int, list[str]]:
        """Wait for the end; return the status and the lines on stderr."""
        assert self.process.stdout is not None
        self.process.stdout.read()
        status = self.process.wait()
        self.log.seek(0)
        return status, self.log.read().splitlines()


def moment(run: Run, stage: str, chance: random.Random, lengths: dict[str, float]) -> bool:
    """Wait for a random moment of a stage; False if the run ended before."""
    if stage == 'imports':
        time.sleep(chance.uniform(0.2, lengths['imports']))
        return run.process.poll() is None
    if stage == 'saving':
        epochs = chance.randint(1, 3)
        return run.wait_for_line(f'epoch {epochs}/') and run.wait_for(
            lambda: any(run.out.glob('.last.ckpt.*.partial')))
    if stage == 'choosing channels':
        seen = run.wait_for((run.out / 'config.yaml').is_file)
    elif stage == 'first epoch':
        seen = run.wait_for_line('pruned to')
    else:
        seen = run.wait_for_line('epoch 4/')
    time.sleep(chance.uniform(0, lengths[stage]))
    return seen and run.process.poll() is None


def undisturbed(folder: Path, words: list[str]) -> tuple[bytes, dict[str, float]]:
    """Run to the end; return its checkpoint and how long the stages took."""
    run = Run(folder, *words)
    times = []
    run.wait_for((run.out / 'config.yaml').is_file)
    times.append(time.monotonic())
    for line in ('pruned to', 'epoch 1/', 'epoch 4/', 'wrote'):
        if not run.wait_for_line(line):
            raise SystemExit('\n'.join(run.end()[1]))
        times.append(time.monotonic())
    run.end()
    begun, pruned, first, last, wrote = times
    return (run.out / 'checkpoint.safetensors').read_bytes(), {
        'imports': begun - run.begin, 'choosing channels': pruned - begun,
        'first epoch': first - pruned, 'saving': 0.0, 'final scoring': wrote - last}


def disturbed(folder: Path, words: list[str], stage: str, chance: random.Random,
              lengths: dict[str, float]) -> dict[str, Any]:
    """End a run once at a stage, resume it to the end, and return what was seen."""
    number, group = chance.choice(SIGNALS), chance.random() < 0.5
    run = Run(folder, *words)
    if not moment(run, stage, chance, lengths):
        run.end()
        return {'stage': stage, 'missed': True}
    after = time.monotonic() - run.begin
    (os.killpg if group else os.kill)(run.process.pid, number)
    status, lines = run.end()
    killed = number == signal.SIGKILL
    documented = (status == -number and not lines) if killed else (
        status == 128 + number and lines == [LINE])
    row = {'stage': stage, 'signal': number.name, 'to': 'group' if group else 'process',
           'after_s': round(after, 2), 'status': status, 'documented': documented,
           'left': sorted(path.name for path in run.out.glob('*')) if run.out.exists() else []}
    resumed = Run(folder, *words, '--resume')
    again, errors = resumed.end()
    return row | {'resumed': again} | ({} if documented else {'said': lines}) | (
        {'errors': errors} if again else {})


def main() -> None:
    """Print a line for each moment, and a summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--each', type=int, default=4, help='moments of each stage')
    parser.add_argument('--stages', nargs='+', choices=STAGES, default=STAGES)
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    # A shell ignores SIGINT for what it starts in the background, and processes inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        start = Run(top, *SMALL, '--epochs', '1', '--encoder-weights', 'none')
        if start.end()[0]:
            raise SystemExit('\n'.join(start.end()[1]))
        words = [*SMALL, '--init-from', str(start.out / 'checkpoint.safetensors'), '--prune', '0.5']
        (top / 'whole').mkdir()
        expected, lengths = undisturbed(top / 'whole', words)
        for stage in options.stages:
            chance = random.Random(f'{stage} {options.seed}')
            hit = 0
            while hit < options.each:
                folder = Path(tempfile.mkdtemp(dir=top))
                row = disturbed(folder, words, stage, chance, lengths)
                if row.get('missed'):  # the machine is quicker than it was: another moment
                    lengths[stage] *= 0.8
                    continue
                found = folder / 'run' / 'checkpoint.safetensors'
                row['same'] = found.is_file() and found.read_bytes() == expected
                print(json.dumps(row), flush=True)
                rows.append(row)
                hit += 1
    print(json.dumps({'moments': len(rows), 'documented': sum(row['documented'] for row in rows),
                      'same_checkpoint': sum(row['same'] for row in rows)}))


if __name__ == '__main__':
    main()
