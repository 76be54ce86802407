# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Calibration files of KITTI Road (``training/calib/um_000061.txt``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.birds_eye import calibration_homography
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.view import GroundView

_SHAPES = {'P2': (3, 4), 'R0_rect': (3, 3), 'Tr_cam_to_road': (3, 4)}


@dataclass(frozen=True)
class KittiCalib:
    """
    The parts of a calib file that the bird's-eye view needs, float64.

    ``p2`` (3, 4) projects rectified camera coordinates to the left colour image, ``r0_rect``
    (3, 3) rectifies, ``cam_to_road`` (3, 4) takes camera to road coordinates (x right, y down with
    the road at 0, z forward, metres).
    """

    p2: np.ndarray
    r0_rect: np.ndarray
    cam_to_road: np.ndarray

    @property
    def homography(self) -> np.ndarray:
        """Return the homography from (x, z, 1) on the road to homogeneous pixels, (3, 3)."""
        return calibration_homography(self.p2, self.r0_rect, self.cam_to_road)

    def view(self, height: int, width: int) -> GroundView:
        """
        Return the left colour camera, with images of a size, over the road.

        The base frame lies on the road below the camera that Tr_cam_to_road is given for. Raises
        InputError where that is not above it.
        """
        # From x right, y down, z forward to x forward, y left, z up.
        upright = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
        to_base = upright @ self.cam_to_road[:, :3] @ self.r0_rect.T
        offset = -np.linalg.solve(self.p2[:, :3], self.p2[:, 3])
        pose = CameraPose(to_base, to_base @ offset + upright @ self.cam_to_road[:, 3])
        camera = CameraModel(width, height, self.p2[0, 0], self.p2[1, 1], self.p2[0, 2],
                             self.p2[1, 2])
        return GroundView(camera, pose)


def calib_file(image: Path) -> Path:
    """Return the path of the calib file for ``<root>/<set>/image_2/um_000061.png``."""
    return image.parent.parent / 'calib' / f'{image.stem}.txt'


def read_calib(path: str | Path) -> KittiCalib:
    """
    Read a calib file.

    Raises InputError if it cannot be read, if one of P2, R0_rect and Tr_cam_to_road is missing or
    has the wrong number of values or values that are not finite, or if a rotation is not one.
    """
    path = Path(path)
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else 'not text'
        raise InputError(f'{path}: the calib file cannot be read ({reason})') from None
    lines = dict(line.split(':', 1) for line in text.splitlines() if ':' in line)
    p2, r0_rect, cam_to_road = (_matrix(path, lines, key) for key in _SHAPES)
    for key, rotation in (('R0_rect', r0_rect), ('Tr_cam_to_road', cam_to_road[:, :3])):
        if abs(np.linalg.det(rotation) - 1) > 0.01:
            raise InputError(f'{path}: expected a rotation in {key}, found a matrix with '
                             f'determinant {np.linalg.det(rotation):.3g}')
    return KittiCalib(p2, r0_rect, cam_to_road)


def _matrix(path: Path, lines: dict[str, str], key: str) -> np.ndarray:
    shape = _SHAPES[key]
    if key not in lines:
        raise InputError(f'{path}: expected a line {key}: with {shape[0] * shape[1]} numbers, '
                         'found none')
    words = lines[key].split()
    try:
        values = np.array([float(word) for word in words])
    except ValueError as error:
        raise InputError(f'{path}: expected numbers in {key} ({error})') from None
    if len(values) != shape[0] * shape[1] or not np.isfinite(values).all():
        raise InputError(f'{path}: expected {shape[0] * shape[1]} finite numbers in {key}, '
                         f'found {lines[key].strip()[:60]!r} ({len(values)})')
    return values.reshape(shape)
