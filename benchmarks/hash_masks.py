# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Hash the masks of the packaged networks, to show that a change leaves them as they were.

    python benchmarks/hash_masks.py 'kitti:PATH?split=val' > before.txt

prints one line per network, backend and precision: the SHA-256 of the masks of all images, in
order, each preceded by its size. Compare runs on one machine: other CPUs may round differently.
A combination that this machine lacks is reported on stderr and left out.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterable

import numpy as np
import source_tree  # noqa: F401

from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import CHECKPOINTS, find_checkpoint

# PyTorch sums in an order that depends on the number of threads.
THREADS = 2
COMBINATIONS = (('torch', 'fp32'), ('openvino', 'fp32'), ('openvino', 'bf16'),
                ('openvino', 'int8'), ('onnxruntime', 'fp32'))


def hash_masks(segmenter: RoadSegmenter, images: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 of the masks of ``images``, in hexadecimal."""
    digest = hashlib.sha256()
    for image in images:
        mask = segmenter.segment(image).mask
        digest.update(f'{mask.shape} '.encode())
        digest.update(mask.tobytes())
    return digest.hexdigest()


def main() -> int:
    """Print the hashes."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data', help='the images, such as kitti:PATH?split=val')
    args = parser.parse_args()
    dataset = open_dataset(parse_spec(args.data))
    images = [dataset[index].image for index in range(len(dataset))]
    print(f'# {len(images)} images', flush=True)
    for network in CHECKPOINTS:
        for backend, precision in COMBINATIONS:
            try:
                segmenter = RoadSegmenter(find_checkpoint(network), 'cpu', precision,
                                          threads=THREADS, backend=backend)
            except InputError as error:
                print(f'{network} {backend} {precision}: {error}', file=sys.stderr)
                continue
            print(f'{network} {backend} {precision} {hash_masks(segmenter, images)}', flush=True)
            segmenter.close()
    return 0


if __name__ == '__main__':
    sys.exit(main())
