# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Stop signals for commands that end after the step at hand."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fcn_seg_ros.stop_signal import STOP_SIGNALS, StopSignal


class _Stop(StopSignal):
    """Ends the work after the step at hand; a second signal ends the process at once."""

    def _handle(self, number: int, frame: FrameType | None) -> None:
        super()._handle(number, frame)
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def stoppable() -> Iterator[StopSignal]:
    """Yield what says whether a signal has arrived; the handlers before come back afterwards."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        yield _Stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
