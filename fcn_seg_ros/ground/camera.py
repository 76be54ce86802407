# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A pinhole camera, and flat ground in front of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PinholeCamera:
    """
    Intrinsics of a rectified camera, in pixels; pixel centres lie at whole numbers.

    ``x`` points right, ``y`` down, ``z`` forward (the optical frame of REP 103).
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    @classmethod
    def kitti(cls) -> PinholeCamera:
        """Return a camera like KITTI's left colour camera (1242x375, 721.5 px focal length)."""
        return cls(1242, 375, 721.5377, 721.5377, 609.5593, 172.854)

    @property
    def matrix(self) -> np.ndarray:
        """Return K, float64 of shape (3, 3)."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class GroundPlane:
    """
    Flat ground, given by the camera's height above it in metres and its pitch and roll in rad.

    Ground coordinates are ``x`` metres to the right and ``z`` metres forward of the ground point
    straight below the camera, horizontal, ``z`` along the optical axis. A positive ``pitch``
    lowers the optical axis (the horizon moves up in the image); a positive ``roll`` lowers the
    camera's right side (the horizon falls to the left).
    """

    height: float
    pitch: float = 0.0
    roll: float = 0.0

    @property
    def rotation(self) -> np.ndarray:
        """Return float64 (3, 3), which rotates level axes (right, down, forward) to optical."""
        sp, cp = np.sin(self.pitch), np.cos(self.pitch)
        sr, cr = np.sin(self.roll), np.cos(self.roll)
        pitched = np.array([[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]])
        return np.array([[cr, sr, 0.0], [-sr, cr, 0.0], [0.0, 0.0, 1.0]]) @ pitched

    def project(self, camera: PinholeCamera, x: np.ndarray | float, z: np.ndarray | float,
                up: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the pixels (u, v) of points ``up`` metres above the ground at (x, z) metres.

        The arguments broadcast; the result is float64, NaN where a point is behind the camera.
        """
        x, z, up = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (x, z, up)))
        level = np.stack([x, self.height - up, z])
        right, down, forward = np.tensordot(self.rotation, level, 1)
        forward = np.where(forward > 1e-6, forward, np.nan)
        return (camera.fx * right / forward + camera.cx,
                camera.fy * down / forward + camera.cy)

    def pixel_to_ground(self, camera: PinholeCamera, u: np.ndarray | float,
                        v: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the ground points (x, z), in metres, that the pixels (u, v) show.

        The arguments broadcast; the result is float64, NaN at and above the horizon.
        """
        u, v = np.broadcast_arrays(np.asarray(u, np.float64), np.asarray(v, np.float64))
        rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy,
                         np.ones(u.shape)])
        right, down, forward = np.tensordot(self.rotation.T, rays, 1)
        scale = self.height / np.where(down > 1e-9, down, np.nan)
        return right * scale, forward * scale

    def horizon_row(self, camera: PinholeCamera, u: np.ndarray | float) -> np.ndarray:
        """Return the image row (float64, may lie outside) of the horizon in the columns ``u``."""
        down = self.rotation[:, 1]
        u = np.asarray(u, np.float64)
        return camera.cy - camera.fy * (down[0] * (u - camera.cx) / camera.fx + down[2]) / down[1]
