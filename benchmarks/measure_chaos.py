# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Treat the node as nobody should, for long: no wrong frame, and memory that stays flat.

    python benchmarks/measure_chaos.py --minutes 30 --seed 1

While images of several sizes come at 10 Hz, good and bad ones, a random action follows another:
transitions, parameters, networks loaded (good, broken, missing), listeners and participants that
come and go. Every mask and probability must be, for the image whose header it carries, what one of
the networks gives with settings that were set. It prints the resident memory twenty times over the
run and how it grew over the second half; exit code 1 where a frame is wrong, an answer is not as
expected, or the memory grew by 3 % or more.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import rclpy
import source_tree  # noqa: F401
from node_bench import random_checkpoints
from node_client import (
    ACTIVATE,
    CLEANUP,
    CONFIGURE,
    DEACTIVATE,
    OUTPUTS,
    Client,
    image_message,
    running,
)
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger

from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmentation import optional_threshold
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.messages import from_image, stamp_ns

SIZES = ((96, 320), (100, 160), (200, 320), (375, 1242))
PAIRS = ((-1.0, 0.0), (0.3, 0.55), (0.5, 0.0), (0.7, 0.6))
# The second fits none but the largest image: the others are refused while it is set.
REGIONS = (None, Region(16, 20, 120, 70), Region(600, 100, 500, 200))
CHECKED = ('mask', 'probability')
LIMIT_PERCENT = 3.0
SAMPLE_S = 1.0


def make_checkpoints(folder: Path) -> list[Path]:
    """Write two networks of random weights, and three files that are none; return their paths."""
    paths = random_checkpoints(folder, 2)
    (folder / 'cut.safetensors').write_bytes(paths[0].read_bytes()[:-1000])
    (folder / 'text.safetensors').write_text('not a network')
    return [*paths, folder / 'cut.safetensors', folder / 'text.safetensors', folder / 'missing']


def allowed_results(paths: list[Path], images: list[np.ndarray], arguments: dict[str, str]
                    ) -> dict[str, list[set[int]]]:
    """Return, for each output, the hashes of its possible pixels for each image."""
    allowed: dict[str, list[set[int]]] = {name: [set() for _ in images] for name in CHECKED}
    for path in paths[:2]:
        segmenter = RoadSegmenter(path, **arguments)
        for number, image in enumerate(images):
            for region in REGIONS:
                if region is not None and (region.x + region.width > image.shape[1]
                                           or region.y + region.height > image.shape[0]):
                    continue
                for threshold, unknown in PAIRS:
                    result = segmenter.segment(image, SegmentOptions(
                        optional_threshold(threshold), unknown, region))
                    for name in CHECKED:
                        allowed[name][number].add(hash(getattr(result, name).tobytes()))
        segmenter.close()
    return allowed


class Chaos:
    """Publishes, acts at random, and checks what comes back."""

    def __init__(self, client: Client, paths: list[Path], images: list[np.ndarray],
                 allowed: dict[str, list[set[int]]], seed: int) -> None:
        self.client, self.paths, self.images, self.allowed = client, paths, images, allowed
        self.counts: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        self.failures: list[str] = []
        self._random = random.Random(seed)
        self._sent = 0
        self._active = True
        self._listeners: dict[str, object] = {}
        client.node.create_timer(0.1, self._publish)
        for name in CHECKED:
            self._listen(name)
        self._actions: list[tuple[Callable[[], None], int]] = [
            (self._set_pair, 6), (self._set_region, 2), (self._set_other, 2), (self._load, 4),
            (self._toggle_listener, 6), (self._visit, 1), (self._pause, 1), (self._reconfigure, 1),
            (self._malformed, 2)]

    def step(self) -> None:
        """Do one thing, and let frames pass for a moment."""
        actions, weights = zip(*self._actions, strict=True)
        action = self._random.choices(actions, weights)[0]
        action()
        self.counts[action.__name__.strip('_')] += 1
        self.client.spin(self._random.uniform(0.0, 0.3))

    def _publish(self) -> None:
        number = self._random.randrange(len(self.images))
        self._sent += 1
        # The stamp says which image it is.
        message = image_message(self.images[number], self._sent * 1000 + number, f'f{self._sent}')
        self.client.publishers['camera'].publish(message)
        self.counts['sent'] += 1

    def _check(self, name: str, message: Image) -> None:
        stamp = stamp_ns(message.header)
        number, sent = stamp % 1000, stamp // 1000
        right = (message.header.frame_id == f'f{sent}'
                 and hash(from_image(message).tobytes()) in self.allowed[name][number])
        self.counts[name] += 1
        if not right:
            self.wrong.append(f'{name} of image {number}, message {sent}')

    def _listen(self, name: str) -> None:
        def got(message: Image) -> None:
            if name in CHECKED:
                self._check(name, message)
        self._listeners[name] = self.client.node.create_subscription(
            OUTPUTS[name], f'camera/road/{name}', got, 5)

    def _toggle_listener(self) -> None:
        name = self._random.choice(list(OUTPUTS))
        if name in self._listeners:
            self.client.node.destroy_subscription(self._listeners.pop(name))
        else:
            self._listen(name)

    def _visit(self) -> None:
        """Come as a participant of one's own, and leave."""
        context = rclpy.Context()
        rclpy.init(context=context)
        node = rclpy.create_node('visitor', context=context)
        name = self._random.choice(list(OUTPUTS))
        node.create_subscription(OUTPUTS[name], f'camera/road/{name}', lambda message: None, 5)
        self.client.spin(self._random.uniform(0.0, 1.0))
        node.destroy_node()
        rclpy.shutdown(context=context)

    def _set_pair(self) -> None:
        threshold, unknown = self._random.choice(PAIRS)
        result = self.client.set_together(threshold=threshold, unknown_below=unknown)
        self._expect(result.successful, result.reason)

    def _set_region(self) -> None:
        region = self._random.choice(REGIONS)
        values = [0, 0, 0, 0] if region is None else [region.x, region.y, region.width,
                                                      region.height]
        result = self.client.set('region_of_interest', values)
        self._expect(result.successful, result.reason)

    def _set_other(self) -> None:
        name, value, taken = self._random.choice([
            ('overlay_alpha', 0.3, True), ('overlay_alpha', 7.0, False), ('threshold', 'x', False),
            ('max_age_ms', 0.0, True), ('device', 'tpu', False), ('nothing', 1, False),
            ('expected_processing_ms', 50.0, True)])
        self._expect(self.client.set(name, value).successful == taken, f'{name}: {value}')

    def _load(self) -> None:
        path = self._random.choice(self.paths)
        self._expect(self.client.set('checkpoint', str(path)).successful, f'checkpoint {path}')
        answer = self.client.call(Trigger, 'load_checkpoint', Trigger.Request())
        self._expect(answer.success == (path in self.paths[:2]), answer.message)
        # What a later configure takes must be there.
        self.client.set('checkpoint', str(self.paths[self._random.randrange(2)]))

    def _pause(self) -> None:
        self._change(DEACTIVATE)
        self.client.spin(self._random.uniform(0.0, 0.5))
        self._change(ACTIVATE)

    def _reconfigure(self) -> None:
        for transition in (DEACTIVATE, CLEANUP, CONFIGURE, ACTIVATE):
            self._change(transition)

    def _change(self, transition: int) -> None:
        self._expect(self.client.change(transition), f'transition {transition}')

    def _malformed(self) -> None:
        height, encoding = self._random.choice([(5, 'rgb8'), (2**31, 'rgb8'), (4, 'bogus')])
        self.client.publishers['camera'].publish(
            Image(height=height, width=4, step=12, encoding=encoding, data=bytes(48)))

    def _expect(self, right: bool, words: str) -> None:
        if not right:
            self.failures.append(words)


def growth_percent(resident: list[float]) -> float:
    """Return by how much the last quarter of samples is above the one before, by their medians."""
    quarter = len(resident) // 4
    last, before = resident[-quarter:], resident[-2 * quarter:-quarter]
    return float(100 * (np.median(last) / np.median(before) - 1))


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--backend', default='openvino')
    parser.add_argument('--precision', default='fp32')
    options = parser.parse_args()
    images = [np.random.default_rng(size[1] + number).integers(0, 256, (*size, 3), np.uint8)
              for size in SIZES for number in range(2)]
    arguments = {'device': 'cpu', 'backend': options.backend, 'precision': options.precision}
    resident: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = make_checkpoints(Path(folder))
        allowed = allowed_results(paths, images, arguments)
        ros = [word for name, value in arguments.items() for word in ('-p', f'{name}:={value}')]
        with running('-p', f'checkpoint:={paths[0]}', *ros, '--log-level', 'fatal') as node:
            client = Client(outputs=())
            client.until(lambda: client.status.get('state') == 'active')
            chaos = Chaos(client, paths, images, allowed, options.seed)
            start = last = time.monotonic()
            while time.monotonic() - start < 60 * options.minutes:
                chaos.step()
                if time.monotonic() - last >= SAMPLE_S:
                    last = time.monotonic()
                    resident.append(psutil.Process(node.pid).memory_info().rss / 2**20)
            client.spin(2.0)
            status = dict(client.status)
            client.close()
    growth = growth_percent(resident)
    twentieths = resident[::max(1, len(resident) // 20)]
    print(json.dumps({
        'minutes': options.minutes, 'seed': options.seed, **arguments, 'counts': chaos.counts,
        'wrong': len(chaos.wrong), 'first_wrong': chaos.wrong[:3],
        'failures': len(chaos.failures), 'first_failures': chaos.failures[:3],
        'dropped_error': status.get('dropped_error'),
        'resident_mib': [round(value) for value in twentieths],
        'growth_percent': round(growth, 2)}))
    return int(bool(chaos.wrong or chaos.failures or growth >= LIMIT_PERCENT))


if __name__ == '__main__':
    sys.exit(main())
