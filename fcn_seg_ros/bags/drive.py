# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a drive is: a sequence of camera frames that can be iterated, and played again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fcn_seg_ros.ground.camera import PinholeCamera


@dataclass(frozen=True)
class Calibration:
    """The fields of sensor_msgs/CameraInfo that a recorded or rendered camera brings along."""

    width: int
    height: int
    distortion_model: str = ''
    d: tuple[float, ...] = ()
    k: tuple[float, ...] = (0.0,) * 9
    r: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    p: tuple[float, ...] = (0.0,) * 12

    @classmethod
    def from_pinhole(cls, camera: PinholeCamera) -> Calibration:
        """Return the CameraInfo content of a rectified pinhole camera."""
        k = camera.matrix
        p = np.hstack([k, np.zeros((3, 1))])
        return cls(camera.width, camera.height, 'plumb_bob', (0.0,) * 5,
                   tuple(k.ravel().tolist()), p=tuple(p.ravel().tolist()))


@dataclass(frozen=True)
class DriveFrame:
    """
    One camera image, in the terms of sensor_msgs/Image.

    ``data`` is a contiguous uint8 array whose bytes are the message's (``height * step`` of
    them), ``stamp_ns`` the recorded time in nanoseconds, ``truth`` the true road mask where it is
    known: uint8 of shape (height, width), 1 road, 0 not road, 255 not labelled.
    """

    data: np.ndarray
    height: int
    width: int
    encoding: str
    step: int
    stamp_ns: int
    frame_id: str = 'camera'
    is_bigendian: bool = False
    calibration: Calibration | None = None
    truth: np.ndarray | None = field(default=None, repr=False)

    @classmethod
    def from_rgb(cls, rgb: np.ndarray, stamp_ns: int, *, frame_id: str = 'camera',
                 calibration: Calibration | None = None,
                 truth: np.ndarray | None = None) -> DriveFrame:
        """Return the frame of an RGB image, uint8 of shape (H, W, 3)."""
        height, width = rgb.shape[:2]
        return cls(np.ascontiguousarray(rgb), height, width, 'rgb8', 3 * width, stamp_ns,
                   frame_id, calibration=calibration, truth=truth)


class Drive(Protocol):
    """
    A recorded or rendered sequence of frames of one camera.

    Iterating it twice gives the same frames twice. ``rate_hz`` is the rate at which it was
    recorded; ``length`` the number of frames, or None where only reading it through would tell.
    """

    name: str
    rate_hz: float
    length: int | None

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the frames in the order of their stamps."""
        ...
