# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Things beside the road: trees, houses, barriers, poles, signs, lamps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fcn_seg_ros.synthetic.world import face_textures
from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.lights import Lamp
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.mesh import Mesh, box, faces
from fcn_seg_ros.synthetic.world.shade import LEAVES, Scene
from fcn_seg_ros.synthetic.world.vehicles import hull, on_ground, throw_shadow


@dataclass(frozen=True)
class Wall:
    """A profile (right, up) of one material, extruded along the road."""

    profile: tuple[tuple[float, float], ...]
    colour: tuple[float, float, float]
    scene_class: SceneClass
    texture: str = 'concrete'
    span: float = 3.0
    gloss: float = 0.0


def leafy(scene: Scene, number: int, ahead: float, d: float, width: float, height: float,
          gain: float = 1.0, sunk: float = 0.0) -> None:
    """Put a tree or bush (a number of face_textures.leaves) on the ground, facing the camera."""
    x, z, _ = (float(v) for v in scene.view.place(ahead, d))
    if z < 1.5:
        return
    level = float(scene.ground.level(z)) - sunk
    right = np.array([z, 0, -x]) / np.hypot(x, z) * width / 2
    foot, up = np.array([x, level, z]), np.array([0, height, 0])
    quad = np.array([foot - right + up, foot + right + up, foot + right, foot - right])
    mesh = faces(quad[None], 0)
    mesh.chart[0, 0, :3], mesh.chart[0, 1, :3] = right / (width / 2) / width, up / height / height
    mesh.chart[0, :, 3] = (0.5 - mesh.chart[0, 0, :3] @ foot, -mesh.chart[0, 1, :3] @ foot)
    mesh.normal[0, :, 3] = (0, 0.7, 0) - 0.7 * foot / np.linalg.norm(foot)
    row = material(1.6 * gain, SceneClass.VEGETATION, texture=LEAVES + number)
    scene.things.add_cut(mesh, row, face_textures.leaves()[0][number], float(np.hypot(x, z)))
    if any(scene.conditions.sun) and height > 1.5:
        _crown_shadow(scene, x, z, width, height)


def _crown_shadow(scene: Scene, x: float, z: float, width: float, height: float) -> None:
    """Shade the ground below a tree's crown with a few round spots."""
    sx, sy, sz = scene.conditions.sun_direction
    turn = np.linspace(0, 2 * np.pi, 9)[:-1]
    for k in range(4):
        up = height * (0.45 + 0.12 * k) / max(sy, 0.12)
        size = width * (0.3 - 0.04 * abs(k - 1.5))
        jog = 0.2 * width * np.array([np.sin(5.1 * k + x), np.cos(3.3 * k + z)])
        ring = np.stack([np.cos(turn), np.sin(turn)], axis=1) * size + (x, z) + jog
        scene.shadows.append(on_ground(scene, ring - np.array([sx, sz]) * up))
    base = np.array([[-.15, 0], [.15, 0], [.15, .1], [-.15, .1]]) + (x, z)
    throw_shadow(scene, base, height * 0.6)


def wall(scene: Scene, shape: Wall, d: float, ahead: tuple[float, float],
         step: float = 4.0) -> None:
    """Build a wall along the road at ``d``, from and to given metres ahead."""
    at = np.arange(ahead[0], ahead[1] + step, step)
    row = material(shape.colour, shape.scene_class, shape.gloss, shape.texture, shape.span)[None]
    quads = []
    for (x0, y0), (x1, y1) in pairwise(shape.profile):
        lower, upper = (_along(scene, at, d + x, y) for x, y in ((x0, y0), (x1, y1)))
        quads.append(np.stack([lower[:-1], upper[:-1], upper[1:], lower[1:]], axis=1))
    corners = np.concatenate(quads)
    mesh = _facing(faces(corners, 0), scene, lambda centre: _camera_side(scene, centre, d))
    scene.things.add(mesh, row)
    low, high = min(x for x, _ in shape.profile), max(x for x, _ in shape.profile)
    tall = max(y for _, y in shape.profile)
    strip = np.concatenate([_along(scene, at, d + low, 0)[:, [0, 2]],
                            _along(scene, at, d + high, 0)[::-1][:, [0, 2]]])
    _wall_shadow(scene, strip, len(at), tall)


def _wall_shadow(scene: Scene, strip: np.ndarray, count: int, tall: float) -> None:
    if not any(scene.conditions.sun) or tall < 0.2:
        return
    for k in range(count - 1):
        quad = np.concatenate([strip[k:k + 2], strip[::-1][k:k + 2]])
        throw_shadow(scene, quad, tall)


def _along(scene: Scene, ahead: np.ndarray, d: float, up: float) -> np.ndarray:
    x, z, _ = scene.view.place(ahead, d)
    return np.stack([x, scene.ground.level(z) + up, z], axis=1)


def _camera_side(scene: Scene, centre: np.ndarray, d: float) -> np.ndarray:
    """Return directions from faces to the side of a wall where the road and the camera are."""
    side = -1.0 if d > scene.view.d else 1.0
    return np.stack([np.full(len(centre), side), np.full(len(centre), 0.3),
                     np.zeros(len(centre))], axis=1)


def _facing(mesh: Mesh, scene: Scene, towards: object) -> Mesh:
    """Flip normals that point away from the camera's side."""
    centre = mesh.corners[:, :4].mean(axis=1)
    direction = towards(centre)  # type: ignore[operator]
    away = np.einsum('ij,ij->i', mesh.normal[..., 3], direction) < 0
    mesh.normal[away] *= -1
    return mesh


#: Concrete barriers, guard rails, parapets and fences, seen from either side.
def jersey(rng: np.random.Generator) -> Wall:
    """Return a concrete barrier."""
    tone = float(rng.uniform(0.25, 0.6))
    tall = float(rng.uniform(0.8, 1.15))
    return Wall(((-0.3, 0.0), (-0.28, 0.08), (-0.13, 0.33), (-0.09, tall), (0.09, tall),
                 (0.13, 0.33), (0.28, 0.08), (0.3, 0.0)), (tone, tone, tone * 0.93),
                SceneClass.BARRIER)


def parapet(rng: np.random.Generator) -> Wall:
    """Return the wall at the edge of a bridge."""
    tone, tall = float(rng.uniform(0.2, 0.55)), float(rng.uniform(0.7, 1.3))
    return Wall(((-0.15, 0.0), (-0.15, tall), (0.15, tall), (0.15, 0.0)),
                (tone, tone * 0.97, tone * 0.9), SceneClass.BARRIER)


def rail(low: float, high: float, colour: tuple[float, float, float], gloss: float) -> Wall:
    """Return one beam of a guard rail or railing."""
    middle = (low + high) / 2
    return Wall(((-0.02, low), (-0.07, middle), (-0.02, high), (0.02, high), (0.07, middle),
                 (0.02, low)), colour, SceneClass.BARRIER, 'grime', 2.0, gloss)


def guard_rail(scene: Scene, tone: float, d: float, ahead: tuple[float, float]) -> None:
    """Build a guard rail on posts, of the brightness ``tone``."""
    colour = (tone, tone, tone * 1.02)
    posts(scene, d, ahead, 4.0, 0.72, 0.06, colour, SceneClass.BARRIER)
    wall(scene, rail(0.42, 0.76, colour, 0.3), d, ahead)


def posts(scene: Scene, d: float, ahead: tuple[float, float], step: float, height: float,
          half: float, colour: tuple[float, float, float], scene_class: SceneClass) -> None:
    """Place posts in a row."""
    start = np.ceil((ahead[0] + scene.view.s) / step) * step - scene.view.s
    for at in np.arange(start, min(ahead[1], 120.0), step):
        post(scene, float(at), d, height, half, colour, scene_class)


def post(scene: Scene, ahead: float, d: float, height: float, half: float,
         colour: tuple[float, float, float], scene_class: SceneClass) -> None:
    """Place one post with a square section."""
    x, z, turn = (float(v) for v in scene.view.place(ahead, d))
    if z < 0.3:
        return
    mesh = box((-half, 0, -half), (half, height, half), 0).placed(
        x, float(scene.ground.level(z)), z, turn)
    scene.things.add(mesh, material(colour, scene_class, 0.1, 'grime', 1.0)[None],
                     float(np.hypot(x, z)))
    if z < 60:
        base = np.array([[-half, 0], [half, 0], [half, half], [-half, half]]) + (x, z)
        throw_shadow(scene, base, height)


def block(scene: Scene, low: tuple[float, float, float], high: tuple[float, float, float],
          row: np.ndarray, place: tuple[float, float], turn: float = 0.0,
          step: float = 5.0) -> None:
    """Place a box at (ahead, d), in pieces of ``step`` metres so that near ones hide far ones."""
    x, z, heading = (float(v) for v in scene.view.place(*place))
    level = float(scene.ground.level(z))
    whole = _gridded(low, high, step).placed(x, level, z, heading + turn)
    scene.things.add(whole, row[None])
    corners = np.array([[low[0], low[2]], [high[0], low[2]], [high[0], high[2]], [low[0], high[2]]])
    s, c = np.sin(heading + turn), np.cos(heading + turn)
    base = np.stack([x + corners[:, 0] * c + corners[:, 1] * s,
                     z - corners[:, 0] * s + corners[:, 1] * c], axis=1)
    if low[1] < 0.5:
        throw_shadow(scene, hull(base), high[1])


def _gridded(low: tuple[float, float, float], high: tuple[float, float, float],
             step: float) -> Mesh:
    """Return a box whose sides are cut into strips of about ``step`` metres."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    quads = []
    for a, b in (((x0, z0), (x0, z1)), ((x0, z1), (x1, z1)), ((x1, z1), (x1, z0)),
                 ((x1, z0), (x0, z0))):
        count = max(1, round(np.hypot(b[0] - a[0], b[1] - a[1]) / step))
        t = np.linspace(0, 1, count + 1)
        line = np.array(a) + t[:, None] * (np.array(b) - a)
        for p, q in pairwise(line):
            quads.append([(q[0], y0, q[1]), (q[0], y1, q[1]), (p[0], y1, p[1]), (p[0], y0, p[1])])
    quads.append([(x0, y1, z0), (x0, y1, z1), (x1, y1, z1), (x1, y1, z0)])
    if y0 > 0.5:
        quads.append([(x0, y0, z1), (x0, y0, z0), (x1, y0, z0), (x1, y0, z1)])
    return faces(np.array(quads), 0)


def house(scene: Scene, rng: np.random.Generator, ahead: float, d: float, size: tuple[float, float],
          height: float) -> None:
    """Place a house of ``size`` metres along the road and away from it; its near wall is at d."""
    along, deep = size
    side = 1.0 if d > 0 else -1.0
    tone = np.clip(rng.uniform(0.12, 0.6) * (1 + rng.normal(0, 0.12, 3) * (1, 0.6, 1)), 0.05, 0.8)
    texture = int(rng.choice(face_textures.FACADES))
    row = material(tone, SceneClass.BUILDING, 0.02, texture, float(rng.uniform(5, 8)))
    a, b = sorted((0.0, side * deep))
    block(scene, (a, 0.0, 0.0), (b, height, along), row, (ahead, d))


def lamp_post(scene: Scene, rng: np.random.Generator, ahead: float, d: float, height: float,
              reach: float, lit: bool) -> None:
    """Place a street lamp whose arm reaches over the road."""
    grey = (0.2, 0.2, 0.21)
    post(scene, ahead, d, height, 0.08, grey, SceneClass.POLE)
    x, z, turn = (float(v) for v in scene.view.place(ahead, d))
    if z < 0.3:
        return
    level = float(scene.ground.level(z))
    side = -1.0 if d > 0 else 1.0
    low, high = sorted((0.0, side * reach))
    arm = box((low, height - .1, -.05), (high, height, .05), 0).placed(x, level, z, turn)
    scene.things.add(arm, material(grey, SceneClass.POLE)[None])
    colour = np.array(scene.conditions.lamp_colour)
    at, hot = sorted((side * reach, side * (reach - .6)))
    head = _gridded((at, height - .2, -.15), (hot, height - .08, .15), 9).placed(x, level, z, turn)
    row = material(0.3, SceneClass.POLE, light=(colour * 25 if lit else 0.0))[None]
    scene.things.add(head, row)
    if lit and z < 90:
        out = side * reach
        tip = (x + out * float(np.cos(turn)), level + height - .2, z - out * float(np.sin(turn)))
        r, g, b = (colour * height ** 2 * float(rng.uniform(0.05, 0.16))).tolist()
        scene.lamps.append(Lamp(tip, (r, g, b)))


def sign(scene: Scene, rng: np.random.Generator, ahead: float, d: float, size: tuple[float, float],
         low: float) -> None:
    """Place a sign that faces the traffic."""
    colours = ((0.02, 0.12, 0.4), (0.02, 0.25, 0.08), (0.7, 0.7, 0.7), (0.6, 0.05, 0.04),
               (0.7, 0.55, 0.05))
    row = material(colours[int(rng.integers(len(colours)))], SceneClass.SIGN, 0.1, 'print',
                   max(size) * 1.1, light=0.3 if scene.conditions.dark else 0.0)
    for part in (-0.4, 0.4) if size[0] > 1.2 else (0.0,):
        post(scene, ahead + .06, d + part * size[0], low + size[1] * .9, 0.05, (0.3, 0.3, 0.3),
             SceneClass.POLE)
    block(scene, (-size[0] / 2, low, 0.0), (size[0] / 2, low + size[1], 0.05), row, (ahead, d))
