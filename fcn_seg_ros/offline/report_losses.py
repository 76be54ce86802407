# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The part of a run's report about images without a mask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fcn_seg_ros.offline import charts
from fcn_seg_ros.offline.page import folded, section, table
from fcn_seg_ros.offline.report_numbers import seconds_of
from fcn_seg_ros.offline.run_folder import ERRORS
from fcn_seg_ros.offline.run_numbers import NUMBER, RunNumbers
from fcn_seg_ros.offline.run_reader import Run, facts_in

_MOST_LINES = 50
_MOST_REASONS = 20
_MOST_SPANS, _IN_A_SPAN = 300, 3


@dataclass
class Losses:
    """
    The lines of ``errors.jsonl``: their count, and the first ones.

    ``lost`` images are known to be lost, ``more`` says that there may be others; ``numbers`` are
    those of the images, as far as they are known.
    """

    lines: int = 0
    lost: int = 0
    more: bool = False
    first: list[dict[str, Any]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    numbers: list[int] = field(default_factory=list)

    @property
    def remark(self) -> str:
        """Return a short text for the number of losses."""
        if not self.lines:
            return 'every image has a mask'
        return f'{self.lines} line{"" if self.lines == 1 else "s"} in {ERRORS}'


def read_losses(run: Run) -> Losses:
    """Read the losses of a run; raises InputError if a line lacks a fact."""
    found = Losses()
    for line, error in enumerate(run.errors(), 1):
        with facts_in(run.path / ERRORS, line, 'a loss'):
            found.lost += error['lost'] or 0
            found.more |= error['lost'] is None
            found.reasons[str(error['reason'])] += 1
            if error['number'] is not None:
                found.numbers.append(int(error['number']))
            if len(found.first) < _MOST_LINES:
                found.first.append({name: error[name] for name in (
                    'number', 'topic', 'stamp_ns', 'received_ns', 'reason')})
        found.lines += 1
    return found


def losses_section(losses: Losses, numbers: RunNumbers) -> str:
    """Return the timeline of masks and losses, the reasons, and the first losses."""
    parts = _timeline(losses, numbers) if len(numbers.number) else []
    if not losses.lines:
        return section('Timeline of failures', *parts,
                       '<p class="good">Every image has a mask.</p>')
    parts.append(table(('reason', 'lines'), losses.reasons.most_common(_MOST_REASONS), 'Reasons'
                       + _of(_MOST_REASONS, len(losses.reasons))))
    title = 'Losses one by one' + _of(_MOST_LINES, losses.lines)
    rows = [('' if line['number'] is None else line['number'], _time(line), line['topic'] or '',
             line['reason']) for line in losses.first]
    parts.append(folded(title, table(('image', 'stamp', 'topic', 'reason'), rows, title, (2, 3))))
    return section('Timeline of failures', *parts)


def _timeline(losses: Losses, numbers: RunNumbers) -> list[str]:
    """Return where there are masks, and which share of the images is lost where."""
    first, last = span = numbers.span
    lost = numbers.times_of(losses.numbers)
    # Some images in each span, so that a jitter of the times leaves no gaps.
    bins = min(_MOST_SPANS, max(1, (len(numbers.times) + len(lost)) // _IN_A_SPAN))
    masks, gone = (np.histogram(times, bins, (first, last if last > first else first + 1))[0]
                   for times in (numbers.times, lost))
    labels = ('first image', 'last image') if numbers.clock == NUMBER else charts.time_labels(span)
    unit = '' if numbers.clock == NUMBER else ' s'
    parts = ['<h3>Masks</h3>', charts.strip(
        np.minimum(masks, 1), labels, f'{len(numbers.times)} masks over {last - first:.1f}{unit}, '
        f'none in {(masks == 0).mean():.0%} of the time', 'bar')]
    if len(lost):
        parts += ['<h3>Share of images lost</h3>', charts.strip(
            gone / np.maximum(masks + gone, 1), labels,
            f'{len(lost)} losses between {lost.min() - first:.1f}{unit} and '
            f'{lost.max() - first:.1f}{unit} of {last - first:.1f}{unit}', 'loss')]
    return parts


def _time(line: Mapping[str, Any]) -> str:
    known = [line[name] for name in ('stamp_ns', 'received_ns') if line[name] is not None]
    return seconds_of(known[0]) if known else ''


def _of(shown: int, count: int) -> str:
    return f', {shown} of {count}' if count > shown else ''
