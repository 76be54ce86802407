# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Progress: a bar on a terminal, a line every ten seconds in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

LINE_EVERY_S = 10.0


class Advance(Protocol):
    """What a bar yields."""

    def __call__(self, steps: int = 1) -> None:
        """Count steps that are done."""
        ...


@contextmanager
def progress_bar(title: str, total: int | None, before: int = 0) -> Iterator[Advance]:
    """
    Show progress, steps a second and the time left on stderr.

    Call the yielded function after each step, or with the number of several. ``total`` is None if
    it is not known, ``before`` how many were done earlier.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _print_lines(title, total, before)
        return
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(), _Rate(),
               TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=total, completed=before)
        yield lambda steps=1: progress.advance(task, steps)


class _Rate(ProgressColumn):
    """Steps a second."""

    def render(self, task: Task) -> Text:
        """Return the rate of the last seconds."""
        return Text(f'{task.speed:.1f}/s' if task.speed else '')


def _print_lines(title: str, total: int | None, before: int) -> Advance:
    done, begun = before, time.monotonic()
    told = begun

    def step(steps: int = 1) -> None:
        nonlocal done, told
        done += steps
        now = time.monotonic()
        if now - told >= LINE_EVERY_S:
            told = now
            rate = (done - before) / (now - begun)
            of_all = f' of {total}' if total else ''
            left = f', {_minutes((total - done) / rate)} left' if total else ''
            print(f'{title}: {done}{of_all}, {rate:.1f}/s{left}', file=sys.stderr, flush=True)
    return step


def _minutes(seconds: float) -> str:
    """Return a time as hours, minutes and seconds."""
    whole = max(0, round(seconds))
    return f'{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}'
