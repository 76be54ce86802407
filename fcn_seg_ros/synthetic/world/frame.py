# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Render one frame of a world: from a scene to image, classes and depth."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane
from fcn_seg_ros.synthetic.world.backdrop import DISTANCE
from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.eyes import Eyes, Rays
from fcn_seg_ros.synthetic.world.raster import NEAR, clip_near
from fcn_seg_ros.synthetic.world.shade import Scene, Shader, classes_of

_SHIFT = 4


class FrameRenderer:
    """Renders one scene as one camera sees it."""

    def __init__(self, scene: Scene, eyes: Eyes, plane: GroundPlane) -> None:
        self._scene, self._eyes, self._plane = scene, eyes, plane
        self._painted, self._faces = scene.things.paint(eyes.painter, plane)

    def truth(self) -> tuple[np.ndarray, np.ndarray]:
        """Return classes (uint8) and depth (float32, metres; inf in the sky) of every pixel."""
        scene = self._scene
        rays = self._eyes.pixels.levelled(self._plane)
        number = self._eyes.seen(self._painted, fine=False).astype(np.int32)
        depth = self._depth(rays, number)
        classes = classes_of(self._faces, number)
        on_ground = (number == 0) & np.isfinite(depth)
        t = np.where(on_ground, depth, np.float32(1))
        ahead, d = scene.view.locate(rays.right * t, rays.forward * t)
        kinds = scene.ground.surfaces(ahead + np.float32(scene.view.s), d)
        classes[on_ground] = scene.ground.classes(kinds)[on_ground]
        drop = scene.ground.drop(kinds)
        if drop is not None:
            low = np.minimum(depth * (1 + drop / np.float32(self._plane.height)), DISTANCE)
            depth = np.where(on_ground & (drop > 0), low, depth)
        beyond = (number == 0) & ~on_ground
        if beyond.any():
            things = scene.backdrop.things(rays.right, rays.up, rays.forward,
                                           scene.view.azimuth)[beyond]
            classes[beyond] = np.where(things, scene.backdrop.scene_class, SceneClass.SKY)
            depth[beyond] = np.where(things, np.float32(DISTANCE), np.float32(np.inf))
        return classes, depth

    def light(self) -> np.ndarray:
        """Return the light that reaches the camera: linear RGB, float32, at the fine size."""
        rays = self._eyes.fine.levelled(self._plane)
        number = self._eyes.seen(self._painted, fine=True).astype(np.int32)
        depth = self._depth(rays, number)
        shader = Shader(self._scene, self._plane.height)
        out = np.zeros((*number.shape, 3), np.float32)
        mirror = self._ground(out, rays, depth, number, shader)
        rows, cols = np.nonzero(number)
        if rows.size:
            here = rows, cols
            out[here] = shader.faces(self._faces, number[here], rays, here, depth[here])
        beyond = (number == 0) & ~np.isfinite(depth)
        shader.fog(out, np.minimum(depth, np.float32(1000)))
        if beyond.any():
            self._backdrop(out, rays, beyond)
        if mirror is not None:
            self._mirror(out, rays, depth, mirror)
        return out

    def _depth(self, rays: Rays, number: np.ndarray) -> np.ndarray:
        """Return the depth along the optical axis, inf beyond the ground; float32."""
        depth = self._scene.ground.hit(-rays.up, rays.forward, self._plane.height)
        depth = depth.astype(np.float32)
        where = np.nonzero(number)
        depth[where] = self._faces.depth(number[where], rays.x[where], rays.y[where])
        return depth

    def _backdrop(self, out: np.ndarray, rays: Rays, beyond: np.ndarray) -> None:
        """Fill in the samples ``beyond`` the ground."""
        scene = self._scene
        rows = np.flatnonzero(beyond.any(axis=1))
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        colour = scene.backdrop.shade(rays.right[part], rays.up[part], rays.forward[part],
                                      scene.view.azimuth, scene.conditions)
        np.copyto(out[part], colour, where=beyond[part][..., None])

    def _ground(self, out: np.ndarray, rays: Rays, depth: np.ndarray, number: np.ndarray,
                shader: Shader) -> np.ndarray | None:
        """Fill in the ground; return the samples' reflectivity, None if nothing reflects."""
        on_ground = (number == 0) & np.isfinite(depth)
        rows = np.flatnonzero(on_ground.any(axis=1))
        if not rows.size:
            return None
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        piece = Rays(rays.right[part], rays.up[part], rays.forward[part], rays.x[part],
                     rays.y[part], rays.focal)
        hit = self._scene.ground.hit(-piece.up, piece.forward, self._plane.height)
        sunlit, contact = (self._eyes.seen(self._shade_map(shapes, level, spread), fine=True,
                                           how=cv2.INTER_LINEAR)[part]
                           for shapes, level, spread in ((self._scene.shadows, 0.0, (1.0,)),
                                                         (self._scene.contacts, 0.12,
                                                          (1.3, 1.15, 1.0))))
        colour, mirror, below = shader.ground(piece, hit, sunlit, contact)
        here = on_ground[part]
        np.copyto(out[part], colour, where=here[..., None])
        np.copyto(depth[part], below, where=here)
        if not mirror.any():
            return None
        whole = np.zeros(number.shape, np.float32)
        whole[part] = mirror * here
        return whole

    def _shade_map(self, shapes: list[np.ndarray], level: float,
                   spread: tuple[float, ...]) -> np.ndarray:
        """Return the share of light that flat shadows leave the ground, float32 at half size."""
        painter = self._eyes.painter
        light = np.full((painter.height // 2, painter.width // 2), 255, np.uint8)
        for shape in shapes:
            for k, size in enumerate(spread):
                middle = shape.mean(axis=0)
                grown = middle + (shape - middle) * size
                pixels = self._outline(grown)
                value = 255 * (level + (1 - level) * 0.62 * (1 - (k + 1) / len(spread)))
                if pixels is not None:
                    cv2.fillPoly(light, [pixels], (value,), cv2.LINE_AA, _SHIFT)
        return cv2.blur(light, (3, 3)).astype(np.float32) * np.float32(1 / 255)

    def _outline(self, points: np.ndarray) -> np.ndarray | None:
        """Return the half-size pixels of a polygon (N, 3) in the level frame, None if unseen."""
        painter, plane = self._eyes.painter, self._plane
        optical = (points * (1, -1, 1) + (0, plane.height, 0)) @ plane.rotation.T
        optical = clip_near(optical) if optical[:, 2].min() < NEAR else optical
        if len(optical) < 3:
            return None
        uv = optical[:, :2] / optical[:, 2:] * (painter.fx, painter.fy) + (painter.cx, painter.cy)
        return np.rint(np.clip(uv / 2, -16000, 16000) * (1 << _SHIFT)).astype(np.int32)

    def _mirror(self, out: np.ndarray, rays: Rays, depth: np.ndarray, mirror: np.ndarray) -> None:
        """Make wet ground mirror the things behind it, blurred upwards."""
        step = 2
        part = (slice(None, None, step), slice(None, None, step))
        right, up, forward = rays.right[part], rays.up[part], rays.forward[part]
        height, far = self._plane.height, np.minimum(depth, np.float32(400))[part]
        small, small_depth = cv2.resize(out, far.shape[::-1], interpolation=cv2.INTER_AREA), far
        hit = np.minimum(depth[part], 400)
        reach = np.full(hit.shape, 400.0, np.float32)
        for _ in range(3):
            # A thing z metres away is mirrored as far below the ground as it is above it.
            u, v = self._pixel_of(right, 2 * height / np.maximum(reach, hit) + up, forward)
            u, v = u / step, v / step
            reach = cv2.remap(small_depth, u, v, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        tall = max(3, small.shape[0] // 60) | 1
        soft = cv2.blur(cv2.remap(np.minimum(small, 4.0), u, v, cv2.INTER_LINEAR,
                                  borderMode=cv2.BORDER_REPLICATE), (3, tall))
        seen = cv2.resize(soft, out.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        steep = np.clip(1 + rays.up / np.sqrt(rays.right ** 2 + rays.up ** 2 + rays.forward ** 2),
                        0, 1)
        share = (mirror * (0.03 + 0.97 * steep ** 4))[..., None]
        out += share * (seen - out * 0.5)

    def _pixel_of(self, right: np.ndarray, down: np.ndarray,
                  forward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the fine pixels that show given level directions, float32."""
        rotation = self._plane.rotation.astype(np.float32)
        x, y, z = (rotation[k, 0] * right + rotation[k, 1] * down + rotation[k, 2] * forward
                   for k in range(3))
        z = np.maximum(z, np.float32(0.05))
        u, v = self._eyes.lens.distort(x / z, y / z)
        camera = self._eyes.lens.camera
        fine = self._eyes.fine_size
        return (((u + 0.5) * (fine[0] / camera.width) - 0.5).astype(np.float32),
                ((v + 0.5) * (fine[1] / camera.height) - 0.5).astype(np.float32))
