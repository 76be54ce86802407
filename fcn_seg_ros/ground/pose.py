# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The pose of a camera above the ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import GroundPlane

# Columns: the optical frame's x, y and z (right, down, forward) in the body frame of REP 103
# (forward, left, up).
_OPTICAL_IN_BODY = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True, eq=False)
class CameraPose:
    """
    A camera in the base frame of REP 103: x forward, y left, z up, the ground at z = 0, metres.

    ``rotation``, float64 (3, 3), takes directions of the optical frame (right, down, forward) to
    the base frame; ``position`` is the camera's centre, float64 (3,). Raises InputError for values
    that are not finite, for what is no rotation, and for a camera that is not above the ground.
    """

    rotation: np.ndarray
    position: np.ndarray

    def __post_init__(self) -> None:
        """Check the values."""
        if not (np.isfinite(self.rotation).all() and np.isfinite(self.position).all()):
            raise InputError('camera pose: expected finite numbers, found some that are not')
        unlike = np.abs(self.rotation @ self.rotation.T - np.eye(3)).max()
        if unlike > 1e-3 or np.linalg.det(self.rotation) < 0:
            raise InputError('camera pose: expected a rotation, found a matrix that is none')
        if self.position[2] <= 0.0:
            raise InputError('camera pose: expected a camera above the ground (z > 0), found z = '
                             f'{self.position[2]:g} m')

    @classmethod
    def from_angles(cls, x: float, y: float, z: float, roll: float, pitch: float, yaw: float
                    ) -> CameraPose:
        """
        Return the pose of a camera body (x forward, y left, z up) in metres and rad, as in URDF.

        A positive ``pitch`` looks down, a positive ``yaw`` to the left; a positive ``roll`` lowers
        the right side.
        """
        cr, sr, cp, sp = np.cos(roll), np.sin(roll), np.cos(pitch), np.sin(pitch)
        cy, sy = np.cos(yaw), np.sin(yaw)
        body = (np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
                @ np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
                @ np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]]))
        return cls(body @ _OPTICAL_IN_BODY, np.array([x, y, z], np.float64))

    @classmethod
    def from_quaternion(cls, position: Sequence[float], quaternion: Sequence[float]) -> CameraPose:
        """
        Return the pose for a transform from the optical frame to the base frame, as TF has it.

        ``quaternion`` is (x, y, z, w). Raises InputError where its length is not about 1.
        """
        x, y, z, w = values = np.asarray(quaternion, np.float64)
        length = float(np.sqrt((values ** 2).sum()))
        if not abs(length - 1.0) < 0.01:
            raise InputError(f'camera pose: expected a quaternion of length 1, found {length:g}')
        x, y, z, w = values / length
        rotation = np.array([
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])
        return cls(rotation, np.asarray(position, np.float64))

    @classmethod
    def from_plane(cls, plane: GroundPlane, x: float = 0.0) -> CameraPose:
        """Return the pose of a camera over a GroundPlane, ``x`` metres ahead of the base frame."""
        return cls.from_angles(x, 0.0, plane.height, plane.roll, plane.pitch, 0.0)

    @property
    def angles(self) -> tuple[float, float, float]:
        """Return roll, pitch and yaw in rad, as ``from_angles`` takes them."""
        body = self.rotation @ _OPTICAL_IN_BODY.T
        return (float(np.arctan2(body[2, 1], body[2, 2])),
                float(np.arcsin(np.clip(-body[2, 0], -1.0, 1.0))),
                float(np.arctan2(body[1, 0], body[0, 0])))

    def turned(self, rotation: np.ndarray, offset: np.ndarray) -> CameraPose:
        """
        Return the pose of a camera that stands in this one's optical frame.

        ``rotation`` (3, 3) takes its directions to this optical frame; ``offset`` (3,) is its
        centre there, in metres.
        """
        return CameraPose(self.rotation @ rotation, self.position + self.rotation @ offset)

    def moved(self, other: CameraPose) -> tuple[float, float]:
        """Return how far another pose is away, in metres and rad."""
        turn = (np.trace(self.rotation.T @ other.rotation) - 1.0) / 2.0
        return (float(np.linalg.norm(self.position - other.position)),
                float(np.arccos(np.clip(turn, -1.0, 1.0))))
