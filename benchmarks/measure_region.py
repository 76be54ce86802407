# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
What a region of interest saves, and what it changes: sky and bonnet need no network.

    python benchmarks/measure_region.py --data DATA

With the packaged network on KITTI Road's validation images in DATA (the folder that FCN_SEG_DATA
names): milliseconds of a call with each region, in turns with the whole image; the IoU of the road
inside of the region with that of the whole image's mask; and the share of the true road that lies
inside. A region is given as the shares of the image's height that it begins and ends at.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros.benchmark.timing import interleave, summary
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.inference.overlap import intersection_and_union, intersection_over_union
from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.resources import default_checkpoint

ROWS = ((0.0, 1.0), (0.25, 1.0), (0.4, 1.0), (0.4, 0.9))


def region_of(height: int, width: int, rows: tuple[float, float]) -> Region:
    """Return the region of full width between two shares of the height."""
    top, bottom = (round(share * height) for share in rows)
    return Region(0, top, width, bottom - top)


def measure(data: Path, frames: int) -> list[dict[str, Any]]:
    """Return a row of figures for each of ROWS."""
    segmenter = RoadSegmenter(default_checkpoint())
    dataset = KittiRoad(data / 'kitti_road', 'val.txt')
    first = dataset[0].image
    height, width = first.shape[:2]
    options = {rows: SegmentOptions(region=region_of(height, width, rows)) for rows in ROWS}
    times = interleave({rows: lambda o=own: {'total': segmenter.segment(first, o).times.total}
                        for rows, own in options.items()}, frames)
    overlaps: dict[tuple[float, float], list[tuple[int, int]]] = {rows: [] for rows in ROWS}
    seen = {rows: [] for rows in ROWS}
    for index in range(len(dataset)):
        sample = dataset[index]
        whole = segmenter.segment(sample.image).road
        for rows in ROWS:
            region = region_of(*whole.shape, rows)
            inside = region.slices()
            road = segmenter.segment(sample.image, SegmentOptions(region=region)).road
            overlaps[rows].append(intersection_and_union(road[inside], whole[inside]))
            truth = sample.labels == 1
            seen[rows].append((int(truth[inside].sum()), int(truth.sum())))
    return [{'rows': rows, 'network': 'x'.join(map(str, reversed(segmenter.network_shape(
                first.shape, options[rows].region)))),
             'ms': summary(times[rows]['total']),
             'iou_with_whole': round(100 * intersection_over_union(
                 *np.sum(overlaps[rows], axis=0)), 2),
             'true_road_inside': round(100 * intersection_over_union(
                 *np.sum(seen[rows], axis=0)), 2)} for rows in ROWS]


def main() -> int:
    """Print a line of JSON for each region."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=os.environ.get('FCN_SEG_DATA'),
                        required='FCN_SEG_DATA' not in os.environ)
    parser.add_argument('--frames', type=int, default=100)
    options = parser.parse_args()
    for row in measure(options.data, options.frames):
        print(json.dumps(row))
    return 0


if __name__ == '__main__':
    sys.exit(main())
