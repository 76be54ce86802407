# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The plot of a benchmark: accuracy over latency."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from fcn_seg_ros.errors import InputError

# Milliseconds, on a logarithmic axis.
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def latency_against_accuracy(found: dict[str, Any]) -> bytes:
    """
    Return an SVG: MaxF over milliseconds per call, a line per backend and precision.

    Raises InputError if matplotlib is missing or the masks were not scored.
    """
    scored = [row for row in found['variants'] if 'parity' in row]
    if not scored:
        raise InputError('--plot needs the scores of --parity')
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError('--plot needs the package matplotlib (pip install matplotlib)') from None
    figure = Figure(figsize=(7.5, 4.5), layout='constrained')
    axes = figure.add_subplot()
    for name, rows in _lines(scored).items():
        x, y = ([row['ms']['total']['p50'] for row in rows],
                [row['parity']['max_f'] for row in rows])
        axes.plot(x, y, 'o-', markersize=4, linewidth=1.2, label=name)
    fastest = min(_lines(scored).values(), key=lambda rows: rows[-1]['ms']['total']['p50'])
    for row in fastest:
        axes.annotate(str(row['height']), (row['ms']['total']['p50'], row['parity']['max_f']),
                      textcoords='offset points', xytext=(-4, 6), ha='right', fontsize=8)
    axes.set(xscale='log', xlabel=f'milliseconds of a call, image of {found["image"]} (p50)',
             ylabel='MaxF in perspective, percent',
             title='Latency against accuracy; beside the points: rows of the network\'s input')
    axes.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
    axes.minorticks_off()
    times = [row['ms']['total']['p50'] for row in scored]
    axes.set_xlim(0.8 * min(times), 1.25 * max(times))
    axes.grid(alpha=0.3)
    axes.legend(loc='lower right', fontsize=8)
    content = io.BytesIO()
    # No date and no random names, so that the same figures give the same file.
    with matplotlib.rc_context({'svg.hashsalt': 'fcn_seg_ros', 'svg.fonttype': 'none'}):
        figure.savefig(content, format='svg', metadata={'Date': None})
    return content.getvalue()


def _lines(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Group rows by backend and precision, each group sorted by height."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row['height']):
        lines.setdefault(f'{row["backend"]} {row["precision"]}', []).append(row)
    return lines
