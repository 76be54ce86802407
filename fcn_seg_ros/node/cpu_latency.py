# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A limit on the CPUs' wake-up latency, held while frames are expected.

Between two frames of a 10 Hz camera the CPUs are mostly idle. They enter deep sleep states, from
which they wake up slowly; in a virtual machine, the host may even put two virtual CPUs on one core.
Linux keeps CPUs in shallow sleep states while a process holds a file open
(https://docs.kernel.org/power/pm_qos_interface.html), so the limit ends with the process.
"""

from __future__ import annotations

import os
import struct
from typing import Any

CPU_LATENCY_DEVICE = '/dev/cpu_dma_latency'


class CpuLatency:
    """
    Holds a limit in microseconds while any camera needs it; a negative limit is never set.

    ``problem`` says in one line why the limit could not be set, or is ''; any thread may read it.
    Call methods on the executor's thread.
    """

    def __init__(self, limit_us: int, logger: Any) -> None:
        self.problem: str = ''
        self._limit_us = limit_us
        self._logger = logger
        self._wanted_by: set[str] = set()
        self._file: int | None = None

    def want(self, name: str, wanted: bool) -> None:
        """Record whether the camera ``name`` expects frames, and set or release the limit."""
        (self._wanted_by.add if wanted else self._wanted_by.discard)(name)
        if not self._wanted_by:
            self.release()
        elif self._file is None and self._limit_us >= 0 and not self.problem:
            self._set()

    def release(self) -> None:
        """Release the limit for all cameras."""
        self._wanted_by.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _set(self) -> None:
        file = None
        try:
            file = os.open(CPU_LATENCY_DEVICE, os.O_WRONLY | os.O_CLOEXEC)
            os.write(file, struct.pack('i', self._limit_us))
        except OSError as error:
            if file is not None:
                os.close(file)
            self.problem = (f'parameter cpu_latency_us has no effect: cannot write to '
                            f'{CPU_LATENCY_DEVICE} ({error.strerror})')
            self._logger.warning(self.problem)
            return
        self._file = file
        self._logger.debug(f'maximum CPU wake-up latency: {self._limit_us} us')
