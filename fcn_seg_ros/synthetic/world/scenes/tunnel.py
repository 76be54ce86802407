# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tunnels: walls, ceiling, lamps, and the portal in front."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.lights import Lamp
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.mesh import faces
from fcn_seg_ros.synthetic.world.place import PERIOD, Place
from fcn_seg_ros.synthetic.world.raster import SHELL
from fcn_seg_ros.synthetic.world.roadside import block
from fcn_seg_ros.synthetic.world.scenes.carriageway import (
    carry_both_ways,
    make_place,
    make_section,
    sample_carriageway,
)
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.surfaces import asphalt, concrete, grass, kerb

_STEP = 4.0


def tunnel(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a tunnel: the entrance, the exit, or a stretch with no end in sight."""
    way = replace(sample_carriageway(rng, divided=False), left=float(rng.uniform(0.2, 1.0)),
                  right=float(rng.uniform(0.2, 1.5)))
    road = asphalt(rng) if rng.random() < 0.7 else concrete(rng)
    walk = float(rng.uniform(0.4, 1.2))
    path = replace(kerb(rng), scene_class=SceneClass.PAVEMENT)
    outside = grass(rng)
    surfaces = [outside, path, road, path, outside]
    borders = [-walk, 0.0, way.width, way.width + walk]
    place = make_place(rng, replace(sky, wet=sky.wet * 0.3), way,
                       make_section(rng, way, surfaces, borders, 0.0), 0.15)
    if way.lanes % 2 == 0 and rng.random() < 0.5:
        carry_both_ways(rng, place, way)
    place.ground.crest = 0.0
    _bore(rng, place, (-walk - way.origin, way.width + walk - way.origin))
    return place


def _bore(rng: np.random.Generator, place: Place, edges: tuple[float, float]) -> None:
    """Lead a road into a tunnel between the ``d`` of its walls."""
    height = float(rng.uniform(4.6, 7.0))
    profile = _profile(rng, edges, height)
    start = float(rng.choice([-500.0, rng.uniform(20, 120)], p=[0.65, 0.35]))
    end = float(rng.choice([2000.0, rng.uniform(80, 300)], p=[0.5, 0.5]))
    stretch = (start, max(end, start + 60))
    tone = rng.uniform(0.25, 0.7)
    paints = [tone * (1 + rng.normal(0, 0.06, 3)), rng.uniform(0.1, 0.5) * np.ones(3)]
    texture = str(rng.choice(['tiles', 'concrete', 'concrete', 'grime']))
    lamp = np.array([(1.0, 0.6, 0.22), (1.0, 0.9, 0.75), (0.9, 1.0, 0.95)][int(rng.integers(3))])
    bright = float(np.exp(rng.uniform(np.log(0.02), np.log(0.35))))
    place.covered.append(stretch)
    inside = (lamp * bright).tolist()
    place.inside = (inside[0], inside[1], inside[2])
    rows = np.stack([material(paints[0], SceneClass.STRUCTURE, 0.03, texture, 3.0),
                     material(paints[1], SceneClass.STRUCTURE, 0.0, 'concrete', 4.0)])

    def run(scene: Scene, span: tuple[float, float]) -> None:
        _shell(scene, profile, rows, stretch)
        if start > scene.view.s:
            _portal(scene, edges, height, start - scene.view.s)
    place.runs.append(run)
    sides = [edges[0] + 1.2, edges[1] - 1.2] if rng.random() < 0.5 else [sum(edges) / 2]
    _lamps(rng, place, sides, height, lamp, stretch, bright)


def _profile(rng: np.random.Generator, edges: tuple[float, float], height: float) -> np.ndarray:
    """Return the outline (N, 2: d, up) of a tunnel, a box or an arch."""
    left, right = edges
    if rng.random() < 0.5:
        return np.array([[left, 0], [left, 1.2], [left, height], [right, height], [right, 1.2],
                         [right, 0]])
    turn = np.linspace(np.pi, 0, 13)
    middle, half = (left + right) / 2, (right - left) / 2
    arch = np.stack([middle + half * np.cos(turn), 2.2 + (height - 1.2) * np.sin(turn)], axis=1)
    return np.concatenate([[[left, 0], [left, 1.2]], arch, [[right, 1.2], [right, 0]]])


def _shell(scene: Scene, profile: np.ndarray, rows: np.ndarray,
           stretch: tuple[float, float]) -> None:
    low, high = max(stretch[0] - scene.view.s, -8.0), min(stretch[1] - scene.view.s, 160.0)
    if high <= low:
        return
    at = np.minimum(np.arange(low, high + _STEP, _STEP), high)
    rings = []
    for d, up in profile:
        x, z, _ = scene.view.place(at, d)
        rings.append(np.stack([x, np.full_like(x, up), z], axis=1))
    grid = np.array(rings)
    quads = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], axis=2)
    kinds = np.repeat([1 if min(a[1], b[1]) > 3.2 else 0
                       for a, b in pairwise(profile)], len(at) - 1)
    mesh = faces(quads.reshape(-1, 4, 3), kinds)
    middle = np.tile((at[1:] + at[:-1]) / 2, len(profile) - 1)
    x, z, _ = scene.view.place(middle, profile[:, 0].mean())
    inwards = np.stack([x, np.full_like(x, 2.0), z], axis=1) - mesh.corners[:, :4].mean(axis=1)
    mesh.normal[np.einsum('ij,ij->i', inwards, mesh.normal[..., 3]) < 0] *= -1
    scene.things.add(mesh, rows, layer=SHELL)


def _portal(scene: Scene, edges: tuple[float, float], height: float, ahead: float) -> None:
    """Build the wall round the mouth of a tunnel, and the hill over it."""
    row = material((0.35, 0.34, 0.31), SceneClass.STRUCTURE, 0.0, 'concrete', 5.0)
    hill = material((0.06, 0.09, 0.03), SceneClass.TERRAIN, 0.0, 'grime', 6.0)
    left, right = edges
    block(scene, (left - 8, 0, 0), (left, height + 3, 1), row, (ahead, 0.0), 0, 3.0)
    block(scene, (right, 0, 0), (right + 8, height + 3, 1), row, (ahead, 0.0), 0, 3.0)
    block(scene, (left, height, 0), (right, height + 3, 1), row, (ahead, 0.0), 0, 3.0)
    for side in (left - 50, right + 8):
        block(scene, (side, 0, 1), (side + 42, height + 1, 2), hill, (ahead, 0.0), 0, 6.0)
    block(scene, (left - 50, height, 2.5), (right + 50, height + 14, 4), hill, (ahead, 0.0), 0,
          6.0)


def _lamps(rng: np.random.Generator, place: Place, sides: list[float], height: float,
           colour: np.ndarray, stretch: tuple[float, float], bright: float) -> None:
    step, long = float(rng.uniform(5, 14)), float(rng.uniform(0.4, 3.5))
    row = material(0.5, SceneClass.STRUCTURE, light=colour * 20 * min(1.0, bright * 8))
    reach = colour * bright * height ** 2 * 0.8

    def draw(scene: Scene, r: np.random.Generator, ahead: float) -> None:
        s = ahead + scene.view.s
        if not stretch[0] < s < stretch[1] - long:
            return
        for d in sides:
            block(scene, (-.12, height - .25, 0), (.12, height - .1, long), row, (ahead, d), 0, 9.0)
            x, z, _ = (float(v) for v in scene.view.place(ahead, d))
            if abs(ahead) < 36 and len(scene.lamps) < 10:
                red, green, blue = reach.tolist()
                scene.lamps.append(Lamp((x, height - .3, z), (red, green, blue)))
    for s in np.arange(0, PERIOD, step):
        place.things.append((float(s), draw))
