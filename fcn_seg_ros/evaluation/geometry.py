# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is known of the road plane under the images of a dataset."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.kitti_calib import calib_file, read_calib
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.rendered_road import RenderedRoad
from fcn_seg_ros.ground.birds_eye import ground_homography
from fcn_seg_ros.synthetic.suburb import RenderedDrive

Geometry = Callable[[str], np.ndarray | None]


def no_geometry(name: str) -> np.ndarray | None:
    """Know nothing of any image."""
    return None


def geometry_of(dataset: RoadDataset) -> Geometry:
    """
    Return the function from a sample's name to the homography of its road plane, or None.

    It is float64 (3, 3) as ``ground_homography`` gives it: from the calib file in KITTI Road
    (None where an image has none; InputError for a broken one), true in rendered drives.
    """
    if isinstance(dataset, KittiRoad):
        images = Path(dataset.root) / 'training' / 'image_2'
        return lambda name: _from_calib(calib_file(images / f'{name}.png'))
    if isinstance(dataset, RenderedRoad):
        return _rendered
    return no_geometry


def _from_calib(path: Path) -> np.ndarray | None:
    return read_calib(path).homography if path.is_file() else None


def _rendered(name: str) -> np.ndarray | None:
    found = re.fullmatch(r'rendered_(\d+)_(\d+)', name)
    if found is None:
        return None
    seed, index = (int(number) for number in found.groups())
    frame = RenderedDrive(seed, length=index + 1)[index]
    return ground_homography(frame.camera, frame.plane)
