# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Find the face that each pixel shows by painting faces from far to near."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.suburb.canvas import Texture
from fcn_seg_ros.synthetic.world.mesh import Mesh

NEAR, _SHIFT, _REACH = 0.15, 4, 16000.0
#: Columns of a material: colour (linear RGB), emitted light (RGB), gloss, texture, metres that the
#: texture spans, SceneClass, and LIFT, by how many metres the face counts as nearer than it is
#: within its mesh, so that things on a surface are painted after it.
COLOUR, LIGHT, GLOSS, TEXTURE, SPAN, CLASS, LIFT = slice(0, 3), slice(3, 6), 6, 7, 8, 9, 10
COLUMNS = 11
#: Layers, painted in this order regardless of distance.
SHELL, THINGS, OWN = 0, 1, 2


@dataclass
class Faces:
    """All faces of a frame, as tables that shading indexes by face number; 0 is no face."""

    corners: np.ndarray
    normal: np.ndarray
    chart: np.ndarray
    material: np.ndarray
    #: (N, 3): a face's depth along the ray (x, y, 1) is 1 / (inverse @ ray).
    inverse: np.ndarray

    def depth(self, number: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """
        Return the depths, (N,), at which rays (x, y, 1) meet the faces with the given numbers.

        Depths are limited to those of the face's corners, since a face seen edge-on could have any.
        """
        a, b, c = self.inverse[number].T
        depth = 1 / np.maximum(a * x + b * y + c, np.float32(1e-4))
        z = self.corners[..., 2]
        return np.clip(depth, np.maximum(z.min(axis=1), NEAR)[number], z.max(axis=1)[number])


@dataclass
class Collector:
    """The things in a frame, in metres right, up and forward of the ground below the camera."""

    _parts: list[tuple[Mesh, np.ndarray, float, int]] = field(default_factory=list)
    _cuts: dict[int, Texture] = field(default_factory=dict)
    _count: int = 1

    def add(self, mesh: Mesh, materials: np.ndarray, distance: float | None = None,
            layer: int = THINGS) -> None:
        """
        Add a mesh whose faces have the rows of ``materials`` (M, COLUMNS) that it names.

        Its faces are painted together at the distance ``distance``, or each at its own if that is
        None.
        """
        key = np.nan if distance is None else distance
        self._parts.append((mesh, materials[mesh.material], key, layer))
        self._count += len(mesh)

    def add_cut(self, mesh: Mesh, material: np.ndarray, texture: Texture,
                distance: float) -> None:
        """Add an upright quad that shows only the opaque part of a texture."""
        self._cuts[self._count] = texture
        self.add(mesh, material[None], distance)

    def paint(self, camera: PinholeCamera, plane: GroundPlane) -> tuple[np.ndarray, Faces]:
        """Return the number of the face that each pixel shows, float32 (H, W), and the faces."""
        shown = np.zeros((camera.height, camera.width), np.float32)
        if not self._parts:
            empty = np.zeros((1, 1, 3), np.float32)
            return shown, Faces(empty, np.zeros((1, 3, 4)), np.zeros((1, 2, 4)),
                                np.zeros((1, COLUMNS)), np.zeros((1, 3)))
        faces, keys, layers = self._collected(plane)
        _Painter(faces, keys, layers, camera, self._cuts).paint(shown)
        return shown, faces

    def _collected(self, plane: GroundPlane) -> tuple[Faces, np.ndarray, np.ndarray]:
        meshes = [part[0] for part in self._parts]

        def stack(name: str) -> np.ndarray:
            parts = [getattr(mesh, name) for mesh in meshes]
            return np.concatenate([np.zeros((1, *parts[0].shape[1:]), np.float32), *parts])

        corners = stack('corners')
        optical = ((corners * (1.0, -1.0, 1.0) + (0.0, plane.height, 0.0))
                   @ plane.rotation.T).astype(np.float32)
        material = np.concatenate([np.zeros((1, COLUMNS)), *(part[1] for part in self._parts)])
        sizes = [len(mesh) for mesh in meshes]
        keys = np.concatenate([[np.nan], np.repeat([part[2] for part in self._parts], sizes)])
        layers = np.concatenate([[0], np.repeat([part[3] for part in self._parts], sizes)])
        normal = np.cross(optical[:, 2] - optical[:, 0], optical[:, 3] - optical[:, 1])
        offset = np.einsum('ij,ij->i', normal, optical[:, :4].mean(axis=1))
        offset = np.where(np.abs(offset) > 1e-9, offset, 1e-9)
        faces = Faces(optical, stack('normal'), stack('chart'), material.astype(np.float32),
                      (normal / offset[:, None]).astype(np.float32))
        away = corners.mean(axis=1) - (0.0, plane.height, 0.0)
        keys = np.where(np.isnan(keys), np.linalg.norm(away, axis=1), keys)
        layers = np.where(_turned_away(faces, corners, away), -1, layers)
        return faces, keys, layers


def _turned_away(faces: Faces, corners: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Return which faces have their backs to the camera (and face number 0)."""
    centre = corners[:, :4].mean(axis=1)
    flat = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    smooth = np.einsum('nij,nj->ni', faces.normal[..., :3], centre) + faces.normal[..., 3]
    side = np.sign(np.einsum('ij,ij->i', flat, smooth))
    facing = np.einsum('ij,ij->i', flat, away) * side
    out = facing >= 0
    out[0] = True
    return out


class _Painter:
    """Paints the faces of one frame in order."""

    def __init__(self, faces: Faces, keys: np.ndarray, layers: np.ndarray, camera: PinholeCamera,
                 cuts: dict[int, Texture]) -> None:
        self._faces, self._camera, self._cuts = faces, camera, cuts
        depth = faces.corners[..., 2]
        pixels = self._pixels(faces.corners)
        low, high = pixels.min(axis=1), pixels.max(axis=1)
        behind = depth.min(axis=1) < NEAR
        outside = ((high < -1).any(axis=1) | (low[:, 0] > camera.width)
                   | (low[:, 1] > camera.height)) & ~behind
        use = np.flatnonzero((layers >= 0) & ~outside & (depth.max(axis=1) > NEAR))
        inner = np.linalg.norm(faces.corners.mean(axis=1), axis=1) - faces.material[:, LIFT]
        self._order = use[np.lexsort((-inner[use], -keys[use], layers[use]))]
        self._fixed = np.rint(np.clip(pixels, -_REACH, _REACH) * (1 << _SHIFT)).astype(np.int32)
        self._behind = behind

    def _pixels(self, optical: np.ndarray) -> np.ndarray:
        camera = self._camera
        z = np.maximum(optical[..., 2:], NEAR)
        return optical[..., :2] / z * (camera.fx, camera.fy) + (camera.cx, camera.cy)

    def paint(self, shown: np.ndarray) -> None:
        """Fill ``shown`` with face numbers."""
        for k in self._order.tolist():
            if k in self._cuts:
                self._paint_cut(shown, k)
                continue
            fixed = self._fixed[k]
            if self._behind[k]:
                clipped = clip_near(self._faces.corners[k])
                if len(clipped) < 3:
                    continue
                pixels = np.clip(self._pixels(clipped), -_REACH, _REACH)
                fixed = np.rint(pixels * (1 << _SHIFT)).astype(np.int32)
            cv2.fillConvexPoly(shown, fixed, (float(k),), cv2.LINE_8, _SHIFT)

    def _paint_cut(self, shown: np.ndarray, k: int) -> None:
        """Fill the opaque part of a quad: corners top left, top right, bottom right, left."""
        if self._behind[k]:
            return
        target = (self._fixed[k, :4] / (1 << _SHIFT)).astype(np.float32)
        low = np.maximum(np.floor(target.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(target.max(axis=0)).astype(int) + 1, shown.shape[::-1])
        if (high <= low).any():
            return
        size = np.hypot(*(target[[3, 1]] - target[0]).T)
        source = self._cuts[k].fitted(float(size[0]), float(size[1]))
        height, width = source.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
        if abs(cv2.contourArea(target)) < 0.5:
            return
        matrix = cv2.getPerspectiveTransform(corners, target - low.astype(np.float32))
        opaque = cv2.warpPerspective(np.ascontiguousarray(source[..., 3]), matrix,
                                     (int(high[0] - low[0]), int(high[1] - low[1])))
        shown[low[1]:high[1], low[0]:high[0]][opaque > 110] = k


def clip_near(optical: np.ndarray) -> np.ndarray:
    """Return the part (N, 3) of a convex polygon in front of the near plane."""
    out = []
    for a, b in zip(np.roll(optical, 1, axis=0), optical, strict=True):
        if (a[2] > NEAR) != (b[2] > NEAR):
            out.append(a + (NEAR - a[2]) / (b[2] - a[2]) * (b - a))
        if b[2] > NEAR:
            out.append(b)
    return np.array(out).reshape(-1, 3)
