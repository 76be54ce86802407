# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The sky, and things on the horizon: hills, trees, a skyline."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.noise import fractal, smoothstep
from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.conditions import Conditions

#: The backdrop's distance in metres.
DISTANCE = 600.0
_COLS = 2048


@dataclass(frozen=True)
class Backdrop:
    """``top`` is the tangent of the skyline's elevation by direction, (_COLS,)."""

    top: np.ndarray
    colour: np.ndarray
    scene_class: SceneClass
    clouds: np.ndarray
    light: np.ndarray

    def shade(self, right: np.ndarray, up: np.ndarray, forward: np.ndarray, turn: float,
              sky: Conditions) -> np.ndarray:
        """
        Return the colour (linear RGB) of directions (H, W).

        ``turn`` is the direction, rad, in which forward points.
        """
        slope, col = _direction(right, up, forward, turn)
        things = slope < self.top[col]
        height = np.clip(slope * np.float32(1.6), 0, 1)[..., None]
        low, high = np.array(sky.sky_low, np.float32), np.array(sky.sky_high, np.float32)
        colour = low + (high - low) * np.sqrt(height)
        self._cloud(colour, right, up, forward, sky)
        self._sun(colour, right, up, forward, sky)
        thing = self.colour[col] * self.light
        haze = np.float32(1 - np.exp(-DISTANCE / sky.fog_length))
        thing += haze * (low - thing)
        lit = smoothstep(slope, -0.02, 0.0)[..., None] * np.float32(0.3) + np.float32(0.7)
        np.copyto(colour, thing * lit, where=things[..., None])
        return colour

    def things(self, right: np.ndarray, up: np.ndarray, forward: np.ndarray,
               turn: float) -> np.ndarray:
        """Return which directions (H, W) show things instead of sky."""
        slope, col = _direction(right, up, forward, turn)
        return slope < self.top[col]

    def _cloud(self, colour: np.ndarray, right: np.ndarray, up: np.ndarray, forward: np.ndarray,
               sky: Conditions) -> None:
        """Put clouds on a plane high above."""
        if sky.clouds <= 0:
            return
        scale = np.float32(90) / np.maximum(up, np.float32(0.04))
        x = np.mod(right * scale, 512).astype(np.float32)
        y = np.mod(forward * scale, 512).astype(np.float32)
        cover = cv2.remap(self.clouds, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        cover = cover * smoothstep(up, 0.01, 0.2)
        white = np.array(sky.ambient, np.float32) * 1.6 + 0.6 * np.array(sky.sun, np.float32)
        colour += cover[..., None] * (white - colour)

    def _sun(self, colour: np.ndarray, right: np.ndarray, up: np.ndarray, forward: np.ndarray,
             sky: Conditions) -> None:
        """Let the sun shine, with a glow around it."""
        if not any(sky.sun):
            return
        sx, sy, sz = sky.sun_direction
        near = right * np.float32(sx) + up * np.float32(sy) + forward * np.float32(sz)
        near /= np.sqrt(right * right + up * up + forward * forward)
        here = np.nonzero(near > 0.9)
        if not here[0].size:
            return
        close = near[here]
        glow = np.float32(60) * (close > 0.99995) + 1.6 * close ** 900 + 0.5 * close ** 60
        colour[here] += glow[..., None] * np.array(sky.sun, np.float32)


def _direction(right: np.ndarray, up: np.ndarray, forward: np.ndarray,
               turn: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the tangent of the directions' elevation, and their column in the backdrop."""
    slope = up / (np.sqrt(right * right + forward * forward) + np.float32(1e-6))
    angle = cv2.phase(forward, right) + np.float32(turn)
    return slope, (angle * np.float32(_COLS / (2 * np.pi))).astype(np.int32) % _COLS


def sample_backdrop(rng: np.random.Generator, kind: str, sky: Conditions) -> Backdrop:
    """Return the backdrop for a ``kind`` of scene: open, wooded, hills or city."""
    profile = fractal(rng, (2, _COLS), [(300, 0.6), (90, 0.4), (30, 0.2)])[0]
    fine = fractal(rng, (2, _COLS), [(8, 0.6), (3, 0.5)])[0]
    green = np.array([0.05, 0.08, 0.03]) * rng.uniform(0.6, 1.6)
    scene_class = SceneClass.VEGETATION
    if kind == 'city':
        steps = np.repeat(rng.gamma(2.0, 0.02, _COLS // 16), 16)
        top = 0.01 + steps
        tone = np.repeat(rng.uniform(0.1, 0.4, _COLS // 16), 16)[:, None]
        colour = tone * (1 + rng.normal(0, 0.05, 3))
        scene_class = SceneClass.BUILDING
    elif kind == 'hills':
        top = np.clip(0.06 + 0.05 * profile + 0.002 * fine, 0.0, None)
        colour = np.ones((_COLS, 1)) * np.array([0.12, 0.15, 0.14])
        scene_class = SceneClass.TERRAIN
    else:
        tall = 0.03 if kind == 'wooded' else 0.008
        top = np.clip(tall * (1 + 0.4 * profile + 0.25 * fine), 0.0, None)
        colour = np.ones((_COLS, 1)) * green * (1 + 0.2 * fine[:, None])
    field = fractal(rng, (512, 512), [(120, 0.6), (50, 0.45), (18, 0.3), (6, 0.15)])
    clouds = smoothstep(field, 1.2 - 2.2 * sky.clouds, 2.2 - 1.6 * sky.clouds)
    light = 1.0 * np.array(sky.ambient) + 0.5 * max(sky.sun_direction[1], 0.1) * np.array(sky.sun)
    return Backdrop(top.astype(np.float32), colour.astype(np.float32), scene_class,
                    clouds.astype(np.float32), light.astype(np.float32))
