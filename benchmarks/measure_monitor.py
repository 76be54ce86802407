# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
How soon the monitor sees that a camera's picture is at fault, and when it is wrong about it.

    python benchmarks/measure_monitor.py --data DATA

On every set in DATA (the folder that FCN_SEG_DATA names): KITTI raw frames, CamVid val, both
videos and the sets of open_road, as sequences at 10 Hz (videos at their own rate). Printed are,
per set, the frames and the seconds with a WARN though nothing is wrong; per fault and set, in how
many of the trials it was found, the seconds until the WARN at worst, and until it was gone again
after the fault's end; and milliseconds of a look, beside the network's, in turns. Faults are put
on the pictures only: the network's answer is that to the good ones, so that none is found by it.
Frames of short sets come again, with a sensor's noise of one grey level on them. The statistics
of the training data are fitted to the first half of every set and of KITTI Road's and CamVid's
training images, as those of a network trained on all of them would be.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import source_tree  # noqa: F401
from picture_faults import FAULTS, faulty, noisy

from fcn_seg_ros.benchmark.timing import interleave, summary
from fcn_seg_ros.inference.familiar import figures, fit
from fcn_seg_ros.inference.monitor import MonitorOptions, PictureMonitor
from fcn_seg_ros.inference.picture import glance, sampled_rows
from fcn_seg_ros.inference.segmenter import RoadSegmenter, Segmentation
from fcn_seg_ros.resources import default_checkpoint

RATE = 10.0
SETS = {
    'KITTI raw': 'kitti_raw_2011_09_26/image_02/*', 'CamVid val': 'camvid/val/*',
    'solidWhiteRight': 'video/solidWhiteRight.mp4',
    'vehicle_detection': 'video/vehicle_detection_test_video.mp4',
    'lums': 'open_road/lums/images/*', 'austin_night': 'open_road/austin_night/images/*',
    'kathmandu': 'open_road/kathmandu/images/*', 'dnit_brazil': 'open_road/dnit_brazil/images/*'}
TRAINING = ('kitti_road/training/image_2/*', 'camvid/train/*')
_TRAINING_STEP = 2
# Frames of a trial; a fault must be seen, and forgotten again, within 2 s.
_WARM_UP, _FAULT, _AFTER = 80, 20, 20


@dataclass(frozen=True)
class Drive:
    """Good frames, RGB, and what the network says of them."""

    images: list[np.ndarray]
    results: list[Segmentation]
    rate: float

    def played(self, start: int, count: int) -> Iterator[tuple[np.ndarray, Segmentation]]:
        """Yield frames from a start on, to and fro where there are too few."""
        way = [*range(len(self.images)), *range(len(self.images) - 2, 0, -1)]
        rng = np.random.default_rng(0)
        for number in range(start, start + count):
            index = way[number % len(way)]
            image = self.images[index]
            yield (noisy(image, 1.0, rng) if number >= len(self.images) else image,
                   self.results[index])


def frames(data: Path, pattern: str) -> Iterator[np.ndarray]:
    """Yield the RGB frames of a folder or a video, in the size of the first one."""
    size = None
    if pattern.endswith('.mp4'):
        video = cv2.VideoCapture(str(data / pattern))
        while (read := video.read())[0]:
            yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
    for path in sorted(data.glob(pattern)) if '*' in pattern else ():
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        size = size or image.shape[1::-1]
        yield image if image.shape[1::-1] == size else cv2.resize(image, size)


def rate_of(data: Path, pattern: str) -> float:
    """Return how many frames come in a second."""
    if not pattern.endswith('.mp4'):
        return RATE
    return float(cv2.VideoCapture(str(data / pattern)).get(cv2.CAP_PROP_FPS))


def rows_only(result: Segmentation) -> Segmentation:
    """Return a result with only the rows that the monitor looks at, to save memory."""
    rows = sampled_rows(len(result.mask))
    return dataclasses.replace(result, mask=result.mask[rows],
                               probability=result.probability[rows])


def seen(data: Path, pattern: str, segmenter: RoadSegmenter, step: int = 1
         ) -> tuple[list[Segmentation], list[dict[str, float]]]:
    """Return the network's results for every ``step``-th frame, and the frames' figures."""
    results, found = [], []
    for image in itertools.islice(frames(data, pattern), 0, None, step):
        results.append(rows_only(segmenter.segment(image)))
        found.append(figures(glance(image), results[-1]))
    if not results:
        raise SystemExit(f'{data / pattern}: expected images, found none')
    return results, found


def false_alarms(drive: Drive, ranges: dict[str, Any]) -> dict[str, Any]:
    """Return the seconds with a fault reported on good frames, by its name."""
    monitor, reported = PictureMonitor(), Counter()
    worst: dict[str, float] = {}
    for number, (image, result) in enumerate(drive.played(0, len(drive.images))):
        moment = number / drive.rate
        monitor.look(image, result, round(1e9 * moment), moment, MonitorOptions(), ranges)
        reported.update(monitor.report.faults)
        for name, value in monitor.report.values.items():
            side = min if name in ('grey', 'sharpness', 'detail') else max
            worst[name] = side(worst.get(name, value), value)
    return {'frames': len(drive.images), 'seconds_with_warn':
            {name: round(count / drive.rate, 1) for name, count in reported.items()},
            'nearest_to_a_limit': {name: round(value, 3) for name, value in worst.items()}}


@dataclass
class Camera:
    """A camera at 10 Hz under a monitor, the network's answers to its good frames at hand."""

    monitor: PictureMonitor
    results: list[Segmentation]
    shown: int = 0

    def show(self, image: np.ndarray) -> set[str]:
        """Show the next frame and return the faults after it."""
        moment = self.shown / RATE
        self.monitor.look(image, self.results[self.shown], round(1e9 * moment), moment,
                          MonitorOptions(), {})
        self.shown += 1
        return set(self.monitor.report.faults)

    def until(self, images: Iterable[np.ndarray], wanted: set[str]) -> float:
        """Show frames until a fault that is wanted, or (without) none is left; inf if never."""
        start = self.shown
        for image in images:
            faults = self.show(image)
            if faults & wanted or not (faults or wanted):
                return (self.shown - start) / RATE
        return float('inf')


def trials(drive: Drive, start: int) -> dict[str, tuple[float, float]]:
    """Return, per fault, the seconds until it is found and until it is gone, inf where never."""
    good, results = (list(part) for part in zip(
        *drive.played(start, _WARM_UP + _FAULT + _AFTER), strict=True))
    warm = Camera(PictureMonitor(), results)
    for image in good[:_WARM_UP]:
        warm.show(image)
    ends = {}
    for name, (_, names) in FAULTS.items():
        camera = Camera(copy.deepcopy(warm.monitor), results, warm.shown)
        found = camera.until(faulty(name, good[:_WARM_UP], good[_WARM_UP:-_AFTER]), set(names))
        ends[name] = found, camera.until(good[camera.shown:], set())
    return ends


def rows(name: str, each: list[dict[str, tuple[float, float]]]) -> Iterator[dict[str, Any]]:
    """Yield a row for each fault from the trials on a set."""
    for fault in FAULTS:
        found = [ends[fault][0] for ends in each if np.isfinite(ends[fault][0])]
        yield {'fault': fault, 'set': name, 'found': f'{len(found)} of {len(each)}',
               'seconds': max(found, default=None),
               'gone_after': max(ends[fault][1] for ends in each)}


def cost(segmenter: RoadSegmenter, drive: Drive, ranges: dict[str, Any], count: int
         ) -> dict[str, Any]:
    """Return milliseconds of a look and of a whole call of the segmenter."""
    monitor, number = PictureMonitor(), iter(range(10**9))

    def look() -> dict[str, float]:
        index = next(number)
        image, result = (part[index % len(drive.images)]
                         for part in (drive.images, drive.results))
        start = time.perf_counter()
        monitor.look(image, result, index, index / RATE, MonitorOptions(), ranges)
        return {'total': 1e3 * (time.perf_counter() - start)}
    times = interleave({'look': look, 'network': lambda: {
        'total': segmenter.segment(drive.images[0]).times.total}}, count)
    return {name: summary(values['total']) for name, values in times.items()}


def main() -> int:
    """Print a line of JSON for each set, each fault in each set, and the cost."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=os.environ.get('FCN_SEG_DATA'),
                        required='FCN_SEG_DATA' not in os.environ)
    parser.add_argument('--trials', type=int, default=5, help='of each fault in each set')
    parser.add_argument('--calls', type=int, default=100, help='timed')
    options = parser.parse_args()
    segmenter = RoadSegmenter(default_checkpoint())
    training, results = [], {}
    for pattern in TRAINING:
        training += seen(options.data, pattern, segmenter, _TRAINING_STEP)[1]
    for name, pattern in SETS.items():
        results[name], found = seen(options.data, pattern, segmenter)
        training += found[:len(found) // 2]
    ranges = fit(training)
    for name, pattern in SETS.items():
        drive = Drive(list(frames(options.data, pattern)), results.pop(name),
                      rate_of(options.data, pattern))
        if name == 'KITTI raw':
            print(json.dumps({'cost_ms': cost(segmenter, drive, ranges, options.calls)}))
        print(json.dumps({'set': name} | false_alarms(drive, ranges)), flush=True)
        starts = np.linspace(0, len(drive.images) - 1, options.trials).astype(int)
        for row in rows(name, [trials(drive, int(start)) for start in starts]):
            print(json.dumps(row), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
