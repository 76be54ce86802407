# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Vehicles on the road: their paint, their lamps, their shadows."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.lights import headlights
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.vehicle_shapes import (
    Shape,
    cars,
    lorries,
)

_PAINTS = ((0.008, 0.008, 0.009), (0.012, 0.012, 0.014), (0.03, 0.03, 0.034), (0.12, 0.12, 0.125),
           (0.3, 0.3, 0.31), (0.55, 0.56, 0.57), (0.8, 0.8, 0.78), (0.3, 0.015, 0.012),
           (0.015, 0.04, 0.15), (0.02, 0.07, 0.04), (0.45, 0.3, 0.02), (0.12, 0.08, 0.05),
           (0.05, 0.07, 0.1), (0.5, 0.45, 0.36))
_SHARES = np.array([4, 3, 3, 3, 3, 3, 5, 2, 2, 1, 0.6, 1, 1.5, 0.6])
DARK = 3


def paint(rng: np.random.Generator, dark: float = 0.0) -> np.ndarray:
    """Return the colour of a car, which is nearly black with the probability ``dark``."""
    if rng.random() < dark:
        return np.array(_PAINTS[int(rng.integers(DARK))]) * rng.uniform(0.6, 1.5)
    chosen = int(rng.choice(len(_PAINTS), p=_SHARES / _SHARES.sum()))
    return np.array(_PAINTS[chosen]) * rng.uniform(0.7, 1.2)


def palette(rng: np.random.Generator, colour: np.ndarray, lamps: bool,
            braking: bool) -> np.ndarray:
    """Return the materials of a vehicle, in the order of vehicle_shapes."""
    kind = SceneClass.VEHICLE
    dirt = float(rng.uniform(0.4, 1.0))
    cargo = rng.uniform(0.1, 0.8, 3) * (1 if rng.random() < 0.5 else np.ones(3) * 0.8)
    tail = np.array([1.0, 0.03, 0.02]) * ((3.0 if braking else 1.2) if lamps else
                                          (0.9 if braking else 0.0))
    return np.stack([
        material(colour, kind, dirt, 'grime', 2.0),
        material((0.01, 0.011, 0.012), kind, 1.0, lift=0.3),
        material((0.012, 0.012, 0.013), kind, 0.25),
        material((0.012, 0.012, 0.012), kind, 0.05, lift=1.0),
        material((0.5, 0.5, 0.5), kind, 1.0, light=14.0 if lamps else 0.0, lift=1.0),
        material((0.2, 0.01, 0.01), kind, 0.8, light=tail, lift=1.0),
        material((0.6, 0.6, 0.55) if rng.random() < 0.7 else (0.6, 0.5, 0.05), kind, 0.3,
                 lift=1.0),
        material(float(rng.uniform(0.02, 0.25)), kind, 0.6, lift=1.02),
        material(cargo, kind, 0.15, 'print' if rng.random() < 0.4 else 'grime',
                 float(rng.uniform(2.5, 5))),
        material(0.015, kind, 0.5, 'mesh', 0.3, lift=0.8)])


def place(scene: Scene, rng: np.random.Generator, shape: Shape, ahead: float, d: float,
          turn: float = 0.0, dark: float = 0.25, driving: bool = True) -> None:
    """Put a vehicle on the road, centred ``ahead`` metres away, turned relative to the road."""
    x, z, heading = (float(v) for v in scene.view.place(ahead, d))
    angle = heading + turn
    size = tuple(rng.uniform(0.97, 1.04, 3).tolist())
    lamps = driving and (scene.conditions.lamps or bool(scene.covered))
    brake = driving and bool(rng.random() < 0.3)
    level = float(scene.ground.level(z))
    mesh = shape.mesh.placed(x, level, z, angle, size)
    scene.things.add(mesh, palette(rng, paint(rng, dark), lamps, brake), float(np.hypot(x, z)))
    footprint(scene, x, z, angle, shape.length, shape.width, shape.height)
    oncoming = np.cos(angle) < 0
    if lamps and scene.conditions.dark and 0 < z < 70 and oncoming:
        nose = shape.length / 2
        scene.lamps += headlights(0.65, angle, 12.0,
                                  (x + nose * np.sin(angle), z + nose * np.cos(angle)))


def footprint(scene: Scene, x: float, z: float, turn: float, length: float, width: float,
              height: float) -> None:
    """Darken the ground below a thing and in its shadow."""
    s, c = np.sin(turn), np.cos(turn)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, length / 2)
    ground = np.stack([x + corners[:, 0] * c + corners[:, 1] * s,
                       z - corners[:, 0] * s + corners[:, 1] * c], axis=1)
    scene.contacts.append(on_ground(scene, ground))
    throw_shadow(scene, ground, height)


def throw_shadow(scene: Scene, base: np.ndarray, height: float) -> None:
    """Shade the ground behind a block over ``base`` (N, 2: x, z), ``height`` metres tall."""
    sky = scene.conditions
    if not any(sky.sun):
        return
    sx, sy, sz = sky.sun_direction
    reach = height / max(sy, 0.08)
    moved = base - np.array([sx, sz]) * reach
    scene.shadows.append(on_ground(scene, hull(np.concatenate([base, moved]))))


def on_ground(scene: Scene, points: np.ndarray) -> np.ndarray:
    """Return points (N, 2: x, z) with a height added, (N, 3)."""
    return np.stack([points[:, 0], scene.ground.level(points[:, 1]), points[:, 1]], axis=1)


def hull(points: np.ndarray) -> np.ndarray:
    """Return the convex hull of points (N, 2), in order."""
    order = points[np.lexsort((points[:, 1], points[:, 0]))].tolist()

    def half(sequence: list[list[float]]) -> list[list[float]]:
        chain: list[list[float]] = []
        for p in sequence:
            while len(chain) > 1 and ((chain[-1][0] - chain[-2][0]) * (p[1] - chain[-2][1])
                                      - (chain[-1][1] - chain[-2][1]) * (p[0] - chain[-2][0])) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return np.array(half(order) + half(order[::-1]))


def any_car(rng: np.random.Generator) -> Shape:
    """Return the shape of a car or a van."""
    shapes = cars()
    return shapes[int(rng.integers(len(shapes)))]


def any_lorry(rng: np.random.Generator) -> Shape:
    """Return the shape of a lorry or a bus."""
    shapes = lorries()
    return shapes[int(rng.integers(len(shapes)))]


def cut_off(scene: Scene, rng: np.random.Generator, half_view: float,
            lanes: list[tuple[float, bool]]) -> None:
    """Put a vehicle, often a black one, close by where the image's edge cuts it off."""
    d, oncoming = lanes[int(rng.integers(len(lanes)))]
    shape = any_lorry(rng) if rng.random() < 0.12 else any_car(rng)
    beside = abs(d - scene.view.d)
    edge = beside / max(np.tan(half_view), 0.3)
    ahead = edge + float(rng.uniform(-0.2, 1.2)) * shape.length / 2
    if beside < 1.5:
        ahead = float(rng.uniform(2.2, 7.0)) + shape.length / 2
    place(scene, rng, shape, max(ahead, shape.length / 2 - 1.5 if beside > 2 else 4.0),
          d + float(rng.normal(0, 0.15)), np.pi if oncoming else float(rng.normal(0, 0.03)), 0.6)
