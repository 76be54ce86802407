# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Turn stop signals into a flag, so that no step is interrupted halfway."""

from __future__ import annotations

import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignal:
    """
    Remembers SIGINT, SIGTERM or SIGHUP; the handlers do nothing else.

    Not a threading.Event: setting one in a handler can deadlock with a wait on it.
    """

    def __init__(self) -> None:
        """Install the handlers; signals that are already ignored (nohup) stay ignored."""
        self.number = 0
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def __call__(self) -> bool:
        """Return whether a signal has arrived."""
        return self.number != 0

    @property
    def status(self) -> int:
        """Return the exit status as shells define it: 0, or 128 + signal number."""
        return 128 + self.number if self.number else 0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.number = number
