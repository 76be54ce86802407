# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Send malformed and hostile messages to the node, and see that it counts each and lives on.

    python benchmarks/measure_malformed.py --messages 10000

starts seg_node on two cameras, one raw and one compressed, as a process of its own, and sends it
what hypothesis thinks of (hostile_messages.py), over the middleware. Every image waits until the
node has counted the one before, so that none is replaced by the next unseen; the diagnostics beat
every 10 ms for that. It prints how many were refused and segmented, whether the counts add up, and
the resident memory after each tenth of the messages. Exit code 1 where the node died, a message is
in no count, or the memory grew by more than 2 % over the second half.

PyTorch keeps its kernels for the last 1024 shapes of a layer, which is no leak but looks like one
where nearly every image has a size of its own: the node runs here with a cache of 16, and with
large blocks of memory given back at once.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import source_tree  # noqa: F401
from hostile_messages import MESSAGES
from hypothesis import HealthCheck, Phase, given, settings
from node_bench import Bench, NodeProcess, small_checkpoint
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fcn_seg_ros.dds import use_private_domain

CAMERAS = ('raw', 'packed')
MOST_GROWTH_PERCENT = 2.0
# Far beyond what an image takes: that one is counted is what is looked at, not how fast.
MOST_S = 240.0
FLAT_CACHES = {'ONEDNN_PRIMITIVE_CACHE_CAPACITY': '16', 'MALLOC_MMAP_THRESHOLD_': '1000000',
               'MALLOC_TRIM_THRESHOLD_': '1000000'}


class HostileBench(Bench):
    """Publishes hostile messages of three kinds and waits until the node has counted each."""

    def __init__(self, domain: int, alive: Callable[[], bool]) -> None:
        """Join the graph as two cameras, one of which compresses; ``alive``: does the node run."""
        super().__init__(domain, CAMERAS)
        self.alive = alive
        self.node.destroy_publisher(self.publishers['packed'])
        self.publishers['packed'] = self.node.create_publisher(
            CompressedImage, 'packed/image_raw/compressed', QoSProfile(depth=5))
        self.infos = [self.node.create_publisher(CameraInfo, f'{camera}/camera_info',
                                                 QoSProfile(depth=5)) for camera in CAMERAS]
        self.node.create_subscription(CameraInfo, 'raw/road/camera_info', lambda message: None,
                                      QoSProfile(depth=5))
        self.sent = dict.fromkeys((*CAMERAS, 'infos'), 0)

    def send(self, message: Image | CompressedImage | CameraInfo) -> None:
        """Publish one message; an image is waited for, and TimeoutError says it was not counted."""
        if not self.alive():
            return
        if isinstance(message, CameraInfo):
            self.sent['infos'] += 1
            for publisher in self.infos:
                publisher.publish(message)
            return
        camera = 'raw' if isinstance(message, Image) else 'packed'
        self.sent[camera] += 1
        self.publishers[camera].publish(message)
        wanted = str(self.sent[camera])
        self.until(lambda: not self.alive() or (
            self.status[camera]['received'] == wanted
            and self.status[camera]['in_flight'] == '0'), MOST_S)


def measure(messages: int, domain: int, device: str = 'cpu') -> dict[str, Any]:
    """Send that many messages and return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        node = NodeProcess(domain, [
            '-p', 'cameras:=[raw, packed]', '-p', 'packed.transport:=compressed',
            '-p', f'checkpoint:={small_checkpoint(Path(folder))}', '-p', f'device:={device}',
            '-p', 'backend:=torch', '-p', 'precision:=fp32', '-p', 'threads:=1',
            '-p', 'network_height:=64'],
            beat_s=0.01, **FLAT_CACHES)
        bench = HostileBench(domain, lambda: node.process.poll() is None)
        try:
            bench.wait_for_node()
            rss: list[float] = []
            run_hostile(bench.send, messages, lambda: rss.append(node.rss_mib()))
            alive = bench.alive()
            if alive:
                bench.drain()
            counts = {camera: bench.counts(camera) for camera in CAMERAS}
        finally:
            bench.close()
            status = node.stop()
    return figures(bench.sent, counts, rss, alive and status == 0)


def run_hostile(send: Callable[[Any], None], messages: int, after_each: Callable[[], None]
                ) -> None:
    """Call ``send`` with that many messages."""
    @settings(max_examples=messages, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(MESSAGES)
    def run(message: Any) -> None:
        send(message)
        after_each()
    run()


def figures(sent: dict[str, int], counts: dict[str, dict[str, int]], rss: list[float],
            alive: bool) -> dict[str, Any]:
    """Return what there is to say of a run."""
    uncounted = 0
    for camera, own in counts.items():
        ends = own['published'] + own['dropped_malformed']
        uncounted += abs(sent[camera] - own['received']) + abs(own['received'] - ends)
    tenths = [rss[len(rss) * part // 10 - 1] for part in range(1, 11)]
    warm, end = tenths[4], tenths[-1]
    return {'messages': sum(sent.values()), 'sent': sent, 'alive': alive, 'uncounted': uncounted,
            'malformed': sum(own['dropped_malformed'] for own in counts.values()),
            'segmented': sum(own['published'] for own in counts.values()),
            'rss_mib_tenths': [round(mib, 1) for mib in tenths],
            'rss_growth_percent': round(100 * (end / warm - 1), 2)}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--messages', type=int, default=10_000)
    parser.add_argument('--device', default='cpu')
    options = parser.parse_args()
    result = measure(options.messages, int(use_private_domain({})), options.device)
    print(json.dumps(result))
    good = (result['alive'] and not result['uncounted']
            and result['rss_growth_percent'] < MOST_GROWTH_PERCENT)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
