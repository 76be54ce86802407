# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The figures of a comparison, as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fcn_seg_ros import __version__
from fcn_seg_ros.offline.compare import Comparison
from fcn_seg_ros.offline.gates import Check
from fcn_seg_ros.offline.report_numbers import mean, median, signed, total_ms
from fcn_seg_ros.offline.run_numbers import RunNumbers

COLUMNS = ('image_a', 'image_b', 'topic', 'stamp_ns', 'iou', 'area_a', 'area_b', 'area_change',
           'edge_px', 'confidence_a', 'confidence_b')
# A spreadsheet would take such a text for a formula.
_FORMULA = ('=', '+', '-', '@', '\t', '\r')


def figures(found: Comparison) -> dict[str, float]:
    """
    Return the figures by name, NaN where unknown.

    ``iou_*`` are over the frames in both runs, ``area_change_*`` in shares of the image (``size``:
    without the sign), ``edge_px_*`` over the frames where both roads have an edge, or neither;
    ``one_edge`` counts the others. ``only_a`` and ``only_b`` count the frames in one run.
    """
    iou, edge, change = found.values['iou'], found.values['edge_px'], found.area_change
    return {
        'frames': len(iou), 'only_a': len(found.only_a), 'only_b': len(found.only_b),
        'iou_mean': mean(iou), 'iou_lowest': float(iou.min()) if len(iou) else math.nan,
        'iou_5_percent': float(np.percentile(iou, 5)) if len(iou) else math.nan,
        'area_change_mean': mean(change), 'area_change_size': mean(np.abs(change)),
        'area_change_largest': float(np.abs(change).max()) if len(iou) else math.nan,
        'edge_px_mean': mean(edge), 'edge_px_largest': float(
            np.max(edge[np.isfinite(edge)], initial=0.0)) if len(iou) else math.nan,
        'one_edge': int(np.isnan(edge).sum()),
        'confidence_a': mean(found.a.values['confidence'][found.rows_a]),
        'confidence_b': mean(found.b.values['confidence'][found.rows_b]),
        'ms_a': median(total_ms(found.a)[found.rows_a]),
        'ms_b': median(total_ms(found.b)[found.rows_b])}


def summary(found: Comparison, values: Mapping[str, float], checks: Sequence[Check]) -> str:
    """Return the comparison and the verdict in one line."""
    words = [f'{values["frames"]:g} frames']
    if values['frames']:
        row = int(found.rows_a[int(found.values['iou'].argmin())])
        edge = ('' if math.isnan(values['edge_px_mean'])
                else f', edges {values["edge_px_mean"]:.2f} px')
        words = [f'{values["frames"]:g} frames: IoU mean {values["iou_mean"]:.4f}, lowest '
                 f'{values["iou_lowest"]:.4f} (image {found.a.number[row]}), road '
                 f'{signed(100 * values["area_change_mean"])} points of the image{edge}']
    words += [f'{values[key]:g} only in {name}' for key, name in (
        ('only_a', 'A'), ('only_b', 'B')) if values[key]]
    return f'{", ".join(words)}: {verdict(checks)}'


def verdict(checks: Sequence[Check]) -> str:
    """Return whether all checks passed, or those that did not."""
    if not checks:
        return 'no limit given'
    failed = [check.line for check in checks if not check.passed]
    return f'REGRESSION: {"; ".join(failed)}' if failed else 'ok'


def as_json(found: Comparison, values: Mapping[str, float], checks: Sequence[Check]) -> bytes:
    """Return the comparison as a JSON file."""
    content = {
        'package': __version__, 'run_a': str(found.run_a.path), 'run_b': str(found.run_b.path),
        'figures': {name: _known(value) for name, value in values.items()},
        'limits': [{'option': check.gate.option, 'figure': check.gate.figure,
                    'limit': check.limit, 'found': _known(check.found), 'passed': check.passed}
                   for check in checks],
        'regression': any(not check.passed for check in checks)}
    return f'{json.dumps(content, indent=2)}\n'.encode()


def as_csv(found: Comparison) -> bytes:
    """Return a line for each frame, then one for each that is in one run only."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(COLUMNS)
    for row in _rows(found):
        writer.writerow(['' if isinstance(cell, float) and math.isnan(cell)
                         else f'{cell:.6f}' if isinstance(cell, float) else cell for cell in row])
    return text.getvalue().encode(errors='backslashreplace')


def _rows(found: Comparison) -> Iterator[tuple[Any, ...]]:
    change, values = found.area_change, found.values
    for index, (a, b) in enumerate(zip(found.rows_a.tolist(), found.rows_b.tolist(), strict=True)):
        yield (int(found.a.number[a]), int(found.b.number[b]), *_name(found.a, a),
               *(float(each[index]) for each in (values['iou'], values['area_a'],
                                                 values['area_b'], change, values['edge_px'])),
               *(float(run.values['confidence'][row]) for run, row in ((found.a, a),
                                                                       (found.b, b))))
    empty = ('',) * 5
    for row in found.only_a.tolist():
        yield (int(found.a.number[row]), '', *_name(found.a, row), *empty,
               float(found.a.values['confidence'][row]), '')
    for row in found.only_b.tolist():
        yield ('', int(found.b.number[row]), *_name(found.b, row), *empty, '',
               float(found.b.values['confidence'][row]))


def _name(numbers: RunNumbers, row: int) -> tuple[str, int]:
    topic = numbers.topics[numbers.topic[row]]
    return f"'{topic}" if topic.startswith(_FORMULA) else topic, int(numbers.stamps[row])


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
