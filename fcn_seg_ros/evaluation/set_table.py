# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A table of several networks on several sets, with a row for each pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fcn_seg_ros.evaluation.evaluate import ALL, Evaluation
from fcn_seg_ros.evaluation.report import Table
from fcn_seg_ros.evaluation.road_users import GROUPS, LARGE, as_road, worst
from fcn_seg_ros.evaluation.summary import BLOCK

TITLE = 'road in perspective, percent'
COLUMNS = ('set', 'network', 'images', 'IoU', '95 %', 'F1', 'PRE', 'REC', 'at', 'best at', 'IoU',
           'MaxF', 'BEV MaxF', 'ECE', 'near', *GROUPS, 'ms')
NOTES = (
    'IoU, F1, PRE and REC at the network\'s own threshold ("at"), or of the likeliest class where '
    'there are several ("-"); then the best threshold with its IoU and MaxF; BEV: bird\'s-eye '
    'view, where the road plane is known',
    f'95 %: bootstrap interval of the first IoU over blocks of {BLOCK} consecutive images; ECE: '
    'expected calibration error of all pixels, and of those near the road\'s boundary',
    f'{", ".join(GROUPS)}: share of their pixels predicted as road at the network\'s own '
    'threshold, if the set labels these classes; ms: median of a call')


def row(set_name: str, network: str, result: Evaluation) -> tuple[str, ...]:
    """Return the row of one network on one set, in the order of COLUMNS."""
    s = result.summary
    low, high = s.interval
    birds_eye = (result.birds_eye.scores[ALL].max_f if result.birds_eye is not None
                 else float('nan'))
    return (set_name, network, str(s.images), _percent(s.iou),
            f'{100 * low:.1f}-{100 * high:.1f}', *map(_percent, (s.f1, s.precision, s.recall)),
            '-' if result.likeliest else f'{s.threshold:.3f}', f'{s.best_threshold:.3f}',
            *map(_percent, (s.best_iou, s.max_f, birds_eye, s.error, s.error_near)),
            *(_percent(s.as_road.get(group, float('nan'))) for group in GROUPS),
            f'{result.segment_ms:.1f}' if np.isfinite(result.segment_ms) else '-')


def road_user_table(rows: Sequence[tuple[str, ...]]) -> Table:
    """Return the rows of ``road_user_rows`` as a table."""
    return Table(f'road users of at least {LARGE} connected pixels',
                 ('set', 'network', 'what', 'number', 'taken for road, %', 'the worst one, %',
                  'in'), rows)


def road_user_rows(set_name: str, network: str, result: Evaluation) -> list[tuple[str, ...]]:
    """Return rows of large vehicles, people and cyclists predicted as road."""
    rows: list[tuple[str, ...]] = []
    for group, users in result.users.large().items():
        if users:
            bad = worst(users)
            rows.append((set_name, network, group, str(len(users)), _percent(as_road(users)),
                         _percent(bad.as_road / bad.pixels), bad.image))
    return rows


def _percent(value: float) -> str:
    return f'{100 * value:.2f}' if np.isfinite(value) else '-'
