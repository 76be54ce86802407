# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Run callbacks until a stop signal, whatever they raise."""

from __future__ import annotations

import time
import traceback
from typing import Any

from rclpy.executors import Executor, ExternalShutdownException
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.task import Future

from fcn_seg_ros.errors import type_and_words

_LOG_EVERY_S = 5.0
# How long the diagnostics report an exception.
_RECENT_S = 5.0
# Repeated failures must not keep a whole CPU busy.
_LONGEST_PAUSE_S = 0.1


class Spinner:
    """
    Spins an executor; an exception in a callback ends the callback, not the node.

    Messages can cause one: rclpy's callbacks raise for negative seconds on /clock, or for a
    parameter of unknown type.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        self._logger = logger
        self._failed_at: float = 0.0
        self._reason: str = ''

    @property
    def problem(self) -> str:
        """Return the last exception if it is recent, or ''; any thread may read it."""
        recent = self._reason and time.monotonic() - self._failed_at < _RECENT_S
        return f'a callback failed: {self._reason}' if recent else ''

    def spin(self, executor: Executor, ended: Future[Any]) -> None:
        """Run callbacks until ``ended`` is done or the context is shut down."""
        def wake(future: Future[Any]) -> None:
            # The executor returns only after a task.
            executor.create_task(lambda: None)
        ended.add_done_callback(wake)
        in_a_row = 0
        while executor.context.ok() and not ended.done():
            try:
                executor.spin_once()
                in_a_row = 0
            except ExternalShutdownException:
                return
            except Exception as error:  # whatever it is, the next callback must run
                in_a_row += 1
                self._note(error)
                time.sleep(min(_LONGEST_PAUSE_S, 1e-3 * in_a_row))

    def _note(self, error: Exception) -> None:
        self._reason, self._failed_at = type_and_words(error), time.monotonic()
        self._logger.error(f'a callback failed, the node keeps running:\n{traceback.format_exc()}',
                           throttle_duration_sec=_LOG_EVERY_S)
