# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ground point that every n-th pixel sees."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.ground.shadow import Hidden, Shadows
from fcn_seg_ros.ground.view import GroundView


class GroundPoints:
    """
    An organised cloud of ground points: those of the pixels 0, ``stride``, 2 ``stride``, ...

    A pixel that sees no ground up to ``reach`` metres from the camera's foot point has none.
    """

    def __init__(self, view: GroundView, stride: int, reach: float, shadows: Shadows) -> None:
        self.stride = stride
        camera = view.camera
        x, y = view.pixel_to_ground(np.arange(0, camera.width, stride)[None],
                                    np.arange(0, camera.height, stride)[:, None])
        with np.errstate(invalid='ignore'):
            near = np.hypot(x - view.pose.position[0], y - view.pose.position[1]) <= reach
        self.shape: tuple[int, int] = near.shape
        points = np.full((*near.shape, 3), np.nan, np.float32)
        points[near] = np.stack([x[near], y[near], np.zeros(int(near.sum()))], axis=-1)
        self._points = points
        self._numbers = np.flatnonzero(near)
        self._hidden = Hidden(shadows, x[near], y[near])
        self._out = points.copy()

    def update(self) -> np.ndarray:
        """
        Return the points of a frame, float32 (rows, columns, 3): x, y, z in the base frame, metres.

        NaN where the pixel sees no ground: above the horizon, too far away, and where it shows an
        obstacle above its foot. The array is the same one for each frame.
        """
        np.copyto(self._out, self._points)
        self._out.reshape(-1, 3)[self._numbers[self._hidden.update()]] = np.nan
        return self._out

    def thin(self, image: np.ndarray) -> np.ndarray:
        """Return the pixels of an image (H, W) that the points belong to, contiguous."""
        return np.ascontiguousarray(image[::self.stride, ::self.stride])
