# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Bird's-eye view: a camera image resampled on a grid over the road plane.

The grid and both ways of sampling follow the development kit of the KITTI Road benchmark
(``transform2BEV.py``; Fritsch, Kuehnl, Geiger, ITSC 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera


@dataclass(frozen=True)
class BirdsEyeGrid:
    """
    Square cells over the road plane, in metres; the defaults are the benchmark's (800 x 400).

    ``x`` points right and ``z`` forward, as in GroundPlane. Row 0 is the far end, column 0 the
    left one.
    """

    x_min: float = -10.0
    x_max: float = 10.0
    z_min: float = 6.0
    z_max: float = 46.0
    cell: float = 0.05

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return (round((self.z_max - self.z_min) / self.cell),
                round((self.x_max - self.x_min) / self.cell))

    @property
    def x(self) -> np.ndarray:
        """Return the ``x`` of the cell centres of each column, float64 metres."""
        return self.x_min + self.cell * (np.arange(self.shape[1]) + 0.5)

    @property
    def z(self) -> np.ndarray:
        """Return the ``z`` of the cell centres of each row, float64 metres, falling."""
        return self.z_max - self.cell * (np.arange(self.shape[0]) + 0.5)

    def row(self, z: float) -> int:
        """Return the row of cells that contains the distance ``z``; at a border the farther one."""
        return max(0, int(np.ceil((self.z_max - z) / self.cell - 1e-9)) - 1)


def ground_homography(camera: PinholeCamera, plane: GroundPlane) -> np.ndarray:
    """
    Return the homography of a camera over flat ground, float64 (3, 3).

    It maps (x, z, 1) of GroundPlane, in metres, to homogeneous pixels (u w, v w, w), with w > 0 in
    front of the camera.
    """
    to_level = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, plane.height], [0.0, 1.0, 0.0]])
    return camera.matrix @ plane.rotation @ to_level


def calibration_homography(p2: np.ndarray, r0_rect: np.ndarray, cam_to_road: np.ndarray
                           ) -> np.ndarray:
    """
    Return the homography of a KITTI calibration, float64 (3, 3), like ``ground_homography``.

    ``p2`` (3, 4), ``r0_rect`` (3, 3) and ``cam_to_road`` (3, 4) are P2, R0_rect and Tr_cam_to_road
    of the calib file. A road point X = (x, 0, z, 1) is seen at P2 R0_rect inv(Tr_cam_to_road) X, so
    the homography is the columns 0, 2 and 3 of that product.
    """
    rectify, to_road = np.eye(4), np.eye(4)
    rectify[:3, :3] = r0_rect
    to_road[:3] = cam_to_road
    return (p2 @ rectify @ np.linalg.inv(to_road))[:, [0, 2, 3]]


class BirdsEyeView:
    """
    Where each cell of a grid lies in an image of ``shape`` (H, W), and how to sample it there.

    ``u`` and ``v`` are the pixel coordinates of the cell centres, float64 of the grid's shape (NaN
    behind the camera), with pixel centres at whole numbers. ``inside`` is False for cells outside
    the image.

    ``devkit`` reproduces the benchmark's own resampling instead: it takes the pixel (floor(v) - 1,
    floor(u) - 1), one and a half pixels up and left on average, because it counts pixels from one.
    Its ground truth was made that way, so submissions must be, too.
    """

    def __init__(self, homography: np.ndarray, shape: tuple[int, int],
                 grid: BirdsEyeGrid | None = None, devkit: bool = False) -> None:
        self.grid = BirdsEyeGrid() if grid is None else grid
        x, z = np.meshgrid(self.grid.x, self.grid.z)
        u, v, w = np.tensordot(homography, np.stack([x, z, np.ones_like(x)]), 1)
        w = np.where(w > 1e-6, w, np.nan)
        self.u, self.v = u / w, v / w
        height, width = shape
        if devkit:
            self.inside = ((self.u >= 1) & (self.u <= width)
                           & (self.v >= 1) & (self.v <= height))
            nearest = np.floor(self.v) - 1, np.floor(self.u) - 1
        else:
            self.inside = ((self.u >= -0.5) & (self.u < width - 0.5)
                           & (self.v >= -0.5) & (self.v < height - 0.5))
            nearest = np.floor(self.v + 0.5), np.floor(self.u + 0.5)
        self._shape = shape
        self._rows, self._columns = (
            np.where(self.inside, index, 0).astype(np.intp) for index in nearest)

    def nearest(self, image: np.ndarray, outside: int = 0) -> np.ndarray:
        """
        Return the image's nearest pixel for each cell, ``outside`` for cells outside the image.

        ``image`` has the shape (H, W) or (H, W, channels); the result has its dtype.
        """
        self._check(image)
        sampled = image[self._rows, self._columns]
        sampled[~self.inside] = outside
        return sampled

    def bilinear(self, image: np.ndarray) -> np.ndarray:
        """
        Return the image interpolated at each cell's centre, float64, 0 outside the image.

        ``image`` has the shape (H, W); its border pixels extend half a pixel outwards. Not for
        label images.
        """
        self._check(image)
        height, width = self._shape
        u = np.clip(np.where(self.inside, self.u, 0.0), 0, width - 1)
        v = np.clip(np.where(self.inside, self.v, 0.0), 0, height - 1)
        left, top = np.floor(u).astype(np.intp), np.floor(v).astype(np.intp)
        right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
        across, down = u - left, v - top
        values = image.astype(np.float64)
        upper = (1 - across) * values[top, left] + across * values[top, right]
        lower = (1 - across) * values[bottom, left] + across * values[bottom, right]
        return np.where(self.inside, (1 - down) * upper + down * lower, 0.0)

    def _check(self, image: np.ndarray) -> None:
        if image.shape[:2] != self._shape:
            raise ValueError(f'image: expected {self._shape} pixels, found {image.shape[:2]}')
