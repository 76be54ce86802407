# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node's health on /diagnostics, once a second, from a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from fcn_seg_ros.node.frame_slot import Counts, Drop

_PERIOD_S = 1.0


@dataclass(frozen=True)
class Health:
    """
    What one beat says.

    ``state`` is the lifecycle state, or ``configuring`` while the network loads; ``reason`` is why
    the last transition failed; ``network`` what runs where; ``times`` (p50, p95) in milliseconds
    by camera and stage.
    """

    state: str
    reason: str
    network: dict[str, str]
    counts: dict[str, Counts]
    times: dict[str, dict[str, tuple[float, float]]]


class DiagnosticsBeat:
    """
    Publishes a DiagnosticArray every second, one status per camera.

    It has its own thread, so that "configuring" and a stuck worker are seen.
    """

    def __init__(self, node: Node, health: Callable[[], Health]) -> None:
        self._node = node
        self._health = health
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name='diagnostics', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the beat that it is in."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        previous: Mapping[str, Counts] = {}
        while not self._stop.is_set():
            health = self._health()
            array = DiagnosticArray()
            array.header.stamp = self._node.get_clock().now().to_msg()
            name = self._node.get_fully_qualified_name().lstrip('/')
            array.status = [camera_status(name, camera, health, previous.get(camera))
                            for camera in health.counts]
            if self._node.context.ok():
                self._publisher.publish(array)
            previous = health.counts
            self._stop.wait(_PERIOD_S)


def camera_status(node_name: str, camera: str, health: Health, previous: Counts | None
                  ) -> DiagnosticStatus:
    """
    Return the status of one camera; ``previous`` are its counts one beat ago.

    ``node_name`` is with its namespace, so that two nodes stay apart in an aggregator.
    """
    counts = health.counts[camera]
    values = {'state': health.state, 'received': str(counts.received),
              'published': str(counts.published)}
    values |= {f'dropped_{drop.value}': str(counts.dropped[drop]) for drop in Drop}
    values |= {'in_flight': str(counts.in_flight)} | health.network
    for stage, (median, p95) in health.times[camera].items():
        values[f'{stage}_ms_p50'] = f'{median:.2f}'
        values[f'{stage}_ms_p95'] = f'{p95:.2f}'
    level, text = _judge(health, counts, previous)
    return DiagnosticStatus(
        level=level, name=f'{node_name}: {camera}', message=text, hardware_id=camera,
        values=[KeyValue(key=key, value=value) for key, value in values.items()])


def _judge(health: Health, counts: Counts, previous: Counts | None) -> tuple[bytes, str]:
    if health.reason:
        return DiagnosticStatus.ERROR, health.reason
    if health.state != 'active':
        return DiagnosticStatus.OK, health.state
    before = previous.dropped if previous else dict.fromkeys(Drop, 0)
    if counts.dropped[Drop.ERROR] > before[Drop.ERROR]:
        return DiagnosticStatus.ERROR, 'images could not be segmented in the last second'
    if counts.dropped[Drop.MALFORMED] > before[Drop.MALFORMED]:
        return DiagnosticStatus.WARN, 'malformed images in the last second'
    if previous and counts.received == previous.received:
        return DiagnosticStatus.WARN, 'active, no image in the last second'
    return DiagnosticStatus.OK, 'active'
