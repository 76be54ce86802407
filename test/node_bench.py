# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shared by the node's benchmarks: a node process, cameras that feed it, its diagnostics."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image
from source_tree import ROOT

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.dds import use_shipped_profile
from fcn_seg_ros.messages import stamp_ns, to_header, to_rgb8

KITTI_SHAPE = (375, 1242, 3)
COUNTS = (keys.RECEIVED, keys.PUBLISHED, keys.IN_FLIGHT, keys.MISSED)


def random_checkpoints(folder: Path, count: int) -> list[Path]:
    """Write networks of random weights, 96 rows and different thresholds; return their paths."""
    from conftest import make_random_network, network_info

    from fcn_seg_ros.models.checkpoint import save_checkpoint
    paths = [folder / f'{number}.safetensors' for number in range(count)]
    for number, path in enumerate(paths):
        save_checkpoint(path, make_random_network(number),
                        network_info(threshold=0.45 + 0.05 * number))
    return paths


def small_checkpoint(folder: Path) -> Path:
    """Write the checkpoint of a network with random weights and 96 rows; return its path."""
    from conftest import make_random_network, network_info

    from fcn_seg_ros.models.checkpoint import save_checkpoint
    path = folder / 'random.safetensors'
    save_checkpoint(path, make_random_network(), network_info())
    return path


class NodeProcess:
    """``seg_node`` in a process of its own, with the hooks of node_with_hooks.py."""

    def __init__(self, domain: int, ros_arguments: Sequence[str], *, sleep_s: float = 0.0,
                 beat_s: float = 0.0, times: bool = False, **environment: str) -> None:
        """Start it; its log goes to a file, so that a full pipe cannot block it."""
        self._folder = tempfile.TemporaryDirectory()
        self._log = (Path(self._folder.name) / 'log').open('w+')
        self._times = Path(self._folder.name) / 'times'
        hooks = ['--sleep-s', str(sleep_s), '--beat-s', str(beat_s)]
        hooks += ['--times', str(self._times)] if times else []
        environ = os.environ | {'ROS_DOMAIN_ID': str(domain),
                                'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'} | environment
        use_shipped_profile(environ)
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / 'test' / 'node_with_hooks.py'), *hooks, '--',
             '--ros-args', *ros_arguments],
            env=environ, stdout=self._log, stderr=subprocess.STDOUT)
        self._statistics = psutil.Process(self.process.pid)

    def rss_mib(self) -> float:
        """Return the resident memory."""
        return self._statistics.memory_info().rss / 2**20

    def cpu_s(self) -> float:
        """Return the processor time spent so far, user and system."""
        times = self._statistics.cpu_times()
        return times.user + times.system

    def times(self) -> list[dict[str, Any]]:
        """Return the stage and executor times logged so far."""
        lines = self._times.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith('\n')]

    def log(self) -> str:
        """Return what the node printed."""
        self._log.flush()
        return Path(self._log.name).read_text()

    def stop(self) -> int:
        """Stop it with SIGINT and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._log.close()
        self._folder.cleanup()
        return status


class Bench:
    """
    Cameras that publish, and what comes back, in this process; receiving has a thread of its own.

    ``masks`` holds (stamp in ns, seconds from the stamp to the arrival) by camera; ``status`` the
    values of the last diagnostics by camera, '' for the node itself. ``late_ms`` is by how much
    this process woke up too late, at worst, while it fed the cameras: what the machine's other work
    costs, which the node's figures contain as well.
    """

    def __init__(self, domain: int, cameras: Sequence[str] = ('camera',), kind: type = Image,
                 topic: str = 'image_raw', outputs: Sequence[str] = ('mask',)) -> None:
        """Join the graph, publish for every camera and subscribe to the outputs."""
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        use_shipped_profile()
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain,
                   signal_handler_options=SignalHandlerOptions.NO)
        self.node = rclpy.create_node('bench', context=self.context)
        self.late_ms: float = 0.0
        self.status: dict[str, dict[str, str]] = {}
        self.masks: dict[str, list[tuple[int, float]]] = {camera: [] for camera in cameras}
        reliable = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
        self.publishers = {camera: self.node.create_publisher(kind, f'{camera}/{topic}', reliable)
                           for camera in cameras}
        for camera in cameras:
            for output in outputs:
                self.node.create_subscription(
                    Image, f'{camera}/road/{output}', self._receiver(camera), reliable)
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self._changed = threading.Condition()
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait until a condition holds; raise TimeoutError after ``seconds``."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition():
                if time.monotonic() > deadline:
                    raise TimeoutError(f'not within {seconds} s; last heard: {self.status}')
                self._changed.wait(1.0)

    def wait_for_node(self, subscribed: bool = True) -> None:
        """Wait until the node is active and, if ``subscribed``, subscribes to every camera."""
        self.until(lambda: all(self.status.get(camera, {}).get(keys.STATE) == 'active'
                               for camera in self.publishers), 120.0)
        if subscribed:
            self.until(lambda: all(self.status[camera][keys.SUBSCRIBED] == 'True'
                                   for camera in self.publishers))
            deadline = time.monotonic() + 30.0
            while not all(p.get_subscription_count() == 1 for p in self.publishers.values()):
                if time.monotonic() > deadline:
                    raise TimeoutError('the cameras are not subscribed to')
                time.sleep(0.01)

    def feed(self, rate: float, seconds: float, shape: tuple[int, int, int] = KITTI_SHAPE) -> int:
        """Publish the same image for every camera at a rate; return the number for each."""
        image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        message = to_rgb8(image, to_header(0, 'front'))
        count = round(rate * seconds)
        start = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            self.late_ms = max(self.late_ms, 1e3 * (time.monotonic() - start - number / rate))
            for publisher in self.publishers.values():
                message.header = to_header(time.time_ns(), 'front')
                publisher.publish(message)
        return count

    def counts(self, camera: str) -> dict[str, int]:
        """Return the last reported counts of a camera."""
        return {key: int(value) for key, value in self.status[camera].items()
                if key in COUNTS or key.startswith(keys.DROPPED_PREFIX)}

    def drain(self) -> None:
        """Wait until two diagnostics in a row report the same counts and nothing in flight."""
        seen: dict[str, dict[str, int]] = {}
        deadline = time.monotonic() + 30.0
        while time.monotonic() < deadline:
            before, seen = seen, {camera: self.counts(camera) for camera in self.publishers}
            if before == seen and all(c[keys.IN_FLIGHT] == 0 for c in seen.values()):
                return
            stamp = self.status['']['stamp']
            self.until(lambda stamp=stamp: self.status['']['stamp'] != stamp, 10.0)
        raise TimeoutError(f'frames are still in flight: {seen}')

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown(1.0)
        rclpy.shutdown(context=self.context)
        self._thread.join(5.0)

    def _receiver(self, camera: str) -> Callable[[Image], None]:
        def on_mask(message: Image) -> None:
            now = time.time_ns()
            stamp = stamp_ns(message.header)
            with self._changed:
                self.masks[camera].append((stamp, (now - stamp) / 1e9))
                self._changed.notify_all()
        return on_mask

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        with self._changed:
            for status in array.status:
                camera = status.name.partition(': ')[2]
                values = {value.key: value.value for value in status.values}
                self.status[camera] = values | {'message': status.message}
            stamp = array.header.stamp
            self.status.setdefault('', {})['stamp'] = f'{stamp.sec}.{stamp.nanosec:09d}'
            self._changed.notify_all()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()


def unexplained(counts: dict[str, int], sent: int) -> int:
    """Return how many sent images are in no count of the node, or in two."""
    dropped = sum(value for key, value in counts.items() if key.startswith(keys.DROPPED_PREFIX))
    received = counts[keys.RECEIVED]
    inside = abs(received - counts[keys.PUBLISHED] - dropped - counts[keys.IN_FLIGHT])
    return inside + abs(sent - received - counts[keys.MISSED])
