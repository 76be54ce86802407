# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Find the cells of a grid that can be reached."""

from __future__ import annotations

import numpy as np


def reached(free: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """
    Return the cells of ``free`` that are connected to one of ``seeds``, bool (rows, columns).

    Both are bool (rows, columns); cells are neighbours if they share a side. Runs of free cells are
    filled alternately along rows and columns, as often as the path from the seeds changes
    direction.
    """
    found = seeds & free
    while True:
        before = np.count_nonzero(found)
        found = _filled(free, found)
        found = _filled(free.T, found.T).T
        if np.count_nonzero(found) == before:
            return found


def _filled(free: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return ``found`` grown over the runs of ``free`` along each row that it touches."""
    # A wall at the end of each row keeps the runs of two rows apart.
    walled = np.pad(free, ((0, 0), (0, 1)))
    flat = walled.ravel()
    run = np.cumsum(flat[1:] != flat[:-1])
    run = np.concatenate([[0], run])
    touched = np.zeros(int(run[-1]) + 1, np.bool_)
    touched[run[np.pad(found, ((0, 0), (0, 1))).ravel()]] = True
    return (touched[run] & flat).reshape(walled.shape)[:, :-1]
