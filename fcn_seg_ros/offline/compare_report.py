# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page of a comparison of two runs, in the look of a run's report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros import __version__
from fcn_seg_ros.images.encode import encode_jpeg
from fcn_seg_ros.offline import charts
from fcn_seg_ros.offline.compare import Comparison, Masks
from fcn_seg_ros.offline.compare_figures import verdict
from fcn_seg_ros.offline.gates import Check
from fcn_seg_ros.offline.lowest_frames import QUALITY, shrink
from fcn_seg_ros.offline.page import code, document, escaped, pictures, section, table, tiles
from fcn_seg_ros.offline.report import flat, recording_name
from fcn_seg_ros.offline.report_numbers import percent, seconds_of, signed, time_axis
from fcn_seg_ros.offline.run_numbers import RunNumbers

_MOST_LINES = 50
# Told apart by people who do not see red or green (Okabe and Ito, Color Universal Design), RGB.
_BOTH, _LOST, _GAINED = (0, 158, 115), (230, 159, 0), (86, 180, 233)
_BACKGROUND = 60
# Facts that differ between any two runs.
_OWN = ('started', 'finished', 'seconds', 'frames', 'errors', 'lost', 'more_lost')


def compare_page(found: Comparison, values: Mapping[str, float], checks: Sequence[Check],
                 images: Mapping[int, np.ndarray]) -> bytes:
    """
    Return the page.

    ``images`` are those of the worst frames as far as they can be read, RGB, by row of run A.
    """
    names = [code(run.path) for run in (found.run_a, found.run_b)]
    style = 'bad' if any(not check.passed for check in checks) else 'good' if checks else 'note'
    lead = (f'A is {names[0]}, B is {names[1]}, both over {code(recording_name(found.run_a))}.'
            f'</p>\n<p class="{style}">{escaped(verdict(checks))}')
    parts = [_tiles(values), _limits(checks)]
    if len(found.rows_a):
        parts += [_charts(found, values), _worst(found, images)]
    parts += [_only('A', found.a, found.only_a), _only('B', found.b, found.only_b),
              _differing(found)]
    return document('Two runs compared', lead, parts,
                    f'Written by fcn_seg_ros {escaped(__version__)}.')


def draw_change(masks: Masks, image: np.ndarray | None) -> np.ndarray:
    """
    Return a picture of a change, RGB of the masks' size: road in both, only in A, only in B.

    ``image`` is the frame's, RGB of any size; without it the background is grey.
    """
    shape = (*masks.a.shape, 3)
    back = np.full(shape, _BACKGROUND, np.uint8)
    if image is not None:
        grey = cv2.cvtColor(shrink(image, longest=max(shape[:2])), cv2.COLOR_RGB2GRAY)
        back = cv2.merge([cv2.resize(grey, shape[1::-1])] * 3)
    for colour, opacity, where in ((_BOTH, 0.35, masks.a & masks.b),
                                   (_LOST, 0.75, masks.a & ~masks.b & 1),
                                   (_GAINED, 0.75, masks.b & ~masks.a & 1)):
        tinted = cv2.addWeighted(back, 1 - opacity, np.full(shape, colour, np.uint8), opacity, 0)
        back = cv2.copyTo(tinted, where, back)
    return back


def _tiles(values: Mapping[str, float]) -> str:
    def pixels(value: float) -> str:
        return f'{value:.2f} px' if math.isfinite(value) else 'unknown'

    def change(one: float, other: float, unit: str, scale: float) -> tuple[str, str]:
        if not (math.isfinite(one) and math.isfinite(other)):
            return 'unknown', ''
        return (f'{signed(scale * (other - one), 1)} {unit}',
                f'{scale * one:.1f} to {scale * other:.1f}')
    points = ('unknown' if math.isnan(values['area_change_mean'])
              else f'{signed(100 * values["area_change_mean"])} points')
    return tiles([
        ('Frames in both', f'{values["frames"]:g}',
         f'{values["only_a"]:g} only in A, {values["only_b"]:g} only in B'),
        ('IoU, mean', percent(values['iou_mean'], 2),
         f'lowest {percent(values["iou_lowest"], 2)}'),
        ('Area of road', points, f'up or down {percent(values["area_change_size"], 2)} '
                                 'of the image'),
        ('Edges', pixels(values['edge_px_mean']),
         f'worst frame {pixels(values["edge_px_largest"])}'),
        ('Confidence', *change(values['confidence_a'], values['confidence_b'], 'points', 100)),
        ('Time an image', *change(values['ms_a'], values['ms_b'], 'ms', 1))])


def _limits(checks: Sequence[Check]) -> str:
    if not checks:
        return ''
    rows = [(check.gate.name, f'{check.limit:g}', check.shown,
             'passed' if check.passed else 'FAILED', check.gate.option) for check in checks]
    return section('Limits', table(('figure', 'limit', 'found', 'verdict', 'option'), rows,
                                   'Limits', (0, 3, 4)))


def _charts(found: Comparison, values: Mapping[str, float]) -> str:
    times, span = found.a.times[found.rows_a], found.a.span
    x = time_axis(found.a)
    iou, change = found.values['iou'], 100 * found.area_change
    # The axis begins where the differences do, as most masks are nearly the same.
    depth = min(1.0, charts.round_up(1.0 - values['iou_lowest']))
    widest = charts.round_up(float(np.abs(change).max()))
    edge = found.values['edge_px']
    farthest = charts.round_up(values['edge_px_largest'])
    return section(
        'Over time', '<h3>IoU of the road</h3>', charts.series(
            times, iou - 1.0 + depth, span, depth,
            (('100 %', f'{100 - 50 * depth:g} %', f'{100 - 100 * depth:g} %'), x),
            f'IoU over time: mean {percent(values["iou_mean"], 2)}, lowest '
            f'{percent(values["iou_lowest"], 2)}'),
        '<h3>Area of road in B less that in A, points of the image</h3>', charts.series(
            times, change + widest, span, 2 * widest, ((f'+{widest:g}', '0', f'-{widest:g}'), x),
            f'Change of area over time: mean {signed(100 * values["area_change_mean"])} points'),
        '<h3>Distance of the edges, pixels</h3>', charts.series(
            times, edge, span, farthest, ((f'{farthest:g}', f'{farthest / 2:g}', '0'), x),
            f'Distance of edges over time: mean {values["edge_px_mean"]:.2f} pixels'),
        f'<p class="note">In {values["one_edge"]:g} frames only one road has an edge.</p>'
        if values['one_edge'] else '')


def _worst(found: Comparison, images: Mapping[int, np.ndarray]) -> str:
    if not found.worst:
        return section('Worst frames', '<p class="good">The roads are the same in all frames.</p>')
    place = {row: index for index, row in enumerate(found.rows_a.tolist())}
    cards = []
    for row, masks in found.worst.items():
        iou, change = (float(each[place[row]])
                       for each in (found.values['iou'], found.area_change))
        words = f'IoU {percent(iou)}, area {signed(100 * change)} points'
        topic, number = found.a.topics[found.a.topic[row]], found.a.number[row]
        cards.append((encode_jpeg(draw_change(masks, images.get(row)), QUALITY),
                      f'Image {number} of {topic}, roads of both runs: {words}',
                      f'Image {number}, {code(topic)}, stamp '
                      f'{seconds_of(int(found.a.stamps[row]))}: {words}'))
    key = ', '.join(f'<span class="key" style="background:rgb{colour}"></span> {words}'
                    for colour, words in ((_BOTH, 'road in both'), (_LOST, 'only in A'),
                                          (_GAINED, 'only in B')))
    note = ('' if len(images) == len(found.worst) else
            f'<p class="note">Of {len(found.worst) - len(images)} frames the image is not shown: '
            'the recording cannot be read from here.</p>')
    return section('Worst frames', f'<p class="note">{key}</p>', note, pictures(cards))


def _only(name: str, numbers: RunNumbers, rows: np.ndarray) -> str:
    if not len(rows):
        return ''
    title = f'Frames only in {name}'
    more = f', {_MOST_LINES} of {len(rows)}' if len(rows) > _MOST_LINES else ''
    return section(title + more, table(('image', 'stamp', 'topic'), [
        (numbers.number[row], seconds_of(int(numbers.stamps[row])),
         numbers.topics[numbers.topic[row]]) for row in rows[:_MOST_LINES].tolist()], title, (2,)))


def _differing(found: Comparison) -> str:
    """Return the facts in which the runs differ: they may explain the rest of the page."""
    facts = [dict(flat({key: value for key, value in run.facts.items() if key not in _OWN}))
             for run in (found.run_a, found.run_b)]
    rows = list(_rows_that_differ(facts[0], facts[1]))
    return section('Differing settings', table(('name', 'A', 'B'), rows, 'Differing settings',
                                               (0, 1, 2))
                   if rows else '<p class="note">None: checkpoint, settings and versions are the '
                   'same.</p>')


def _rows_that_differ(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(a.keys() | b.keys()):
        if a.get(name) != b.get(name):
            yield name, a.get(name, ''), b.get(name, '')
