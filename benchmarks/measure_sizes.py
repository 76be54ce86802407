# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
How many bytes a frame takes: the images of real cameras, and what is written about them.

    python benchmarks/measure_sizes.py --data DATA

DATA is the folder that FCN_SEG_DATA names. Kilobytes (1,000 bytes) per frame: the mean, and the
largest, over the validation images of KITTI Road and CamVid with the packaged network.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.images.encode import encode_jpeg, encode_png
from fcn_seg_ros.inference.segmentation import Segmentation
from fcn_seg_ros.inference.segmenter import RoadSegmenter

SETS = ('kitti:{data}/kitti_road?split=val', 'camvid:{data}/camvid?split=val')
QUALITY = 90
SIZES: dict[str, Callable[[np.ndarray, Segmentation], int]] = {
    'image, raw': lambda image, result: image.nbytes,
    f'image, JPEG {QUALITY}': lambda image, result: len(encode_jpeg(image, QUALITY)),
    'mask, raw': lambda image, result: result.mask.nbytes,
    'mask, PNG': lambda image, result: len(encode_png(result.mask)),
    'probability, PNG': lambda image, result: len(encode_png(result.probability)),
    'overlay, JPEG 80': lambda image, result: len(encode_jpeg(result.overlay(image), 80)),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True)
    options = parser.parse_args()
    segmenter = RoadSegmenter()
    found: dict[str, Any] = {}
    for spec in SETS:
        dataset = open_dataset(parse_spec(spec.format(data=options.data)))
        rows: dict[str, list[float]] = {name: [] for name in SIZES}
        shapes = set()
        for index in range(len(dataset)):
            image = dataset[index].image
            shapes.add(f'{image.shape[1]}x{image.shape[0]}')
            result = segmenter.segment(image)
            for name, size in SIZES.items():
                rows[name].append(size(image, result) / 1e3)
        found[spec.partition(':')[0]] = {
            'images': len(dataset), 'sizes': sorted(shapes),
            'kB': {name: {'mean': round(float(np.mean(each)), 1), 'largest': round(max(each), 1)}
                   for name, each in rows.items()}}
    print(json.dumps(found, indent=1))


if __name__ == '__main__':
    main()
