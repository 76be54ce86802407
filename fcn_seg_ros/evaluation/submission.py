# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Submissions to the KITTI Road benchmark: an archive of bird's-eye probability images.

Each is an 8-bit grey PNG of 400 x 800 pixels, ``um_road_000061.png`` for ``um_000061``, at the top
of a zip file, resampled like the benchmark's development kit does (``transform2BEV.py``).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, Sample
from fcn_seg_ros.datasets.images import read_rgb
from fcn_seg_ros.datasets.kitti_calib import calib_file, read_calib
from fcn_seg_ros.datasets.kitti_road import CATEGORIES
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.predictors import Predictor
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.ground.birds_eye import BirdsEyeView
from fcn_seg_ros.images.encode import encode_png

ARCHIVE = 'submission.zip'


def official_name(name: str) -> str:
    """Return the benchmark's file name for a sample; raises InputError for other names."""
    category, _, number = name.partition('_')
    if category not in CATEGORIES or not number.isdigit():
        raise InputError(f'{name}: not a sample name of KITTI Road, such as um_000061')
    return f'{category}_road_{number}.png'


def birds_eye_probabilities(images: Iterable[Path], predictor: Predictor,
                            done: Callable[[], object] = bool
                            ) -> Iterator[tuple[str, np.ndarray]]:
    """
    Yield each image's official name and bird's-eye probability, uint8 (800, 400).

    ``done`` is called after each.
    """
    for path in images:
        image = read_rgb(path)
        labels = np.full(image.shape[:2], IGNORE, np.uint8)
        probability = predictor(Sample(path.stem, image, labels)).probability
        view = BirdsEyeView(read_calib(calib_file(path)).homography, image.shape[:2], devkit=True)
        yield official_name(path.stem), view.nearest(probability)
        done()


def write_submission(folder: Path, probabilities: Iterable[tuple[str, np.ndarray]]) -> Path:
    """
    Write the images and an archive of them into a folder, and return the archive's path.

    The same images give the same bytes. Raises InputError if the folder cannot be written to.
    """
    make_folder(folder)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as archive:
        for name, probability in probabilities:
            content = encode_png(probability)
            write_file(folder / name, content)
            # ZipInfo's date is fixed, so that the archive is reproducible.
            archive.writestr(zipfile.ZipInfo(name), content)
    write_file(folder / ARCHIVE, buffer.getvalue())
    return folder / ARCHIVE
