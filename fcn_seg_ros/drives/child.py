# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress

from fcn_seg_ros.processes import command, die_with, environment

TERMINATE_S = 2.0


def executable(name: str) -> list[str]:
    """Return the command that runs one of the package's executables with this Python."""
    return command('fcn_seg_ros', name)


class Child:
    """
    A child process in its own session, as a context manager that ends it.

    The terminal's Ctrl-C does not reach it: the parent decides when, and in which order, children
    end. If the parent is killed, the kernel kills the child (``PR_SET_PDEATHSIG``). Its output goes
    to temporary files, or to the terminal if ``verbose``. Create it on the main thread, because the
    kernel watches the thread that forks.
    """

    def __init__(self, name: str, command: Sequence[str], verbose: bool = False) -> None:
        """Start it."""
        self.name = name
        # Open as long as this object exists.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            command, env=environment(),
            stdin=subprocess.DEVNULL, stdout=self._output,
            stderr=None if verbose else self._errors, start_new_session=True,
            preexec_fn=_before_exec(os.getpid()))

    def __enter__(self) -> Child:
        """Return the started child."""
        return self

    def __exit__(self, *error: object) -> None:
        """End it."""
        self.stop()

    def status(self) -> int | None:
        """Return the exit status, None while it is running."""
        return self.process.poll()

    def output(self) -> str:
        """Return its output so far."""
        self._output.seek(0)
        return self._output.read().decode(errors='replace')

    def last_words(self) -> str:
        """Return the last line of its stderr, or of its stdout if that is empty."""
        for file in (self._errors, self._output):
            file.seek(0)
            lines = file.read().decode(errors='replace').strip().splitlines()
            if lines:
                return lines[-1].strip()
        return 'it printed nothing'

    def stop(self) -> None:
        """End it; kill it and its children if it does not end."""
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(TERMINATE_S)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._output.close()
        self._errors.close()


def _before_exec(parent: int) -> Callable[[], None]:
    """Return the function for the child to run between fork and exec."""
    def ask_kernel() -> None:
        if not die_with(parent):
            os._exit(1)
    return ask_kernel
