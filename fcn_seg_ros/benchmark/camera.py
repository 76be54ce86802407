# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera and a planner in one process, to measure a node over the middleware."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.messages import header_key, to_header, to_rgb8

# Reliable, so that every kind of subscriber matches; deep enough for a slow callback.
_QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
_START_TIMEOUT_S = 180.0
_START_RATE_HZ = 5.0


@contextmanager
def camera_and_planner(image: np.ndarray) -> Iterator[CameraAndPlanner]:
    """Join ROS in a separate context, yield a camera with its planner, and leave ROS at the end."""
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        planner = CameraAndPlanner(image, context)
        try:
            yield planner
        finally:
            planner.leave()
    finally:
        with suppress(RuntimeError):
            rclpy.shutdown(context=context)


class CameraAndPlanner(Node):
    """
    Publishes one image repeatedly, and notes when its masks arrive.

    ``sent`` and ``arrived`` map an image's stamp to monotonic seconds; ``arrived`` holds the masks
    since ``forget``.
    """

    def __init__(self, image: np.ndarray, context: Context) -> None:
        super().__init__('camera_and_planner', context=context, start_parameter_services=False)
        self._message = to_rgb8(image, to_header(0, 'camera'))
        self._publisher = self.create_publisher(Image, 'camera/image_raw', _QOS)
        self.create_subscription(Image, 'camera/road/mask', self._on_mask, _QOS)
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, _QOS)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self)
        self.sent: dict[int, float] = {}
        self.arrived: dict[int, float] = {}
        self.diagnostics: dict[str, str] = {}

    def wait_for_mask(self, check: Callable[[], None]) -> float:
        """
        Publish slowly until the first mask arrives; return how many seconds that took.

        ``check`` is called in between and may raise. Raises InputError if no mask comes in time.
        """
        begin = time.monotonic()
        self.forget()
        while not self.arrived:
            check()
            if time.monotonic() - begin > _START_TIMEOUT_S:
                raise InputError(f'node: expected a first mask within {_START_TIMEOUT_S:g} s, '
                                 'found none')
            self.publish(1, _START_RATE_HZ)
        return time.monotonic() - begin

    def publish(self, frames: int, rate_hz: float) -> None:
        """Publish ``frames`` images at ``rate_hz``, and run callbacks in between."""
        due = time.monotonic()
        for _ in range(frames):
            stamp = time.time_ns()
            self._message.header = to_header(stamp, 'camera')
            self.sent[stamp] = time.monotonic()
            self._publisher.publish(self._message)
            due = max(due + 1.0 / rate_hz, time.monotonic() - 1.0 / rate_hz)
            self.serve(due)

    def serve(self, until: float) -> None:
        """Run callbacks until a time in monotonic seconds."""
        while (left := until - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def forget(self) -> None:
        """Forget the masks so far; those of images in flight will still count."""
        self.arrived.clear()

    def latencies(self) -> np.ndarray:
        """Return the milliseconds from publishing an image to its mask, in order of arrival."""
        return np.array([1e3 * (when - self.sent[stamp])
                         for stamp, when in self.arrived.items()])

    def leave(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.destroy_node()

    def _on_mask(self, message: Image) -> None:
        stamp, _ = header_key(message.header)
        if stamp in self.sent:
            self.arrived[stamp] = time.monotonic()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.diagnostics |= {value.key: value.value for value in status.values}
