# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what a best-effort subscriber in another process loses of what play publishes.

    python benchmarks/measure_play_loss.py --frames 300 --rate 30

starts ``play`` on 1242x375 images with the package's Fast DDS profile, subscribes from this
process with the middleware's defaults, and prints published, received and lost.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import source_tree  # noqa: F401
from source_tree import ROOT

from fcn_seg_ros.dds import use_private_domain
from fcn_seg_ros.messages import stamp_ns

DISTINCT_IMAGES = 20


def write_drive(folder: Path, frames: int, width: int = 1242, height: int = 375) -> Path:
    """Write ``frames`` textured JPEG images, 20 different ones in turn, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    contents = []
    for _ in range(min(frames, DISTINCT_IMAGES)):
        coarse = rng.integers(0, 255, (12, 40, 3), dtype=np.uint8)
        image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        contents.append(cv2.imencode('.jpg', image)[1].tobytes())
    for index in range(frames):
        (folder / f'{index}.jpg').write_bytes(contents[index % len(contents)])
    return folder


def start_play(arguments: list[str], domain: int, **environment: str) -> subprocess.Popen[str]:
    """Start ``python -m fcn_seg_ros play`` in a domain of its own."""
    environ = os.environ | {'ROS_DOMAIN_ID': str(domain), 'PYTHONPATH': str(ROOT),
                            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'} | environment
    return subprocess.Popen([sys.executable, '-m', 'fcn_seg_ros', 'play', *arguments],
                            env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until_it_catches_signals(process: subprocess.Popen[str]) -> None:
    """Wait until a process has its own handler of SIGTERM: how long its start takes varies."""
    caught = 0
    while process.poll() is None and not caught >> (signal.SIGTERM - 1) & 1:
        time.sleep(0.02)
        with contextlib.suppress(OSError):
            status = Path(f'/proc/{process.pid}/status').read_text()
            caught = int(status.partition('SigCgt:')[2].split()[0], 16)


def receive(process: subprocess.Popen[str], domain: int,
            subscriptions: dict[str, tuple[type, Callable[[object], None]]],
            best_effort: bool = True, timeout_s: float = 60.0) -> None:
    """Subscribe in this process until ``process`` has ended and the rest has arrived."""
    import rclpy
    from rclpy.context import Context
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = Node('listener', context=context)
    reliability = ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE
    for topic, (kind, callback) in subscriptions.items():
        node.create_subscription(kind, topic, callback,
                                 QoSProfile(depth=10, reliability=reliability))
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    deadline = time.monotonic() + timeout_s
    try:
        while process.poll() is None and time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.1)
        quiet = time.monotonic() + 0.5
        while time.monotonic() < quiet:
            executor.spin_once(timeout_sec=0.1)
    finally:
        process.kill()
        executor.shutdown()  # else the subscriptions stay in the graph, for the next player
        node.destroy_node()
        rclpy.shutdown(context=context)


def measure(frames: int, rate: float, domain: int) -> dict[str, float]:
    """Play and listen; return published, received, lost, the achieved rate and late frames."""
    from sensor_msgs.msg import Image
    stamps: list[int] = []

    def on_image(message: Image) -> None:
        stamps.append(stamp_ns(message.header))

    with tempfile.TemporaryDirectory() as folder:
        drive = write_drive(Path(folder) / 'drive', frames)
        process = start_play([str(drive), '--rate', str(rate), '--json'], domain)
        receive(process, domain, {'camera/image_raw': (Image, on_image)})
        output, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f'play ended with {process.returncode}: {errors}')
    summary = json.loads(output)
    received = len(set(stamps))
    return {'published': summary['frames'], 'received': received,
            'lost': summary['frames'] - received, 'rate_hz': round(summary['rate_hz'], 3),
            'late': summary['late']}


def main() -> int:
    """Print the figures; exit code 1 where a frame was lost."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=int, default=300)
    parser.add_argument('--rate', type=float, default=30.0)
    options = parser.parse_args()
    figures = measure(options.frames, options.rate, int(use_private_domain({})))
    print(json.dumps(figures))
    return 1 if figures['lost'] else 0


if __name__ == '__main__':
    sys.exit(main())
