# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Meshes of flat polygons whose normals vary smoothly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: The most corners of a face; smaller ones repeat their last corner.
CORNERS = 12


@dataclass(frozen=True)
class Mesh:
    """
    Faces in local coordinates: right, up, forward, in metres.

    ``corners`` float32 (N, CORNERS, 3). ``normal`` (N, 3, 4): the outward normal at a point p is
    normal @ (p, 1), so that a curved body made of flat faces shines like a curved one. ``chart``
    (N, 2, 4): texture coordinates in metres likewise. ``material`` int (N,).
    """

    corners: np.ndarray
    normal: np.ndarray
    chart: np.ndarray
    material: np.ndarray

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.material)

    def placed(self, x: float, y: float, z: float, turn: float = 0.0,
               size: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Mesh:
        """Return the mesh scaled, turned to the right by ``turn`` rad and moved."""
        c, s = np.cos(turn), np.sin(turn)
        rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)
        matrix = rotation * np.array(size, np.float32)
        back = (rotation * (1 / np.array(size, np.float32))).T
        move = np.array([x, y, z], np.float32)
        corners = self.corners @ matrix.T + move
        # Normals transform by the inverse transpose, which matters little for mild scaling.
        normal = _carried(rotation @ self.normal[..., :3], rotation @ self.normal[..., 3:],
                          back, move)
        chart = _carried(self.chart[..., :3], self.chart[..., 3:], back, move)
        return Mesh(corners, normal, chart, self.material)


def _carried(linear: np.ndarray, constant: np.ndarray, back: np.ndarray,
             move: np.ndarray) -> np.ndarray:
    """Convert an affine map of local points to one of points outside the local frame."""
    linear = linear @ back
    return np.concatenate([linear, constant - (linear @ move)[..., None]], axis=2)


def joined(meshes: list[Mesh]) -> Mesh:
    """Return several meshes as one."""
    return Mesh(*(np.concatenate([getattr(mesh, name) for mesh in meshes])
                  for name in ('corners', 'normal', 'chart', 'material')))


def faces(corners: np.ndarray, material: np.ndarray | int,
          normals: np.ndarray | None = None) -> Mesh:
    """
    Return the mesh of polygons (N, K <= CORNERS, 3), counted clockwise seen from outside.

    ``normals`` (N, K, 3) are those at the corners, the faces' own where there are none.
    """
    corners = np.asarray(corners, np.float32)
    own = face_normals(corners)
    count, size = corners.shape[:2]
    normal = np.zeros((count, 3, 4), np.float32)
    normal[..., 3] = own
    if normals is not None:
        centre, mean = corners.mean(axis=1, keepdims=True), normals.mean(axis=1, keepdims=True)
        slope = np.swapaxes(np.linalg.pinv(corners - centre, rcond=1e-3) @ (normals - mean), 1, 2)
        normal[..., :3] = slope
        normal[..., 3] = (mean - centre @ np.swapaxes(slope, 1, 2))[:, 0]
    chart = np.zeros((count, 2, 4), np.float32)
    level = np.stack([-own[:, 2], np.zeros(count), own[:, 0]], axis=1)
    flat = np.hypot(own[:, 0], own[:, 2]) < 0.3
    level[flat] = (1.0, 0.0, 0.0)
    level /= np.linalg.norm(level, axis=1, keepdims=True)
    chart[:, 0, :3], chart[:, 1, :3] = level, np.cross(level, own)
    padded = np.concatenate([corners, np.repeat(corners[:, -1:], CORNERS - size, axis=1)], axis=1)
    return Mesh(padded, normal, chart, np.broadcast_to(np.asarray(material), (count,)).astype(int))


def face_normals(corners: np.ndarray) -> np.ndarray:
    """Return unit normals (N, 3) of polygons whose corners are clockwise as seen from outside."""
    size = corners.shape[1]
    diagonals = (corners[:, size // 2] - corners[:, 0],
                 corners[:, -1] - corners[:, max(size // 2 - 1, 1)])
    # Right, up, forward is a left-handed frame, so clockwise order fits the cross product.
    normal = np.cross(*diagonals)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)


def sheet(points: np.ndarray, material: np.ndarray | int) -> Mesh:
    """
    Return a smooth curved surface through a grid of points (R, C, 3).

    Seen from outside, rows go upwards and columns to the right. ``material`` is one number or (R -
    1, C - 1).
    """
    points = np.asarray(points, np.float32)
    normal = np.cross(np.gradient(points, axis=0), np.gradient(points, axis=1))
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-9)

    def quads(grid: np.ndarray) -> np.ndarray:
        order = (grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:])
        return np.stack(order, axis=2).reshape(-1, 4, 3)

    material = np.broadcast_to(np.asarray(material), (points.shape[0] - 1, points.shape[1] - 1))
    return faces(quads(points), material.ravel(), quads(normal))


def box(low: tuple[float, float, float], high: tuple[float, float, float],
        material: int) -> Mesh:
    """Return a box without its underside."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    quads = [[(x0, y0, z0), (x0, y1, z0), (x1, y1, z0), (x1, y0, z0)],
             [(x1, y0, z1), (x1, y1, z1), (x0, y1, z1), (x0, y0, z1)],
             [(x0, y0, z1), (x0, y1, z1), (x0, y1, z0), (x0, y0, z0)],
             [(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)],
             [(x0, y1, z0), (x0, y1, z1), (x1, y1, z1), (x1, y1, z0)]]
    return faces(np.array(quads), material)


def disc(centre: tuple[float, float, float], radius: float, side: float, material: int) -> Mesh:
    """Return an upright disc that faces right (``side`` 1) or left (-1)."""
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False) * -side
    ring = np.stack([np.zeros(CORNERS), np.sin(turn), np.cos(turn)], axis=1) * radius
    mesh = faces((ring + centre)[None], material)
    mesh.normal[0] = 0.0
    mesh.normal[0, 0, 3] = side
    return mesh
