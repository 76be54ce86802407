# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
What a whole call of several networks costs, in turns, for cameras of many shapes.

    python benchmarks/measure_networks.py general open old.safetensors

Names of packaged networks or checkpoint files; each runs at its default settings, and without a GPU
in int8 where it has such a version. Prints milliseconds at p50, and how often as long as the last
network's.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros.benchmark.timing import Call, interleave, summary, timed
from fcn_seg_ros.inference.quantised import int8_file
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import find_checkpoint

CAMERAS = ((1242, 375), (1280, 720), (640, 480), (1920, 1080))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('networks', nargs='+', metavar='NETWORK')
    parser.add_argument('--frames', type=int, default=100)
    options = parser.parse_args()
    segmenters = {}
    for name in options.networks:
        path = find_checkpoint(name)
        segmenters[path.stem] = RoadSegmenter(path)
        if int8_file(path).is_file() and segmenters[path.stem].backend.device == 'cpu':
            segmenters[f'{path.stem}, int8'] = RoadSegmenter(path, precision='int8')
    calls: dict[tuple[str, str], Call] = {}
    rng = np.random.default_rng(0)
    for width, height in CAMERAS:
        image = rng.integers(0, 256, (height, width, 3), np.uint8)
        for name, segmenter in segmenters.items():
            segmenter.segment(image)
            calls[f'{width}x{height}', name] = timed(
                lambda s=segmenter, i=image: s.segment(i))  # type: ignore[misc]
    found = {key: summary(times['total'])['p50']
             for key, times in interleave(calls, options.frames).items()}
    last = find_checkpoint(options.networks[-1]).stem
    rows = []
    for (camera, name), milliseconds in found.items():
        width, height = map(int, camera.split('x'))
        rows_of_input, columns = segmenters[name].network_shape((height, width))
        rows.append({'camera': camera, 'network': name, 'input': f'{columns}x{rows_of_input}',
                     'p50_ms': milliseconds,
                     'times_the_last': round(milliseconds / found[camera, last], 2)})
    print(json.dumps(rows, indent=1))


if __name__ == '__main__':
    main()
