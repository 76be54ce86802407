# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Detect a covered lens by comparing each part of the image with what it usually shows."""

from __future__ import annotations

from collections import deque

import numpy as np

# "Usual" means a mean over the last 20 s, delayed by 2 s, so that a cover is noticed before it
# becomes usual.
_STEP_S, _DELAY, _STEPS = 0.1, 20, 200
# A cell usually shows something if it did so for this share of the time.
_USUAL = 0.8
# In grey levels: a cell that changes less than the first is constant; one further from its mean
# than the second, or than this many standard deviations, is unusual.
_STILL, _UNUSUAL, _DEVIATIONS = 4.0, 25.0, 2.0
# Fewer cells are not enough to judge.
_FEWEST_CELLS = 12


class Cover:
    """
    Follow the cells of a camera's picture over time.

    Sky, night and bare asphalt look as empty as a cover. So an empty cell counts as covered only if
    it is usually not empty, or if its grey level has changed and then stays constant. There is no
    verdict in the first seconds. Without ``learning`` a frame does not change what counts as usual.
    """

    def __init__(self) -> None:
        self.learning: bool = True
        self._shown_at: np.ndarray = np.zeros(())
        self._still_at: np.ndarray = np.zeros(())
        self._still: np.ndarray = np.zeros(())
        self._stepped_at: float = float('-inf')
        self._waiting: deque[np.ndarray] = deque()
        # Sums over the steps, each step counting a little less than the next.
        self._steps: float = 0.0
        self._sums: np.ndarray = np.zeros(())

    def share(self, detailed: np.ndarray, levels: np.ndarray, now: float, seconds: float
              ) -> float:
        """
        Return the share of cells that have been covered for ``seconds``.

        It is relative to the cells that are covered or usually show something. ``detailed`` says
        which cells are not empty, ``levels`` is their brightness, 0 to 255, both (rows, columns);
        ``now`` is in seconds.
        """
        if not self._shown_at.shape:
            self._shown_at, self._still_at = np.full((2, *detailed.shape), now)
            self._still = levels
        self._shown_at[detailed] = now
        moved = np.abs(levels - self._still) > _STILL
        self._still = np.where(moved, levels, self._still)
        self._still_at[moved] = now
        if now - self._stepped_at >= _STEP_S - 0.01:
            self._stepped_at = now
            self._learn(np.stack((detailed, levels, levels * levels)))
        if self._steps < _DELAY:
            return 0.0
        shown, mean, square = self._sums / self._steps
        usual = shown >= _USUAL
        deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
        other = np.abs(levels - mean) > np.maximum(_UNUSUAL, _DEVIATIONS * deviation)
        covered = (now - self._shown_at >= seconds) & (
            usual | (other & (now - self._still_at >= seconds)))
        return float(covered.sum() / max(int((usual | covered).sum()), _FEWEST_CELLS))

    def _learn(self, cells: np.ndarray) -> None:
        if not self.learning:
            self._waiting.clear()
            return
        self._waiting.append(cells)
        if len(self._waiting) > _DELAY:
            keep = 1 - 1 / _STEPS
            self._steps = self._steps * keep + 1
            self._sums = self._sums * keep + self._waiting.popleft()
