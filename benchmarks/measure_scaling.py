# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
What scaling a camera image to the network's size costs, beside OpenCV's averaging over areas.

    python benchmarks/measure_scaling.py
    python benchmarks/measure_scaling.py --data DATA

Milliseconds at p50 for usual cameras and the packaged network, in turns. With DATA (the folder that
FCN_SEG_DATA names) also MaxF on KITTI Road's validation images, in perspective, at network heights
that make the images a lot smaller, with either way of scaling.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros.benchmark.timing import interleave, summary, timed
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.inference import segmenter as module
from fcn_seg_ros.inference.preprocess import network_size, resize_image
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import default_checkpoint

CAMERAS = ((1920, 1200), (1920, 1080), (1280, 720), (1242, 375), (640, 480))
HEIGHTS = (128, 160, 192, 224)


def average(image: np.ndarray, size: tuple[int, int], out: np.ndarray | None = None
            ) -> np.ndarray:
    """Scale as ``resize_image``, but with areas where the image shrinks to two thirds or less."""
    small = image.shape[0] > 1.5 * size[0] or image.shape[1] > 1.5 * size[1]
    return cv2.resize(image, (size[1], size[0]), dst=out,
                      interpolation=cv2.INTER_AREA if small else cv2.INTER_LINEAR)


WAYS = {'halved': resize_image, 'averaged': average}


def times(frames: int) -> dict[str, Any]:
    """Return the milliseconds of either way for each camera, and of a whole call as it is."""
    whole = RoadSegmenter(default_checkpoint())
    calls = {}
    for width, height in CAMERAS:
        image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        size = network_size(height, width, whole.network_height)
        out = np.empty((*size, 3), np.uint8)
        for name, way in WAYS.items():
            calls[width, height, name] = timed(lambda w=way, i=image, s=size, o=out: w(i, s, o))
        calls[width, height, 'whole call'] = timed(lambda i=image: whole.segment(i))
    found = interleave(calls, frames)
    return {f'{width}x{height}': {name: summary(found[width, height, name]['total'])['p50']
                                  for name in (*WAYS, 'whole call')}
            for width, height in CAMERAS}


def scores(data: Path) -> dict[str, Any]:
    """Return MaxF in percent by network height, for either way."""
    dataset = KittiRoad(data / 'kitti_road', 'val.txt')
    found: dict[str, Any] = {}
    for height in HEIGHTS:
        segmenter = RoadSegmenter(default_checkpoint(), network_height=height)
        counts = {name: RoadCounts() for name in WAYS}
        for index in range(len(dataset)):
            sample = dataset[index]
            for name, way in WAYS.items():
                # Only the camera's image is scaled differently: probabilities grow in either way.
                module.resize_image = way
                probability = segmenter.segment(sample.image).probability
                counts[name].update(probability, sample.labels)
        module.resize_image = resize_image
        found[str(height)] = {name: round(100 * count.compute().max_f, 2)
                              for name, count in counts.items()}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--frames', type=int, default=100)
    parser.add_argument('--data', type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {'ms': times(options.frames)}
    if options.data:
        found['max_f'] = scores(options.data)
    print(json.dumps(found, indent=1))


if __name__ == '__main__':
    main()
