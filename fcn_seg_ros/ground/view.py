# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Convert between a camera's pixels and metres on flat ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose

# A pixel this little below the horizon, as the tangent of the angle, sees ground at a thousand
# times the camera's height; nothing that far is worth a number.
_FLATTEST = 1e-3


@dataclass(frozen=True, eq=False)
class GroundView:
    """A camera over flat ground; x, y are metres in the base frame (REP 103: forward, left)."""

    camera: CameraModel
    pose: CameraPose

    def ground_to_pixel(self, x: np.ndarray | float, y: np.ndarray | float
                        ) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the pixels (u, v), float64, that see the ground points; the arguments broadcast.

        They may lie outside the image; NaN where the lens does not see the point at all.
        """
        x, y = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        centre, rotation = self.pose.position, self.pose.rotation
        ahead, left, up = x - centre[0], y - centre[1], -centre[2]
        return self.camera.project(np.stack([
            rotation[0, k] * ahead + rotation[1, k] * left + rotation[2, k] * up
            for k in range(3)]))

    def pixel_to_ground(self, u: np.ndarray | float, v: np.ndarray | float
                        ) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the ground points (x, y), float64 metres, that pixels see; the arguments broadcast.

        NaN at and above the horizon.
        """
        rays = np.tensordot(self.pose.rotation, self.camera.directions(u, v), 1)
        with np.errstate(invalid='ignore'):
            down = np.where(rays[2] < -_FLATTEST, -rays[2], np.nan)
        centre = self.pose.position
        scale = centre[2] / down
        return centre[0] + rays[0] * scale, centre[1] + rays[1] * scale

    def seen(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return whether ground points are in the image, bool."""
        return self.camera.inside(*self.ground_to_pixel(x, y))
