# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Charts as inline SVG that stretches to the page; their labels are text beside it.

So the labels are as large on a phone as on a desk, and colours follow the page's. A series is
float64 (N,) over times, float64 (N,), both finite where drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fcn_seg_ros.offline.page import escaped

#: More values would not be told apart: a page is some 1,000 pixels wide.
BINS = 400
_TIME_TICKS = 5
# A distance so many times the usual one is a gap, in which no line is drawn.
_GAP = 5.0
_LEAST = 20.0


def series(times: np.ndarray, values: np.ndarray, span: tuple[float, float], top: float,
           labels: tuple[Sequence[str], Sequence[str]], words: str) -> str:
    """
    Return a line over ``span`` (first and last time), from 0 to ``top``.

    Of more than 400 values it is the mean in each of 400 spans, with a band from the lowest to the
    highest. ``labels`` are those of the vertical axis, from the top, and of the times; ``words``
    say what is to be seen to those who cannot see it.
    """
    known = np.isfinite(values)
    x, mean, low, high = _binned(times[known], values[known], span)
    x = 1000.0 * (x - span[0]) / ((span[1] - span[0]) or 1.0)
    mean, low, high = (100.0 - 100.0 * np.clip(each / top, 0.0, 1.0) for each in (mean, low, high))
    shapes = []
    for part in _unbroken(x):
        line = [f'{a:.1f},{b:.1f}' for a, b in zip(x[part], mean[part], strict=True)]
        if len(times) > BINS:
            edge = [f'{a:.1f},{b:.1f}' for a, b in zip(
                np.concatenate([x[part], x[part][::-1]]),
                np.concatenate([high[part], low[part][::-1]]), strict=True)]
            shapes.append(f'<polygon class="band" points="{" ".join(edge)}"/>')
        # A single point is a line of no length, which round ends make a dot.
        points = ' '.join(line * 2 if len(line) == 1 else line)
        shapes.append(f'<polyline class="curve" points="{points}"/>')
    return _chart(_grid(len(labels[0])) + ''.join(shapes), labels, words)


def histogram(values: np.ndarray, top: float, bins: int, labels: Sequence[str],
              words: str) -> str:
    """Return bars of how many values lie in each of ``bins`` spans of 0 to ``top`` and beyond."""
    counts, _ = np.histogram(np.clip(values, 0.0, top), bins, (0.0, top))
    width, most = 1000.0 / bins, max(1, int(counts.max()))
    bars = ''.join(
        f'<rect class="bar" x="{width * (number + 0.05):.1f}" y="{100 - 100 * count / most:.2f}" '
        f'width="{width * 0.9:.1f}" height="{100 * count / most:.2f}"/>'
        for number, count in enumerate(counts) if count)
    return _chart(_grid(2) + bars, ((str(most), '0'), labels), words)


def strip(shares: np.ndarray, labels: Sequence[str], words: str, style: str) -> str:
    """Return a bar, of CSS class ``style``, for each share (0 to 1) of equal spans of time."""
    width = 1000.0 / len(shares)
    # The smallest share is to be seen, too.
    heights = np.where(shares > 0, np.clip(100 * shares, _LEAST, 100), 0)
    bars = ''.join(f'<rect class="{style}" x="{width * span:.2f}" y="{100 - height:.1f}" '
                   f'width="{width:.2f}" height="{height:.1f}"/>'
                   for span, height in enumerate(heights.tolist()) if height)
    return _chart(bars, (('',), labels), words, 'plot strip')


def time_labels(span: tuple[float, float]) -> list[str]:
    """Return labels for a span of seconds from 0."""
    last = span[1] - span[0]
    ticks = [last * tick / (_TIME_TICKS - 1) for tick in range(_TIME_TICKS)]
    if last < 60:
        return [f'{tick:.{0 if last >= 20 else 1}f} s' for tick in ticks]
    if last < 3600:
        return [f'{int(tick) // 60}:{int(tick) % 60:02d}' for tick in ticks]
    return [f'{int(tick) // 3600}:{int(tick) // 60 % 60:02d} h' for tick in ticks]


def round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, ... for the end of an axis; 1 for values up to 0."""
    if value <= 0.0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value * 0.999999)


def _binned(times: np.ndarray, values: np.ndarray, span: tuple[float, float]
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return time, mean, lowest and highest of the values in each span that has some."""
    order = np.argsort(times, kind='stable')
    times, values = times[order], values[order]
    if len(times) <= BINS:
        return times, values, values, values
    edges = np.linspace(span[0], span[1], BINS + 1)
    starts = np.unique(np.searchsorted(times, edges[:-1]))
    starts = starts[starts < len(times)]
    counts = np.diff([*starts, len(times)])
    return (np.add.reduceat(times, starts) / counts, np.add.reduceat(values, starts) / counts,
            np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts))


def _unbroken(x: np.ndarray) -> list[slice]:
    """Return the parts between gaps."""
    if len(x) < 3:
        return [slice(0, len(x))] if len(x) else []
    steps = np.diff(x)
    breaks = np.flatnonzero(steps > _GAP * max(float(np.median(steps)), 1e-9)) + 1
    return [slice(a, b) for a, b in zip([0, *breaks], [*breaks, len(x)], strict=True)]


def _grid(lines: int) -> str:
    return ''.join(f'<line class="grid" x1="0" x2="1000" y1="{y:.1f}" y2="{y:.1f}"/>'
                   for y in np.linspace(0, 100, lines)[:-1])


def _chart(shapes: str, labels: tuple[Sequence[str], Sequence[str]], words: str,
           style: str = 'plot') -> str:
    y, x = (''.join(f'<span>{escaped(label)}</span>' for label in each) for each in labels)
    return (f'<div class="chart"><div class="ticks y" aria-hidden="true">{y}</div>'
            f'<div class="{style}"><svg role="img" aria-label="{escaped(words)}" '
            f'viewBox="0 0 1000 100" preserveAspectRatio="none">{shapes}</svg></div>'
            f'<div class="ticks x" aria-hidden="true">{x}</div></div>\n')
