# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A process that watches over the start of its parent, which a library may hold for ever."""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import time
from typing import NoReturn

from fcn_seg_ros.stop_signal import STOP_SIGNALS

# A signal ends the start within so many seconds, whatever holds it up.
OBEY_S = 3.0
# Joining ROS takes a fraction of a second. After so long somebody should know, and after so long
# a new start may be better.
TELL_S = 5.0
GIVE_UP_S = 60.0
_JOINING = 0  # no signal has this number


class StartWatch:
    """
    Says what holds a start up, and ends it where it does not obey a signal.

    The middleware is joined by libraries that keep the interpreter's lock while they wait, for
    ever where shared memory is damaged: then no handler and no thread of this process runs. The
    watch is a process that does nothing but wait for ``done``. To be made on the main thread,
    before there are others, with handlers for the signals in place.
    """

    def __init__(self, name: str) -> None:
        """Begin to watch; ``name`` is what messages begin with."""
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
        """Tell that ROS is joined from now on."""
        os.write(self._writer, bytes([_JOINING]))

    def done(self) -> None:
        """End the watch; also ends the wakeup by signals."""
        if self._child:
            signal.set_wakeup_fd(-1)
            os.close(self._writer)
            os.waitpid(self._child, 0)
            self._child = 0

    def _run_child(self, reader: int, parent: int) -> NoReturn:
        try:
            for number in STOP_SIGNALS:  # Ctrl-C reaches the whole group; the parent decides
                signal.signal(number, signal.SIG_IGN)
            os.close(self._writer)
            reason = self._wait(reader)
            if reason and os.getppid() == parent:
                self._say(reason)
                os.kill(parent, signal.SIGKILL)
        finally:
            os._exit(0)

    def _wait(self, reader: int) -> str:
        """Return '' once the parent is done or has ended, else why to kill it."""
        # What is to be done when, in monotonic seconds.
        tell = give_up = obey = math.inf
        while True:
            now = time.monotonic()
            if now >= obey:
                return 'killed, as it did not obey a signal while it joined ROS'
            if now >= give_up:
                return f'killed, as joining ROS had taken {GIVE_UP_S:g} s'
            if now >= tell:
                self._say(f'joining ROS has taken {TELL_S:g} s so far. If it goes on, the machine '
                          'is busy or shared memory damaged: end the other nodes, remove '
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
