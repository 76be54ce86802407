# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""An evaluation as tables, for the terminal and for Markdown files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.evaluation.calibration import BAND, Calibration
from fcn_seg_ros.evaluation.class_scores import ClassScores
from fcn_seg_ros.evaluation.evaluate import Evaluation, ViewScores
from fcn_seg_ros.evaluation.planner import PlannerScores
from fcn_seg_ros.evaluation.views import BIRDS_EYE, PERSPECTIVE, VIEWS


@dataclass(frozen=True)
class Table:
    """A title, column names, rows of as many texts, and notes below."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: tuple[str, ...] = ()


def tables(result: Evaluation, view: str) -> list[Table]:
    """Return an evaluation as tables; ``view`` is a key of VIEWS."""
    rule = ('of the likeliest class' if result.likeliest else
            f'at threshold {result.threshold:.3f}')
    masks = (f'masks {rule}: road IoU '
             f'{100 * result.iou_at_threshold:.2f}, mean IoU '
             f'{100 * result.mean_iou_at_threshold:.2f}')
    found = []
    if PERSPECTIVE in VIEWS[view]:
        found.append(_view_table(result.perspective, (masks,)))
    if BIRDS_EYE in VIEWS[view] and result.birds_eye is not None:
        found.append(_view_table(result.birds_eye, ()))
    if result.classes is not None:
        found.append(class_table(result.classes))
    found.append(_calibration_table(result.calibration))
    if result.planner is not None:
        found.append(_planner_table(result.planner))
    return found


def markdown(setting: dict[str, object], parts: Sequence[Table], title: str = 'Evaluation'
             ) -> str:
    """Return a Markdown document: the setting, then the tables."""
    lines = [f'# {title}', '']
    lines += [f'- {key}: {value}' for key, value in setting.items() if value not in (None, '')]
    for part in parts:
        lines += ['', f'## {part.title}', '', _row(part.columns),
                  _row(['---'] + ['---:'] * (len(part.columns) - 1))]
        lines += [_row(row) for row in part.rows]
        lines += [line for note in part.notes for line in ('', note)]
    return '\n'.join(lines) + '\n'


def _view_table(view: ViewScores, notes: tuple[str, ...]) -> Table:
    columns = ('category', 'images', 'MaxF', 'AP', 'PRE', 'REC', 'FPR', 'FNR', 'IoU', 'mIoU')
    rows = []
    for name, s in view.scores.items():
        values = (s.max_f, s.ap, s.precision, s.recall, s.fpr, s.fnr, s.iou, s.mean_iou)
        rows.append((name, str(view.images[name]), *(f'{100 * v:.2f}' for v in values)))
    intervals = '; '.join(f'{name} {100 * low:.2f} to {100 * high:.2f}'
                          for name, (low, high) in view.intervals.items())
    worst = ', '.join(f'{name} {100 * f1:.1f}' for name, f1 in view.worst[:5])
    return Table(f'{view.view} view, percent', columns, rows,
                 (f'MaxF, 95 % interval over images: {intervals}', *notes,
                  f'worst images by F1: {worst}'))


def class_table(scores: ClassScores) -> Table:
    """Return the scores of the classes, and for each what its pixels are most often taken for."""
    shares, rows = scores.pixels / scores.pixels.sum(), []
    others = scores.confusion.astype(float)
    np.fill_diagonal(others, 0)
    for number, name in enumerate(scores.names):
        worst = int(others[number].argmax())
        share = others[number, worst] / max(1, scores.pixels[number])
        values = (shares, scores.iou, scores.recall(), scores.precision())
        rows.append((name, *(_percent(value[number]) for value in values),
                     f'{(*scores.names, "unknown")[worst]} {_percent(share)}' if share else '-'))
    notes = [f'mean IoU {_percent(scores.mean_iou)}, frequency-weighted IoU '
             f'{_percent(scores.frequency_weighted_iou)}, pixel accuracy '
             f'{_percent(scores.pixel_accuracy)}']
    if scores.absent:
        notes.append(f'without a pixel in this set, so not in the mean: {", ".join(scores.absent)}')
    if scores.left_out:
        notes.append('labelled in this set but no class of the network, or one of several, so left '
                     f'out: {", ".join(scores.left_out)}')
    return Table('classes, percent', ('class', 'pixels', 'IoU', 'REC', 'PRE', 'most taken for'),
                 rows, tuple(notes))


def _percent(value: float) -> str:
    return f'{100 * value:.2f}' if np.isfinite(value) else '-'


def _calibration_table(c: Calibration) -> Table:
    rows = [('as scored', f'{100 * c.error_before:.2f}', f'{c.loss_before:.4f}', '1'),
            ('cross-fitted', f'{100 * c.error_after:.2f}', f'{c.loss_after:.4f}',
             ' / '.join(f'{value:.3f}' for value in c.fitted))]
    return Table(f'calibration within {BAND:g} px of the road boundary',
                 ('probability', 'ECE %', 'NLL', 'temperature'), rows,
                 (f'temperature fitted to all images: {c.temperature:.3f}',
                  f'ECE over all labelled pixels: {100 * c.error_whole_image:.2f} %'))


def _planner_table(p: PlannerScores) -> Table:
    rows = [
        ('taken for road, m2 an image', _metres(p.false_free),
         f'worst {_metres(p.false_free_worst)}'),
        ('taken for blocked, m2 an image', _metres(p.false_blocked), ''),
        ('range of the truth, m', _metres(p.truth_range), ''),
        ('range predicted, m', _metres(p.predicted_range), ''),
        ('blocked over 1 m too early, images', str(p.lost),
         f'median at {_metres(p.lost_range)} m; mean {_metres(p.lost_metres)} m'),
        ('free over 1 m too far, images', str(p.too_far),
         f'mean {_metres(p.too_far_metres)} m'),
    ]
    rows += [(f'edge error at {z:g} m, median m', _metres(e.median),
              f'p95 {_metres(e.p95)}, bias {_metres(e.bias)}; {e.edges} edges, {e.missed} missed')
             for z, e in p.edges.items()]
    return Table(f'planner, ego corridor 2 m wide from 6 to 30 m, {p.images} images',
                 ('what', 'value', 'more'), rows)


def _metres(value: float) -> str:
    return f'{value:.2f}' if np.isfinite(value) else '-'


def _row(words: Sequence[str]) -> str:
    return '| ' + ' | '.join(words) + ' |'
