# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Stop signals: a flag, so that no step is interrupted halfway, or an end at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fcn_seg_ros.processes import is_first, under_torchrun

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


@contextmanager
def ending_at_once(line: str) -> Iterator[None]:
    """
    Within the block SIGINT, SIGTERM and SIGHUP end the process with ``line`` on stderr.

    The status is 128 + the signal's number. For work that a kill at any moment does not harm:
    nothing is unwound, as an exception may be swallowed, or turned into another by a library that
    is just being imported. Of several processes that train together only the first one speaks, and
    the others pass the signal on to it. Ignored signals (nohup) stay ignored.
    """
    owner = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() == owner:
            if is_first():
                os.write(2, f'{line}\n'.encode())
            elif not under_torchrun():
                os.kill(os.getppid(), number)
        os._exit(128 + number)
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, end) for number in STOP_SIGNALS
                  if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
