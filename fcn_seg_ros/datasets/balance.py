# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How much of a dataset is labelled road, labelled not road, and not labelled."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, RoadDataset


def both_labelled(dataset: RoadDataset, pixels: np.ndarray) -> str:
    """
    Return '' if both road and not road are labelled, else the problem and how to fix it.

    ``pixels`` are the numbers of pixels that are not road, road and not labelled.
    """
    other, road, unlabelled = (int(number) for number in pixels)
    if other and road:
        return ''
    total = max(other + road + unlabelled, 1)
    explained = dataset.explain_labels()
    return ('expected labels of both road and not road, found '
            f'{100 * road / total:.0f} % road, {100 * other / total:.0f} % not road and '
            f'{100 * unlabelled / total:.0f} % not labelled'
            + (f'; {explained}' if explained else ''))


def count(labels: np.ndarray) -> np.ndarray:
    """Return the numbers of pixels that are not road, road and not labelled, int64 (3,)."""
    return np.bincount(labels.ravel(), minlength=256)[[0, 1, IGNORE]]
