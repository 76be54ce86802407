# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A limit on how long the processors may take to wake up, held while frames are awaited.

Between two frames of a 10 Hz camera they are idle for most of the time and sleep, and what wakes up
deeply asleep is slow at first; in a virtual machine the host may put two of them on one core then.
Linux lets a process ask for better while it holds a file open
(https://docs.kernel.org/power/pm_qos_interface.html), so the request ends with the process,
however that ends.
"""

from __future__ import annotations

import os
import struct
from typing import Any

CPU_LATENCY_DEVICE = '/dev/cpu_dma_latency'


class CpuLatency:
    """
    Asks for the limit, in microseconds, as long as somebody wants it; negative: never.

    ``problem`` is why it could not, in one line, or ''; it may be read from any thread. Methods are
    for the executor's thread.
    """

    def __init__(self, limit_us: int, logger: Any) -> None:
        self.problem: str = ''
        self._limit_us = limit_us
        self._logger = logger
        self._wanted_by: set[str] = set()
        self._file: int | None = None

    def want(self, name: str, wanted: bool) -> None:
        """Note whether ``name`` waits for frames, and ask for the limit or give it up."""
        (self._wanted_by.add if wanted else self._wanted_by.discard)(name)
        if not self._wanted_by:
            self.release()
        elif self._file is None and self._limit_us >= 0 and not self.problem:
            self._ask()

    def release(self) -> None:
        """Give the limit up, whoever wants it."""
        self._wanted_by.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _ask(self) -> None:
        file = None
        try:
            file = os.open(CPU_LATENCY_DEVICE, os.O_WRONLY | os.O_CLOEXEC)
            os.write(file, struct.pack('i', self._limit_us))
        except OSError as error:
            if file is not None:
                os.close(file)
            self.problem = ('parameter cpu_latency_us: expected to be allowed to write to '
                            f'{CPU_LATENCY_DEVICE}, found a fault ({error.strerror}); goes on '
                            'without')
            self._logger.warning(self.problem)
            return
        self._file = file
        self._logger.debug(f'processors are to wake up within {self._limit_us} us')
