# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One grid from those of several cameras."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fcn_seg_ros.ground.grid import UNSEEN


def fused(grids: Iterable[np.ndarray], out: np.ndarray) -> np.ndarray:
    """
    Fill ``out``, int8 (rows, columns), with the grids of the same cells, and return it.

    A cell has the highest value of those that know it, so it is free only where some camera saw it
    free and none saw an obstacle; -1 where none knows it.
    """
    out.fill(UNSEEN)
    for grid in grids:
        np.maximum(out, grid, out=out)
    return out
