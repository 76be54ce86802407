# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether something opaque lies on a part of the lens, by what the camera usually shows there."""

from __future__ import annotations

from collections import deque

import numpy as np

# The habit is a mean over the last 20 s, of what is at least 2 s old, so that a cover does not
# become usual before it is noticed.
_STEP_S, _DELAY, _STEPS = 0.1, 20, 200
# A cell usually shows something when it has for this share of the time.
_USUAL = 0.8
# Grey levels: a cell that stays this close is still, and one this far from its mean (or this many
# deviations, if that is more) is not as usual.
_STILL, _UNUSUAL, _DEVIATIONS = 4.0, 25.0, 2.0
# Fewer cells say nothing.
_FEWEST_CELLS = 12


class Cover:
    """
    Follows the cells of a camera's picture.

    Sky, night and bare asphalt are as empty as a cover. So an empty cell is taken for covered where
    it usually is not empty, or where it has become another grey and does not change at all.
    Nothing is said in the first seconds. What is seen while not ``learning`` changes no habit.
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
        Return the share of the cells that have been covered for ``seconds``, of those that matter.

        ``detailed`` says which cells are not empty, ``levels`` how bright each is, 0 to 255, both
        (rows, columns); ``now`` in seconds. Those matter that usually show something, and those
        that are covered.
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
