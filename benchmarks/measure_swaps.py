# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure changes of checkpoint and parameters under load.

    python benchmarks/measure_swaps.py --swaps 50 --changes 1000

While images come at 10 Hz, ~/load_checkpoint goes round three checkpoints and the parameters
threshold and unknown_below are set, together, to random values. Every mask must be what one
checkpoint gives with one pair of values that were set; the memory must not grow; nothing may
fail. It prints the figures; exit code 1 where one is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import source_tree  # noqa: F401
from node_bench import random_checkpoints
from node_client import FAST, Client, image_message, running
from std_srvs.srv import Trigger

from fcn_seg_ros.inference.segmentation import optional_threshold
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.messages import from_image

PAIRS = [(threshold, unknown) for threshold in (-1.0, 0.3, 0.4, 0.5, 0.6, 0.7)
         for unknown in (0.0, 0.55, 0.6, 0.65)]
LIMIT_PERCENT = 3.0


def allowed_masks(paths: list[Path], image: np.ndarray) -> set[bytes]:
    """Return the masks of every checkpoint with every pair of settings."""
    masks = set()
    for path in paths:
        segmenter = RoadSegmenter(path, 'cpu', 'fp32', threads=1, backend='torch')
        masks |= {segmenter.segment(image, SegmentOptions(
            optional_threshold(threshold), unknown)).mask.tobytes() for threshold, unknown in PAIRS}
    return masks


class Load:
    """Images at 10 Hz, random settings, and one checkpoint after the other."""

    def __init__(self, client: Client, paths: list[Path], image: np.ndarray) -> None:
        """Begin to publish images."""
        self.client, self.paths = client, paths
        self.swapped = self.changed = 0
        self.failures: list[str] = []
        self._random = random.Random(0)
        self._service = client.node.create_client(Trigger, '/seg_node/load_checkpoint')
        client.until(self._service.service_is_ready)
        message = image_message(image, 1)
        client.node.create_timer(0.1, lambda: client.publishers['camera'].publish(message))

    def run(self, swaps: int, changes: int) -> None:
        """Make so many changes of settings, and at even distances swaps while they go on."""
        client = self.client
        while self.swapped < swaps or self.changed < changes:
            path = self.paths[self.swapped % len(self.paths)]
            self._note(client.set('checkpoint', str(path)).successful, 'checkpoint was refused')
            future = self._service.call_async(Trigger.Request())
            until = round(changes * (self.swapped + 1) / swaps)
            while self.changed < until or not future.done():
                threshold, unknown = self._random.choice(PAIRS)
                result = client.set_together(threshold=threshold, unknown_below=unknown)
                self._note(result.successful, result.reason)
                self.changed += 1
            self._note(future.result().success, future.result().message)
            self.swapped += 1

    def _note(self, success: bool, reason: str) -> None:
        if not success:
            self.failures.append(reason)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--swaps', type=int, default=50)
    parser.add_argument('--changes', type=int, default=1000)
    options = parser.parse_args()
    image = np.random.default_rng(0).integers(0, 256, (96, 320, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        paths = random_checkpoints(Path(folder), 3)
        allowed = allowed_masks(paths, image)
        with running('-p', f'checkpoint:={paths[0]}', *FAST) as node:
            client = Client(outputs=('mask',))
            client.connect()
            load = Load(client, paths, image)
            start = time.monotonic()
            resident = []
            for part in range(1, 6):
                load.run(options.swaps * part // 5, options.changes * part // 5)
                resident.append(psutil.Process(node.pid).memory_info().rss / 2**20)
            seconds = time.monotonic() - start
            masks = [from_image(mask).tobytes() for mask in client.got['camera']['mask']]
            errors = int(client.status['dropped_error'])
            client.close()
    wrong = sum(mask not in allowed for mask in masks)
    growth = 100 * (resident[-1] / resident[1] - 1)
    print(json.dumps({
        'swaps': load.swapped, 'changes': load.changed, 'seconds': round(seconds, 1),
        'failures': load.failures[:3], 'masks': len(masks), 'different_masks': len(set(masks)),
        'allowed_masks': len(allowed), 'wrong_masks': wrong, 'frames_in_error': errors,
        'resident_mib': [round(value) for value in resident],
        'growth_percent': round(growth, 2)}))
    return int(bool(load.failures or wrong or errors or not masks or growth >= LIMIT_PERCENT))


if __name__ == '__main__':
    sys.exit(main())
