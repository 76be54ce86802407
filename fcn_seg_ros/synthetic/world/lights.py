# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lamps of a rendered world, and the light they throw on points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lamp:
    """
    A lamp at ``place`` (metres right, up, forward) of a colour (linear RGB, at one metre).

    It shines along ``axis``, more narrowly for a larger ``focus``; with ``cut`` it throws no light
    above its height, like a dipped headlight.
    """

    place: tuple[float, float, float]
    colour: tuple[float, float, float]
    axis: tuple[float, float, float] = (0.0, -1.0, 0.0)
    focus: float = 1.0
    cut: bool = False


def light_at(lamps: list[Lamp], points: np.ndarray, normals: np.ndarray | None) -> np.ndarray:
    """
    Return the light (float32 (..., 3)) that falls on points (..., 3) from lamps.

    Without normals the points face up. Lamps cast no shadows.
    """
    out = np.zeros(points.shape, np.float32)
    x, y, z = (np.ascontiguousarray(points[..., k]) for k in range(3))
    for lamp in lamps:
        px, py, pz = (np.float32(v) for v in lamp.place)
        ax, ay, az = (np.float32(v) for v in lamp.axis)
        dx, dy, dz = x - px, y - py, z - pz
        square = dx * dx + dy * dy + dz * dz + np.float32(0.05)
        inverse = 1 / np.sqrt(square)
        along = np.maximum((dx * ax + dy * ay + dz * az) * inverse, 0)
        power = along if lamp.focus == 1 else np.power(along, np.float32(lamp.focus))
        if lamp.cut:
            power = power * np.clip(0.12 - dy * inverse * 14, 0.04, 1)
        if normals is None:
            facing = np.maximum(-dy * inverse, 0)
        else:
            facing = np.maximum(-(dx * normals[..., 0] + dy * normals[..., 1]
                                  + dz * normals[..., 2]) * inverse, 0)
        strength = power * facing / square
        for k in range(3):
            out[..., k] += strength * np.float32(lamp.colour[k])
    return out


def headlights(height: float, turn: float, strength: float, at: tuple[float, float] = (0.0, 0.0),
               half: float = 0.65) -> list[Lamp]:
    """Return a vehicle's dipped beams, ``at`` metres right and forward, turned by ``turn`` rad."""
    s, c = float(np.sin(turn)), float(np.cos(turn))
    colour = (strength, 0.93 * strength, 0.8 * strength)
    axis = np.array([s, -0.035, c]) / np.hypot(1.0, 0.035)
    beams = []
    for side in (-half, half):
        place = (at[0] + side * c, height, at[1] - side * s)
        for focus, part in ((14.0, 0.35), (130.0, 1.0)):
            beams.append(Lamp(place, tuple(part * v for v in colour),  # type: ignore[arg-type]
                              tuple(axis.tolist()), focus, True))
    return beams
