# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A watchdog process for its parent's start, which a library may block for ever."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import time
from typing import NoReturn

from fcn_seg_ros.stop_signal import STOP_SIGNALS

# Seconds after a signal until a blocked start is killed.
OBEY_S = 3.0
# Joining ROS normally takes a fraction of a second. Seconds until a warning, and until giving up.
TELL_S = 5.0
GIVE_UP_S = 60.0
_JOINING = 0  # no signal has this number


class StartWatch:
    """
    Reports a start that hangs, and kills the process if it does not react to a signal.

    The libraries that join the middleware hold the interpreter's lock while they wait, and wait for
    ever if shared memory is damaged; no handler or thread of this process runs then. So the
    watchdog is a process of its own, which only waits for ``done``. Create it on the main thread,
    before any other thread and after installing the signal handlers.
    """

    def __init__(self, name: str) -> None:
        """Start watching; messages begin with ``name``."""
        self._name = name
        reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        parent = os.getpid()
        self._child = os.fork()
        if self._child == 0:
            self._run_child(reader, parent)
        os.close(reader)
        # The interpreter writes each signal's number there, whoever holds its lock.
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def joining(self) -> None:
        """Report that joining ROS begins."""
        os.write(self._writer, bytes([_JOINING]))

    def done(self) -> None:
        """End the watchdog and stop writing signal numbers to it."""
        if self._child:
            signal.set_wakeup_fd(-1)
            os.close(self._writer)
            os.waitpid(self._child, 0)
            self._child = 0

    def _run_child(self, reader: int, parent: int) -> NoReturn:
        try:
            for number in STOP_SIGNALS:  # Ctrl-C reaches the whole group, but the parent decides
                signal.signal(number, signal.SIG_IGN)
            os.close(self._writer)
            reason = self._wait(reader)
            if reason and os.getppid() == parent:
                self._say(reason)
                os.kill(parent, signal.SIGKILL)
        finally:
            os._exit(0)

    def _wait(self, reader: int) -> str:
        """Return '' once the parent is done or dead, or the reason to kill it."""
        # The deadlines, in monotonic seconds.
        tell = give_up = obey = math.inf
        while True:
            now = time.monotonic()
            if now >= obey:
                return 'killed: it did not react to a signal while joining ROS'
            if now >= give_up:
                return f'killed: still joining ROS after {GIVE_UP_S:g} s'
            if now >= tell:
                self._say(f'joining ROS has taken {TELL_S:g} s so far. Either the machine is busy, '
                          'or shared memory is damaged: then stop all nodes, remove '
                          '/dev/shm/*fastdds* and start again')
                tell = math.inf
            until = min(tell, give_up, obey)
            timeout = None if until == math.inf else until - now
            if select.select([reader], [], [], timeout)[0]:
                numbers = set(os.read(reader, 64))
                if not numbers:
                    return ''
                now = time.monotonic()
                if _JOINING in numbers:
                    tell, give_up = now + TELL_S, now + GIVE_UP_S
                if numbers & set(STOP_SIGNALS):
                    obey = min(obey, now + OBEY_S)

    def _say(self, text: str) -> None:
        os.write(sys.stderr.fileno(), f'{self._name}: {text}\n'.encode())
