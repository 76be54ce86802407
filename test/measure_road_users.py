# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
How much of cars, pedestrians and cyclists the packaged network takes for road.

    python test/measure_road_users.py --data DATA

On CamVid's validation images in DATA (the folder that FCN_SEG_DATA names), all of one sequence that
the network's training images come from too; ``--split train`` are those. Prints for each class, and
for dark cars (mean of their pixels under 50 of 255), how many there are of at least ``--pixels``
connected pixels, the percent of their pixels that are road in the mask, and the worst one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros.datasets.camvid import CamVid
from fcn_seg_ros.datasets.images import read_indices, read_rgb
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import default_checkpoint

CLASSES = {8: 'car', 9: 'pedestrian', 10: 'cyclist'}
_DARK = 50


@dataclass(frozen=True)
class RoadUser:
    """Connected pixels of one class: how many, how many are road in the mask, and their mean."""

    kind: str
    image: str
    pixels: int
    as_road: int
    brightness: float


def road_users(root: Path, split: str, pixels: int) -> Iterator[RoadUser]:
    """Give every road user of at least so many pixels."""
    segmenter = RoadSegmenter(default_checkpoint())
    for pair in CamVid(root, split).pairs:
        image, classes = read_rgb(pair.image), read_indices(pair.truth)
        road = segmenter.segment(image).road
        for number, kind in CLASSES.items():
            _, parts, found, _ = cv2.connectedComponentsWithStats(
                (classes == number).astype(np.uint8))
            for part, count in enumerate(found[1:, cv2.CC_STAT_AREA], 1):
                if count >= pixels:
                    inside = parts == part
                    yield RoadUser(kind, pair.name, int(count), int(road[inside].sum()),
                                   float(image[inside].mean()))


def summed(users: list[RoadUser]) -> dict[str, Any]:
    """Return the figures of some road users."""
    if not users:
        return {'number': 0}
    worst = max(users, key=lambda user: user.as_road / user.pixels)
    return {'number': len(users), 'as_road_percent': round(
                100 * sum(user.as_road for user in users) / sum(user.pixels for user in users), 2),
            'worst': {'image': worst.image, 'pixels': worst.pixels,
                      'as_road_percent': round(100 * worst.as_road / worst.pixels, 1)}}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--split', default='val')
    parser.add_argument('--pixels', type=int, default=1000)
    options = parser.parse_args()
    users = list(road_users(options.data / 'camvid', options.split, options.pixels))
    groups = {kind: [user for user in users if user.kind == kind] for kind in CLASSES.values()}
    groups['dark car'] = [user for user in groups['car'] if user.brightness < _DARK]
    print(json.dumps({kind: summed(group) for kind, group in groups.items()}, indent=1))


if __name__ == '__main__':
    main()
