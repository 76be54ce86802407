# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A node that receives in the background, beside whatever else its process does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from fcn_seg_ros.processes import WITHOUT_LOG

N = TypeVar('N', bound=Node)


class RosSession(Generic[N]):
    """A node with its own ROS context and executor thread, as a context manager."""

    def __init__(self, make: Callable[[Context], N]) -> None:
        """Join ROS and receive in the background."""
        self._context = Context()
        # Without logging, so that a log folder that is not writable does not prevent it.
        rclpy.init(args=list(WITHOUT_LOG), context=self._context,
                   signal_handler_options=SignalHandlerOptions.NO)
        self.node = make(self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, name='executor', daemon=True)
        self._thread.start()

    def __enter__(self) -> N:
        """Return the node."""
        return self.node

    def __exit__(self, *error: object) -> None:
        """Leave ROS."""
        self.leave()

    def leave(self) -> None:
        """Leave ROS; does nothing the second time."""
        if self._context.ok():
            self._executor.shutdown(timeout_sec=1.0)
            rclpy.shutdown(context=self._context)
            self._thread.join(timeout=2.0)

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()
