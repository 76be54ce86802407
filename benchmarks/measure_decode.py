# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
What it costs to decode a file, beside the libraries on their own, in turns in one run.

    FCN_SEG_DATA=... python benchmarks/measure_decode.py [FILE ...]

prints milliseconds of processor time, so that a busy machine matters little: the fastest and the
median of --rounds, on one thread, for each file (without any: a KITTI JPEG and a KITTI PNG).
``opencv`` is imdecode and the turn from BGR to RGB, which is what the package did before it had a
decoder of its own; libraries that are not installed are left out.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import source_tree  # noqa: F401
from PIL import Image

from fcn_seg_ros.images.decode import check, decode

Decoder = Callable[[bytes], object]


def opencv(content: bytes) -> np.ndarray:
    """Decode as the package did before."""
    bgr = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def pillow(content: bytes) -> np.ndarray:
    """Decode with Pillow."""
    return np.asarray(Image.open(io.BytesIO(content)).convert('RGB'))


def decoders(jpeg: bool) -> dict[str, Decoder]:
    """Return what is to be compared for a kind of file."""
    found: dict[str, Decoder] = {'opencv': opencv, 'ours': decode, 'the check of ours': check,
                                 'pillow': pillow}
    try:
        import imagecodecs
        found['imagecodecs'] = imagecodecs.jpeg8_decode if jpeg else imagecodecs.png_decode
    except ImportError:
        pass
    try:
        import simplejpeg
        if jpeg:
            found['simplejpeg'] = lambda content: simplejpeg.decode_jpeg(content, 'RGB')
    except ImportError:
        pass
    return found


def measure(content: bytes, rounds: int) -> dict[str, tuple[float, float]]:
    """Return (fastest, median) milliseconds by decoder."""
    compared = decoders(content[:2] == b'\xff\xd8')
    times: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(rounds):
        for name, function in compared.items():
            start = time.thread_time()
            function(content)
            times[name].append(1e3 * (time.thread_time() - start))
    return {name: (round(min(own), 2), round(float(np.median(own)), 2))
            for name, own in times.items()}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', metavar='FILE', type=Path, nargs='*')
    parser.add_argument('--rounds', type=int, default=100)
    options = parser.parse_args()
    data = Path(os.environ.get('FCN_SEG_DATA', '.'))
    files = options.files or [
        next(iter(sorted(folder.glob(f'*.{kind}')))) for folder, kind in (
            (data / 'kitti_raw_2011_09_26' / 'image_02', 'jpg'),
            (data / 'kitti_road_png' / 'training' / 'image_2', 'png'))]
    cv2.setNumThreads(1)
    for path in files:
        print(json.dumps({'file': path.name} | measure(path.read_bytes(), options.rounds)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
