# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera lens with radial distortion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import PinholeCamera

MODELS = ('plumb_bob', 'equidistant')
_SAMPLES = 4096


@dataclass(frozen=True)
class Lens:
    """
    Intrinsics and radial distortion, in the models of sensor_msgs/CameraInfo.

    ``plumb_bob``: radius r = tan(angle) becomes r (1 + k1 r^2 + k2 r^4). ``equidistant``: it
    becomes a (1 + k1 a^2 + k2 a^4), a the angle in rad (Kannala and Brandt 2006). ``reach`` is the
    largest undistorted radius that an image can show. Raises InputError for another model, or if
    the distortion folds the image within ``reach``.
    """

    camera: PinholeCamera
    model: str = 'plumb_bob'
    k1: float = 0.0
    k2: float = 0.0
    reach: float = 3.0

    def __post_init__(self) -> None:
        """Tabulate the distortion."""
        if self.model not in MODELS:
            raise InputError(f'lens: expected one of {", ".join(MODELS)}, found {self.model!r}')
        radius = np.linspace(0.0, self.reach, _SAMPLES)
        distorted = self._radial(radius)
        if (np.diff(distorted) <= 0).any():
            raise InputError(f'lens: the distortion {self.k1:g}, {self.k2:g} folds the image')
        object.__setattr__(self, '_table', (radius, distorted))

    def _radial(self, radius: np.ndarray) -> np.ndarray:
        a = radius if self.model == 'plumb_bob' else np.arctan(radius)
        return a * (1.0 + self.k1 * a ** 2 + self.k2 * a ** 4)

    def distort(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the pixels (u, v) that show the directions (x, y, 1), float64."""
        radius = np.hypot(x, y)
        scale = np.where(radius > 1e-9, self._radial(radius) / np.maximum(radius, 1e-9), 1.0)
        camera = self.camera
        return camera.fx * x * scale + camera.cx, camera.fy * y * scale + camera.cy

    def rays(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the directions (x, y, 1) that the pixels (u, v) show, float64 in the optical frame.

        A pixel beyond ``reach`` gets the direction at its edge.
        """
        camera = self.camera
        x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
        if self.model == 'plumb_bob' and self.k1 == 0 and self.k2 == 0:
            return x, y
        distorted = np.hypot(x, y)
        true, table = self._table  # type: ignore[attr-defined]
        radius = np.interp(distorted, table, true)
        scale = np.where(distorted > 1e-9, radius / np.maximum(distorted, 1e-9), 1.0)
        return x * scale, y * scale

    def __hash__(self) -> int:
        """Return a hash of the values."""
        return hash((self.camera, self.model, self.k1, self.k2, self.reach))
