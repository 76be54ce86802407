# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rays of a camera, several per pixel, and the pinhole camera used for painting."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.world.lens import Lens

#: How many samples a pixel has, in each direction.
FINENESS = 1.5
_LARGEST = 4.0e6


@dataclass(frozen=True)
class Rays:
    """
    The rays of a grid of samples in the level frame: right, up, forward, float32 (H, W) each.

    Their optical component is one: multiplied by a depth along the optical axis, a ray leads to the
    point seen.
    """

    right: np.ndarray
    up: np.ndarray
    forward: np.ndarray
    x: np.ndarray
    y: np.ndarray
    focal: float

    def levelled(self, plane: GroundPlane) -> Rays:
        """Return the rays of a camera that stands on ``plane``."""
        (a, b, c), (d, e, f), (g, h, i) = (row.astype(np.float32) for row in plane.rotation.T)
        return Rays(a * self.x + b * self.y + c, -(d * self.x + e * self.y + f),
                    g * self.x + h * self.y + i, self.x, self.y, self.focal)


class Eyes:
    """Everything about a lens that does not change from frame to frame."""

    def __init__(self, lens: Lens) -> None:
        camera = lens.camera
        self.lens = lens
        self.fine_size = (round(FINENESS * camera.width), round(FINENESS * camera.height))
        scale = (self.fine_size[0] / camera.width, self.fine_size[1] / camera.height)
        self.pixels = self._grid(camera.width, camera.height, (1.0, 1.0))
        self.fine = self._grid(*self.fine_size, scale)
        self.painter = self._pinhole(scale)
        self._fine_map, self._map = self._lookup(self.fine), self._lookup(self.pixels)

    def _grid(self, width: int, height: int, scale: tuple[float, float]) -> Rays:
        u = (np.arange(width) + 0.5) / scale[0] - 0.5
        v = (np.arange(height) + 0.5) / scale[1] - 0.5
        x, y = (a.astype(np.float32) for a in self.lens.rays(*np.meshgrid(u, v)))
        zero = np.zeros((0, 0), np.float32)
        return Rays(zero, zero, zero, x, y, self.lens.camera.fx * scale[0])

    def _pinhole(self, scale: tuple[float, float]) -> PinholeCamera:
        """Return a pinhole camera that covers the lens's view at the resolution of its centre."""
        low = np.array([self.fine.x.min(), self.fine.y.min()])
        high = np.array([self.fine.x.max(), self.fine.y.max()])
        camera = self.lens.camera
        focal = np.array([camera.fx * scale[0], camera.fy * scale[1]])
        if self.straight:
            return PinholeCamera(*self.fine_size, *focal.tolist(), *(-low * focal).tolist())
        span = high - low
        focal *= min(1.15, float(np.sqrt(_LARGEST / np.prod(span * focal))))
        width, height = (np.ceil(span * focal).astype(int) + 3).tolist()
        return PinholeCamera(width, height, *focal.tolist(), *(1 - low * focal).tolist())

    @property
    def straight(self) -> bool:
        """Return whether the lens keeps straight lines straight."""
        return self.lens.model == 'plumb_bob' and self.lens.k1 == 0 and self.lens.k2 == 0

    def _lookup(self, rays: Rays) -> tuple[np.ndarray, np.ndarray]:
        p = self.painter
        return rays.x * np.float32(p.fx) + np.float32(p.cx), (
            rays.y * np.float32(p.fy) + np.float32(p.cy))

    def seen(self, painted: np.ndarray, fine: bool,
             how: int = cv2.INTER_NEAREST) -> np.ndarray:
        """Return an image of the painter's camera as seen by the samples (or the pixels)."""
        if fine and self.straight and painted.shape[1::-1] == self.fine_size:
            return painted
        x, y = self._fine_map if fine else self._map
        factor = painted.shape[1] / self.painter.width
        if factor != 1:
            x, y = (x + 0.5) * np.float32(factor) - 0.5, (y + 0.5) * np.float32(factor) - 0.5
        return cv2.remap(painted, x, y, how, borderMode=cv2.BORDER_REPLICATE)
