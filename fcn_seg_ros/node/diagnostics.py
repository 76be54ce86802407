# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publish the node's health on /diagnostics, at least every second."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.node.camera_watch import CameraWatch
from fcn_seg_ros.node.frame_slot import Drop
from fcn_seg_ros.node.health import Health, Verdict, common_problems, worst

_PERIOD_S = 1.0
# The shortest time between two messages when there is news.
_SHORTEST_S = 0.1
_HINT_EVERY_S = 60.0


class DiagnosticsPublisher:
    """
    Publishes a DiagnosticArray every second: the node's status, then one per camera.

    ``soon``, from any thread, publishes the next message immediately. Publishing has its own
    thread, so that "configuring" and a stuck worker are reported; ``health`` is called on that
    thread.
    """

    def __init__(self, node: Node, health: Callable[[], Health]) -> None:
        self._node = node
        self._health = health
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._watches: dict[str, CameraWatch] = {}
        self._hinted: dict[tuple[str, str], float] = {}
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name='diagnostics', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the current message."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def soon(self) -> None:
        """Publish the next message now."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                array = self._array(self._health(), time.monotonic())
                if self._node.context.ok():
                    self._publisher.publish(array)
            except Exception:  # log it and keep publishing
                self._node.get_logger().error(traceback.format_exc(),
                                              throttle_duration_sec=_HINT_EVERY_S)
            shortest = min(_SHORTEST_S, _PERIOD_S)
            self._stop.wait(shortest)
            self._wake.wait(_PERIOD_S - shortest)
            self._wake.clear()

    def _array(self, health: Health, now: float) -> DiagnosticArray:
        self._watches = {camera: self._watches.get(camera) or CameraWatch()
                         for camera in health.cameras}
        # With the namespace, so that an aggregator can distinguish two nodes.
        name = self._node.get_fully_qualified_name().lstrip('/')
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        array.status = [node_status(name, health)]
        for camera, watch in self._watches.items():
            verdict = watch.judge(health, camera, now)
            array.status.append(camera_status(name, camera, health, verdict))
            self._log_hints(camera, verdict, now)
            if verdict.news:
                self._node.get_logger().warning(f'{camera}: {verdict.news}')
        return array

    def _log_hints(self, camera: str, verdict: Verdict, now: float) -> None:
        """Log each hint once a minute; the logger's throttle would count all hints as one."""
        for about, words in verdict.hints.items():
            if now - self._hinted.get((camera, about), float('-inf')) >= _HINT_EVERY_S:
                self._hinted[camera, about] = now
                self._node.get_logger().warning(f'{camera}: {words}')


def node_status(node_name: str, health: Health) -> DiagnosticStatus:
    """Return the status of the node as a whole, which has the node's name."""
    problems = common_problems(health)
    if health.warning:
        problems.append((DiagnosticStatus.WARN, health.warning))
    level, message = worst(problems, health.state)
    values = {keys.STATE: health.state} | health.network | {
        keys.WORKER_BUSY: f'{health.busy_s:.2f}', keys.CAMERAS: ', '.join(health.cameras)}
    values |= health.outputs
    return _status(level, node_name, message, 'fcn_seg_ros', values)


def camera_status(node_name: str, camera: str, health: Health, verdict: Verdict
                  ) -> DiagnosticStatus:
    """Return the status of one camera, named ``NODE: CAMERA``."""
    known = health.cameras[camera]
    values = {keys.STATE: health.state, keys.RECEIVED: str(known.counts.received),
              keys.PUBLISHED: str(known.counts.published)}
    values |= {keys.dropped(drop.value): str(known.counts.dropped[drop]) for drop in Drop}
    values |= {keys.IN_FLIGHT: str(known.counts.in_flight),
               keys.LOST: str(known.lost), keys.MISSED: str(known.missed),
               keys.SUBSCRIBED: str(known.subscribed), keys.TRANSPORT: known.transport,
               keys.RELIABILITY: known.reliability, keys.INCOMPATIBLE: known.incompatible}
    values |= verdict.values | health.network
    for stage, times in known.times.percentiles().items():
        values |= {keys.stage_time(stage, statistic): f'{value:.2f}'
                   for statistic, value in zip(('p50', 'p95', 'max'), times, strict=True)}
    return _status(verdict.level, f'{node_name}: {camera}', verdict.message, camera, values)


def _status(level: bytes, name: str, message: str, hardware_id: str, values: dict[str, str]
            ) -> DiagnosticStatus:
    return DiagnosticStatus(
        level=level, name=name, message=message, hardware_id=hardware_id,
        values=[KeyValue(key=key, value=value) for key, value in values.items()])
