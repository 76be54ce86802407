# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The camera of a recorded drive: from its calibration, or from a file of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fcn_seg_ros.drives.drive import Calibration
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import read_file
from fcn_seg_ros.ground.lens import CameraModel, used_coefficients

# A calibration has some 2 kB.
_MOST_BYTES = 2**20


def model_of(calibration: Calibration, rectified: bool) -> CameraModel:
    """
    Return the camera of the images that a calibration describes, its region and binning included.

    ``rectified``: the images are what P describes, otherwise K and the distortion. Raises
    InputError, in one line, for a camera that is not calibrated or has an unknown distortion.
    """
    k, p = calibration.k, calibration.p
    fx, fy, cx, cy = (p[0], p[5], p[2], p[6]) if rectified else (k[0], k[4], k[2], k[5])
    if not (fx > 0.0 and fy > 0.0):
        raise InputError(f'camera: expected a calibration, found focal lengths of {fx:g} and '
                         f'{fy:g} in {"P" if rectified else "K"}')
    width, height = calibration.image_size
    x, y, _, _ = calibration.roi
    across, down = max(1, calibration.binning_x), max(1, calibration.binning_y)
    # Pixel centres lie at whole numbers.
    cx, cy = (cx - x + 0.5) / across - 0.5, (cy - y + 0.5) / down - 0.5
    name, d = ('', ()) if rectified else used_coefficients(calibration.distortion_model,
                                                           calibration.d)
    return CameraModel(width, height, fx / across, fy / down, cx, cy, name, d)


def read_camera_info(path: Path) -> Calibration:
    """
    Read the YAML file that camera_calibration and camera drivers write.

    Raises InputError if it cannot be read or lacks a field.
    """
    from fcn_seg_ros.yaml_text import parse_yaml
    content = parse_yaml(read_file(path, 'the YAML file of a camera calibration', _MOST_BYTES),
                         path)
    if not isinstance(content, dict):
        raise InputError(f'{path}: expected the YAML file of a camera calibration with '
                         'camera_matrix and so on, found something else')
    k = _matrix(path, content, 'camera_matrix', 9)
    if 'projection_matrix' in content:
        p = _matrix(path, content, 'projection_matrix', 12)
    else:
        p = (*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0)
    d = _matrix(path, content, 'distortion_coefficients', 0)
    try:
        return Calibration(int(content['image_width']), int(content['image_height']),
                           str(content.get('distortion_model', '')), d, k, p=p)
    except (KeyError, TypeError, ValueError):
        raise InputError(f'{path}: expected whole numbers image_width and image_height') from None


def _matrix(path: Path, content: dict[str, Any], name: str, count: int) -> tuple[float, ...]:
    """Return the numbers of a matrix; ``count`` 0: any number, none if there is no such matrix."""
    if not count and name not in content:
        return ()
    try:
        values = tuple(float(each) for each in content[name]['data'])
    except (KeyError, TypeError, ValueError):
        raise InputError(f'{path}: expected {name} with numbers in data') from None
    if count and len(values) != count:
        raise InputError(f'{path}: expected {count} numbers in {name}, found {len(values)}')
    return values
