# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""When each frame of a drive is due: at the recorded intervals, or at a fixed rate."""

from __future__ import annotations


class Pace:
    """
    Computes when each frame is due, in seconds from the start of playing.

    Intervals are those between the frames' times divided by ``speed``; with ``rate_hz``, frame i is
    due at i / rate. Times are absolute, so that errors do not add up. A drive that starts again
    continues one ``period_s`` after its last frame.
    """

    def __init__(self, period_s: float, rate_hz: float | None = None, speed: float = 1.0) -> None:
        """Start at 0."""
        self._period_s = period_s / speed
        self._rate_hz = rate_hz
        self._speed = speed
        self._count = 0
        self._due_s = 0.0
        self._turn_s = 0.0
        self._turn_ns = 0

    def due_s(self, time_ns: int, begins: bool) -> float:
        """Return when the next frame is due; ``begins`` says that it is the drive's first."""
        if self._rate_hz is not None:
            due_s = self._count / self._rate_hz
        elif begins:
            due_s = self._due_s + self._period_s if self._count else 0.0
            self._turn_s, self._turn_ns = due_s, time_ns
        else:
            due_s = self._turn_s + (time_ns - self._turn_ns) / 1e9 / self._speed
        self._count += 1
        # Never backwards: the times of a video need not increase.
        self._due_s = max(due_s, self._due_s)
        return self._due_s
