# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bridges: a parapet or railings, perhaps a truss, and water or fields far below."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.place import Place
from fcn_seg_ros.synthetic.world.roadside import block, parapet, rail
from fcn_seg_ros.synthetic.world.scenes.carriageway import (
    carry_both_ways,
    make_place,
    make_section,
    sample_carriageway,
)
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.surfaces import (
    Surface,
    asphalt,
    concrete,
    kerb,
    lowland,
    tinted,
    water,
)


def bridge(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a bridge: a parapet, and far below it water or fields."""
    way = replace(sample_carriageway(rng, divided=False), left=float(rng.uniform(0.3, 1.5)),
                  right=float(rng.uniform(0.3, 2.0)))
    both_ways = rng.random() < 0.6
    drop = float(rng.uniform(6, 30))
    below = water(drop) if rng.random() < 0.7 else lowland(rng, drop)
    road = concrete(rng) if rng.random() < 0.3 else asphalt(rng)
    walk = float(rng.uniform(1.2, 2.5)) if rng.random() < 0.5 else 0.0
    edge = kerb(rng)
    path = Surface(SceneClass.PAVEMENT, tinted(rng, float(rng.uniform(0.2, 0.4))), {'slab': 0.4})
    surfaces = [below, path, edge, road, edge, path, below]
    borders = [-walk - .5, -.3, 0.0, way.width, way.width + .3, way.width + walk + .5]
    place = make_place(rng, sky, way, make_section(rng, way, surfaces, borders, 0.0), 0.08)
    if both_ways:
        carry_both_ways(rng, place, way)
    place.ground.crest = 0.0
    place.backdrop = str(rng.choice(['open', 'hills', 'city']))
    o, out = way.origin, walk + 0.3
    kind, shape, tone = int(rng.integers(3)), parapet(rng), float(rng.uniform(0.1, 0.5))
    beams = [rail(low, low + .1, (tone, tone, tone), 0.2) for low in (0.35, 0.75, 1.1)]
    for d in (-out - o, way.width + out - o):
        if kind == 0:
            place.wall(shape, d)
        else:
            for beam in beams:
                place.wall(beam, d)
            _uprights(rng, place, d, 2.0, 1.2, 0.05, tone)
        if rng.random() < 0.6:
            _pylons(rng, place, d + (0.5 if d > 0 else -0.5), kind)
    return place


def _uprights(rng: np.random.Generator, place: Place, d: float, step: float, height: float,
              half: float, tone: float) -> None:
    row = material(tone, SceneClass.BARRIER, 0.1, 'grime', 1.0)
    place.every(rng, step, lambda scene, r, ahead: block(
        scene, (-half, 0, -half), (half, height, half), row, (ahead, d), 0, 9.0)
        if ahead < 80 else None)


def _pylons(rng: np.random.Generator, place: Place, d: float, kind: int) -> None:
    """Add a bridge's truss, cables or lamps."""
    paint = tuple(np.clip(rng.uniform(0.1, 0.5) * (1 + rng.normal(0, 0.3, 3)), 0.03, 0.7).tolist())
    steel = material(paint, SceneClass.STRUCTURE, 0.1, 'grime', 2.0)
    tall = float(rng.uniform(5, 9))
    if kind == 1:
        def truss(scene: Scene, r: np.random.Generator, ahead: float) -> None:
            block(scene, (-.15, 0, -.15), (.15, tall, .15), steel, (ahead, d))
            block(scene, (-.2, tall - .3, 0), (.2, tall, 6.2), steel, (ahead, d), 0, 3.0)
            if d > 0:
                block(scene, (-2 * d, tall - .3, -.15), (0, tall, .15), steel, (ahead, d), 0, 3.0)
        place.every(rng, 6.2, truss)
    elif kind == 2:
        place.street_lamps(rng, 30.0, d, 8.0, 1.8)
