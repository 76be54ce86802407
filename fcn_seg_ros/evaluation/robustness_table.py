# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tables of robustness, with a row for each variant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fcn_seg_ros.evaluation.report import Table
from fcn_seg_ros.evaluation.robustness import Robustness

NOTE = ('points of IoU lost at the network\'s own threshold compared with the unchanged images, '
        'on the  same pixels; corruptions as ImageNet-C at severity 3, or about as strong')
MEAN = 'mean of the corruptions'


def robustness_table(set_name: str, networks: Sequence[str], results: Sequence[Robustness]
                     ) -> Table:
    """Return what each network loses on one set."""
    return _table(set_name, networks, [result.lost() for result in results],
                  [result.mean_lost() for result in results])


def mean_table(networks: Sequence[str], results: Sequence[Sequence[Robustness]]) -> Table:
    """Return the means over sets; ``results`` are those of each network on each set."""
    lost, means = [], []
    for by_set in results:
        names = by_set[0].lost()
        lost.append({name: _mean([each.lost()[name] for each in by_set]) for name in names})
        means.append(_mean([each.mean_lost() for each in by_set]))
    return _table(f'mean of {len(results[0])} sets', networks, lost, means)


def _table(title: str, networks: Sequence[str], lost: Sequence[dict[str, float]],
           means: Sequence[float]) -> Table:
    rows = [(name, *(_points(each[name]) for each in lost)) for name in lost[0]]
    if np.isfinite(means).all():
        rows.append((MEAN, *map(_points, means)))
    return Table(f'{title}: IoU lost', ('variant', *networks), rows)


def _mean(values: list[float]) -> float:
    """Return the mean of the finite values, NaN without any."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float('nan')


def _points(value: float) -> str:
    # Adding 0.0 avoids -0.00.
    return f'{round(100 * value, 2) + 0.0:.2f}' if np.isfinite(value) else '-'
