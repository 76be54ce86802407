# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Colour the samples: faces and ground in sunlight, lamplight and fog."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.road import RoadView
from fcn_seg_ros.synthetic.world import face_textures
from fcn_seg_ros.synthetic.world.backdrop import Backdrop
from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.eyes import Rays
from fcn_seg_ros.synthetic.world.ground import Ground
from fcn_seg_ros.synthetic.world.lights import Lamp, light_at
from fcn_seg_ros.synthetic.world.raster import (
    CLASS,
    COLOUR,
    GLOSS,
    LIGHT,
    SPAN,
    TEXTURE,
    Collector,
    Faces,
)

#: Texture numbers from here on are cut-out leaves.
LEAVES = 100
_FADE = 12.0


@dataclass
class Scene:
    """The content of one frame; ``covered`` are the stretches (s, s) without sky above."""

    ground: Ground
    view: RoadView
    conditions: Conditions
    backdrop: Backdrop
    things: Collector = field(default_factory=Collector)
    lamps: list[Lamp] = field(default_factory=list)
    shadows: list[np.ndarray] = field(default_factory=list)
    contacts: list[np.ndarray] = field(default_factory=list)
    covered: list[tuple[float, float]] = field(default_factory=list)
    #: Ambient light in covered stretches.
    inside: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def daylight(self, z: np.ndarray) -> np.ndarray | None:
        """Return the share of daylight at points z metres ahead, None if it is 1 everywhere."""
        if not self.covered:
            return None
        out = np.ones(z.shape, np.float32)
        for start, end in self.covered:
            inside = np.minimum(z - np.float32(start), np.float32(end) - z)
            out = np.minimum(out, np.exp(np.clip(-inside / _FADE, -8, 0)))
        return out


class Shader:
    """Colours the samples of one frame."""

    def __init__(self, scene: Scene, height: float) -> None:
        self._scene, self._height = scene, height
        sky = scene.conditions
        self._sun = np.array(sky.sun, np.float32)
        self._ambient = np.array(sky.ambient, np.float32)
        self._inside = np.array(scene.inside, np.float32)
        self._direction = np.array(sky.sun_direction, np.float32)

    def _light(self, z: np.ndarray, sun: np.ndarray, open_sky: np.ndarray | float) -> np.ndarray:
        """Return the light on points z metres ahead, given the shares of sun and sky."""
        day = self._scene.daylight(z)
        out = sun[..., None] * self._sun
        out += (np.broadcast_to(open_sky, z.shape).astype(np.float32))[..., None] * self._ambient
        if day is not None:
            out *= day[..., None]
            out += (1 - day)[..., None] * self._inside
        return out

    def ground(self, rays: Rays, depth: np.ndarray, sunlit: np.ndarray,
               contact: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Return the ground samples' light (H, W, 3), reflectivity and depth.

        ``sunlit`` and ``contact`` (0..1) are the shares of sun and sky that reach them.
        """
        scene, ground = self._scene, self._scene.ground
        t = np.minimum(depth, np.float32(400))
        x, z = rays.right * t, rays.forward * t
        ahead, d = scene.view.locate(x, z)
        s = ahead + np.float32(scene.view.s)
        kinds = ground.surfaces(s, d)
        drop = ground.drop(kinds)
        if drop is not None:
            t = t * (1 + drop / np.float32(self._height))
            x, z = rays.right * t, rays.forward * t
            low = drop > 0
            ahead, d = np.where(low, z, ahead), np.where(low, x, d)
            s = ahead + np.float32(scene.view.s)
        foot = t / np.float32(rays.focal)
        along = foot * np.maximum(t / np.float32(self._height), 1)
        colour, wettable, puddle = ground.shade(s, d, kinds, along, foot)
        mirror = self._wetted(colour, wettable, puddle)
        light = self._light(z, sunlit * np.float32(max(self._direction[1], 0)), contact)
        if scene.lamps:
            light += _coarse_light(scene.lamps, x, ground.level(z).astype(np.float32), z)
        colour *= light
        self._glitter(colour, rays, sunlit, mirror)
        return colour, mirror, t

    def _wetted(self, colour: np.ndarray, wettable: np.ndarray, puddle: np.ndarray) -> np.ndarray:
        """Darken wet ground, and return its reflectivity, 0..1."""
        wet = np.float32(self._scene.conditions.wet)
        if wet <= 0:
            return np.zeros(wettable.shape, np.float32)
        film = wettable * wet
        colour *= (1 - np.float32(0.55) * film)[..., None]
        return np.clip(film * np.float32(0.45) + puddle * min(1.0, 1.4 * float(wet)), 0, 1)

    def _glitter(self, colour: np.ndarray, rays: Rays, sunlit: np.ndarray,
                 mirror: np.ndarray) -> None:
        """Make the ground shine below a low sun."""
        sx, sy, sz = (np.float32(v) for v in self._direction)
        if not self._sun.any() or sy > 0.6:
            return
        # The half vector between sun and eye, which is upright where the ground mirrors the sun.
        length = np.sqrt(rays.right ** 2 + rays.up ** 2 + rays.forward ** 2)
        hx, hy, hz = (sx - rays.right / length, sy - rays.up / length, sz - rays.forward / length)
        upright = hy / np.sqrt(hx * hx + hy * hy + hz * hz)
        grazing = np.square(np.square(np.clip(1 + rays.up / length, 0, 1)))
        here = np.nonzero(upright > 0.93)
        bright = upright[here]
        shine = sunlit[here] * grazing[here] * (np.float32(0.8) * bright ** 60
                                                + mirror[here] * bright ** 400 * 6)
        colour[here] += shine[..., None] * self._sun

    def faces(self, faces: Faces, number: np.ndarray, rays: Rays,
              where: tuple[np.ndarray, np.ndarray], depth: np.ndarray) -> np.ndarray:
        """Return the light (N, 3) of samples ``where`` (rows, columns), which show faces."""
        ray = np.stack([rays.right[where], rays.up[where], rays.forward[where]], axis=1)
        offset = np.array([0, self._height, 0], np.float32)
        points = ray * depth[:, None] + offset
        homogeneous = np.concatenate([points, np.ones((len(points), 1), np.float32)], axis=1)
        normal = np.einsum('nij,nj->ni', faces.normal[number], homogeneous)
        normal /= np.sqrt(np.einsum('ij,ij->i', normal, normal))[:, None] + 1e-6
        material = faces.material[number]
        colour, glass = self._skin(faces, number, material, homogeneous, depth / rays.focal)
        lit = np.clip(normal @ self._direction, 0, None)
        light = self._light(points[:, 2], lit, 0.62 + 0.38 * normal[:, 1])
        if self._scene.lamps:
            light += light_at(self._scene.lamps, points, normal)
        out = colour * light + material[:, LIGHT]
        self._polish(out, ray, normal, np.maximum(material[:, GLOSS], glass), points[:, 2])
        return out

    def _skin(self, faces: Faces, number: np.ndarray, material: np.ndarray, points: np.ndarray,
              foot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the colour of face samples (N, 3) after their textures, and their gloss."""
        colour = material[:, COLOUR].copy()
        glass = np.zeros(len(colour), np.float32)
        kind = material[:, TEXTURE].astype(np.int32)
        leaf = kind >= LEAVES
        for chosen in (np.flatnonzero((kind > 0) & ~leaf), np.flatnonzero(leaf)):
            if not chosen.size:
                continue
            leafy = kind[chosen[0]] >= LEAVES
            levels = face_textures.leaves()[1] if leafy else face_textures.atlas()
            uv = np.einsum('nij,nj->ni', faces.chart[number[chosen]], points[chosen])
            span = np.maximum(material[chosen, SPAN], 1e-3)
            texel = _sampled(levels, kind[chosen] - (LEAVES if leafy else 0), uv / span[:, None],
                             foot[chosen] / span)
            if leafy:
                colour[chosen] *= np.square(texel * np.float32(1 / 255))
            else:
                colour[chosen] *= texel[:, :3] * np.float32(1 / 128)
                glass[chosen] = texel[:, 3] * np.float32(1 / 255)
        return colour, glass

    def _polish(self, out: np.ndarray, ray: np.ndarray, normal: np.ndarray, gloss: np.ndarray,
                z: np.ndarray) -> None:
        """Add reflections of sky, ground and sun on glossy faces."""
        shiny = np.flatnonzero(gloss > 0.01)
        if not shiny.size:
            return
        sky = self._scene.conditions
        eye = ray[shiny] / np.linalg.norm(ray[shiny], axis=1, keepdims=True)
        normal, gloss = normal[shiny], gloss[shiny]
        cosine = np.einsum('ij,ij->i', eye, normal)
        mirrored = eye - 2 * cosine[:, None] * normal
        glancing = np.clip(1 - np.abs(cosine), 0, 1)
        fresnel = 0.04 + 0.96 * np.square(np.square(glancing)) * glancing
        up = mirrored[:, 1:2]
        low, high = np.array(sky.sky_low, np.float32), np.array(sky.sky_high, np.float32)
        floor = 0.12 * (self._ambient + self._sun * max(float(self._direction[1]), 0))
        seen = np.where(up > 0, low + (high - low) * np.sqrt(np.clip(up, 0, 1)), floor)
        edge = np.clip(np.abs(up) * 8, 0.35, 1)
        seen = seen * edge
        day = self._scene.daylight(z[shiny])
        if day is not None:
            seen = seen * day[:, None] + (1 - day)[:, None] * self._inside
        if self._sun.any():
            glint = mirrored @ self._direction
            near = np.flatnonzero(glint > 0.8)
            shine = 8 * glint[near] ** 600 + 0.25 * glint[near] ** 20
            seen[near] += shine[:, None] * self._sun
        out[shiny] += (fresnel * gloss)[:, None] * seen

    def fog(self, colour: np.ndarray, depth: np.ndarray) -> None:
        """Fade distant samples into fog, in place."""
        sky = self._scene.conditions
        keep = np.exp(depth * np.float32(-1 / sky.fog_length))[..., None]
        colour *= keep
        colour += (1 - keep) * np.array(sky.sky_low, np.float32)


def _sampled(levels: list[np.ndarray], kind: np.ndarray, uv: np.ndarray,
             foot: np.ndarray) -> np.ndarray:
    """Return texels (N, C) at texture coordinates ``uv`` from the level that suits ``foot``."""
    size = levels[0].shape[1]
    wanted = np.log2(np.maximum(foot * size, 1.0))
    level = np.minimum(np.rint(wanted).astype(np.int32), len(levels) - 1)
    out = np.empty((len(kind), levels[0].shape[3]), np.float32)
    frac = uv - np.floor(uv)
    for k in np.unique(level):
        here = np.flatnonzero(level == k)
        side = levels[k].shape[1]
        x, y = frac[here, 0] * side, (1 - frac[here, 1]) * side
        if k:
            out[here] = levels[k][kind[here], y.astype(np.int32) % side, x.astype(np.int32) % side]
        else:
            out[here] = _smooth(levels[0], kind[here], x - 0.5, y - 0.5)
    return out


def _smooth(level: np.ndarray, kind: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return texels interpolated bilinearly from the four nearest."""
    side = level.shape[1]
    col, row = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    right, down = (x - col)[:, None], (y - row)[:, None]
    a, b, c, d = (level[kind, (row + i) % side, (col + j) % side].astype(np.float32)
                  for i in (0, 1) for j in (0, 1))
    upper, lower = a + right * (b - a), c + right * (d - c)
    return upper + down * (lower - upper)


def _coarse_light(lamps: list[Lamp], x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the lamps' light on the ground, computed for every third sample only."""
    points = np.stack([a[1::3, 1::3] for a in (x, y, z)], axis=2)
    light = light_at(lamps, points, None)
    return cv2.resize(light, x.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def classes_of(faces: Faces, number: np.ndarray) -> np.ndarray:
    """Return the SceneClass of face numbers, uint8."""
    return faces.material[:, CLASS].astype(np.uint8)[number]
