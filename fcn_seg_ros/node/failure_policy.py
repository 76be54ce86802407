# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decide what the worker does when it fails to segment a frame."""

from __future__ import annotations

from enum import Enum

from fcn_seg_ros.errors import type_and_words

# Retries follow after 0.1, 0.2, 0.4 ... seconds, at most after this time.
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0
# Consecutive device failures until the network moves to the CPU.
FALL_BACK_AFTER = 3
# Consecutive unexplained errors until the process ends.
GIVE_UP_AFTER = 10


class Recovery(Enum):
    """What to do after a failure."""

    RETRY = 'retry'
    FALL_BACK = 'fall back'
    GIVE_UP = 'give up'


class FailurePolicy:
    """
    Counts consecutive failures and decides what to do after each.

    ``reason`` is the last failure as one line, '' after a success; any thread may read it.
    """

    def __init__(self) -> None:
        self.reason: str = ''
        self._device = 0
        self._unexplained = 0

    @property
    def delay_s(self) -> float:
        """Return how long to wait before the next attempt."""
        if not self._device:
            return 0.0
        return min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** min(self._device - 1, 10))

    def succeeded(self) -> None:
        """Reset the counts: a frame was segmented."""
        self.reason = ''
        self._device = self._unexplained = 0

    def device_failed(self, error: BaseException, lost: bool) -> Recovery:
        """Count a failure of the device; ``lost`` means that it will not recover."""
        self.reason = type_and_words(error)
        self._device += 1
        if lost or self._device % FALL_BACK_AFTER == 0:
            return Recovery.FALL_BACK
        return Recovery.RETRY

    def unexplained(self, error: BaseException) -> Recovery:
        """Count an exception that is a bug in the node."""
        self.reason = type_and_words(error)
        self._unexplained += 1
        return Recovery.GIVE_UP if self._unexplained >= GIVE_UP_AFTER else Recovery.RETRY
