# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera's pitch and roll over the road, from the straight parts of a recorded drive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.horizon import FEWEST_FRAMES, FEWEST_GROUPS, HorizonFit, fit_horizon
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.road_edges import LevelRows, VanishingPoint

#: Frames closer together than this tell the same.
EVERY_S = 0.2
# Frames within this time err alike: the vehicle nods about once a second.
_GROUP_S = 1.0
# A pitch known less well than this helps nobody.
_LEAST_KNOWN_PITCH_DEG = 0.3


@dataclass(frozen=True)
class GroundCalibration:
    """A pose with the estimated roll and pitch, and how they were found; ``fit`` is in rad."""

    pose: CameraPose
    fit: HorizonFit
    frames: int


def calibrate(name: str, masks: Iterable[tuple[float, np.ndarray]], road_ids: Sequence[int],
              camera: CameraModel, assumed: CameraPose) -> GroundCalibration:
    """
    Return the assumed pose with roll and pitch replaced by what the road's edges tell.

    ``masks`` are times in seconds and uint8 (H, W) masks, 255 where unknown. Position and yaw stay,
    and roll does where the drive does not tell it. Raises InputError, which names the drive, where
    too few frames show straight road with both edges, and where they do not agree.
    """
    level = LevelRows(camera, assumed.rotation)
    points: list[VanishingPoint] = []
    groups: list[int] = []
    count = 0
    for seconds, mask in masks:
        if mask.shape != level.shape:
            raise InputError(f'{name}: expected images of the calibration\'s size, '
                             f'{camera.width}x{camera.height}, found {mask.shape[1]}x'
                             f'{mask.shape[0]}')
        count += 1
        point = level.vanishing_point(*level.rows(mask, road_ids))
        if point is not None:
            points.append(point)
            groups.append(int(seconds // _GROUP_S))
    fit = fit_horizon(points, groups)
    if fit is None:
        raise InputError(f'{name}: expected at least {FEWEST_FRAMES} frames of straight road with '
                         f'both edges in view, in {FEWEST_GROUPS} different seconds, found '
                         f'{len(points)} of {count} in {len(set(groups))}')
    deviation = float(np.rad2deg(fit.offset_deviation))
    if deviation > _LEAST_KNOWN_PITCH_DEG:
        raise InputError(f'{name}: expected frames that agree on the pitch to '
                         f'{_LEAST_KNOWN_PITCH_DEG:g} degrees, found {deviation:.2f}: record a '
                         'longer drive on straight, flat road')
    roll, pitch = fit.angles(assumed.rotation)
    x, y, z = assumed.position.tolist()
    return GroundCalibration(CameraPose.from_angles(x, y, z, roll, pitch, assumed.angles[2]), fit,
                             count)
