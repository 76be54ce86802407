# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motorways with dividers and shoulders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.face_textures import BUSHES, TREES
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.place import PERIOD, Place
from fcn_seg_ros.synthetic.world.roadside import block, jersey, leafy, sign
from fcn_seg_ros.synthetic.world.scenes.carriageway import (
    Carriageway,
    make_place,
    make_section,
    sample_carriageway,
)
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.surfaces import Surface, asphalt, concrete, grass, gravel


def _surfaces(rng: np.random.Generator, way: Carriageway) -> tuple[
        list[Surface], list[float], Surface]:
    """Return the road's surfaces from the far verge to the right edge, and their borders."""
    road = concrete(rng) if rng.random() < 0.25 else asphalt(rng)
    shoulder = road
    if rng.random() < 0.5:
        shoulder = asphalt(rng)
    verge = grass(rng) if rng.random() < 0.75 else gravel(rng)
    middle = gravel(rng) if way.median < 2 else grass(rng)
    surfaces = [verge, road, middle, shoulder, road, shoulder, verge]
    borders = [-way.median - way.far, -way.median, 0.0, way.left, way.width - way.right, way.width]
    if not way.far:
        surfaces, borders = surfaces[2:], borders[2:]
        surfaces[0] = verge
    return surfaces, borders, verge


def highway(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a motorway or dual carriageway."""
    way = sample_carriageway(rng, divided=bool(rng.random() < 0.85))
    surfaces, borders, _ = _surfaces(rng, way)
    place = make_place(rng, sky, way, make_section(rng, way, surfaces, borders,
                                                   float(rng.choice([0.0, 0.08, 0.2]))))
    o = way.origin
    _divide(rng, place, way)
    _border(rng, place, way.width - o)
    if rng.random() < 0.5:
        place.every(rng, float(rng.uniform(60, 130)),
                    lambda scene, r, ahead: _gantry(scene, r, ahead, way, o), 0.6)
    if rng.random() < 0.35:
        place.things.append((float(rng.uniform(0, PERIOD)),
                             lambda scene, r, ahead: _overpass(scene, r, ahead, way, o)))
    if rng.random() < 0.45:
        place.street_lamps(rng, float(rng.uniform(28, 45)), way.width - o + 1.5,
                           float(rng.uniform(8, 12)), 2.5)
    return place


def _divide(rng: np.random.Generator, place: Place, way: Carriageway) -> None:
    """Add a barrier, rails or bushes between the directions."""
    o = way.origin
    if not way.far:
        place.guard_rail(0.4, -o - 0.5)
        return
    shape = jersey(rng)
    if way.median < 2:
        place.wall(shape, -way.median / 2 - o)
        return
    if rng.random() < 0.8:
        place.guard_rail(float(rng.uniform(0.25, 0.6)), -0.6 - o)
    if rng.random() < 0.6:
        _bushes(rng, place, (-way.median + 0.8 - o, -0.9 - o), 5.0, (0.6, 2.2))


def _bushes(rng: np.random.Generator, place: Place, d: tuple[float, float], step: float,
            height: tuple[float, float]) -> None:
    def draw(scene: Scene, r: np.random.Generator, ahead: float) -> None:
        tall = float(r.uniform(*height))
        leafy(scene, TREES + int(r.integers(BUSHES)), ahead, float(r.uniform(*d)), tall * 1.5, tall)
    place.every(rng, step, draw, 0.7, 1.0)


def _border(rng: np.random.Generator, place: Place, edge: float) -> None:
    """Add a rail, a barrier or a noise wall at the right edge, and trees beyond."""
    kind = int(rng.integers(4))
    shape = jersey(rng)
    if kind == 0:
        place.guard_rail(float(rng.uniform(0.25, 0.6)), edge + 0.4)
    elif kind == 1:
        place.wall(shape, edge + 0.35)
    elif kind == 2:
        tone = float(rng.uniform(0.1, 0.5))
        noise = replace(shape, profile=((0.0, 0.0), (0.0, float(rng.uniform(2, 5)))),
                        colour=(tone, tone * 0.9, tone * 0.75),
                        texture=str(rng.choice(['brick', 'concrete', 'grime'])))
        place.wall(noise, edge + 1.5)
    woods(rng, place, edge + 3.0, float(rng.uniform(0.2, 1.0)))
    woods(rng, place, -edge - 18.0, float(rng.uniform(0.2, 1.0)))


def woods(rng: np.random.Generator, place: Place, near: float, density: float) -> None:
    """Plant trees and bushes from ``near`` outwards."""
    out = 1.0 if near > 0 else -1.0

    def draw(scene: Scene, r: np.random.Generator, ahead: float) -> None:
        tall = float(r.uniform(4, 13))
        d = near + out * (float(r.gamma(1.5, 4.0)) + tall * 0.3)
        wide = tall * float(r.uniform(.7, 1))
        leafy(scene, int(r.integers(TREES)), ahead, d, wide, tall, 1.0, .2)
        small, d = float(r.uniform(0.6, 2.5)), near + out * float(r.uniform(0, 6))
        leafy(scene, TREES + int(r.integers(BUSHES)), ahead + 2, d, small * 1.6, small)
    place.every(rng, 6.0, draw, density, 2.0)


def _gantry(scene: Scene, rng: np.random.Generator, ahead: float, way: Carriageway,
            o: float) -> None:
    """Add a sign over or beside the road."""
    if rng.random() < 0.5:
        sign(scene, rng, ahead, way.width - o + 2.0, (float(rng.uniform(0.8, 3)),
                                                      float(rng.uniform(0.8, 2))), 2.0)
        return
    steel = material(0.25, SceneClass.STRUCTURE, 0.1, 'grime', 2.0)
    for d in (-o - 0.5, way.width - o + 0.6):
        block(scene, (-0.2, 0, -0.2), (0.2, 6.4, 0.2), steel, (ahead, d))
    block(scene, (-o - 0.5, 6.0, -0.2), (way.width - o + 0.6, 6.5, 0.2), steel, (ahead, 0.0), 0,
          3.0)
    for k in range(way.lanes):
        if rng.random() < 0.7:
            row = material(((0.02, 0.12, 0.4), (0.02, 0.22, 0.08))[int(rng.integers(2))],
                           SceneClass.SIGN, 0.1, 'print', 3.6, light=0.2 * scene.conditions.dark)
            block(scene, (-1.5, 5.4, -0.35), (1.5, 7.2, -0.3), row, (ahead, way.middle(k) - o))


def _overpass(scene: Scene, rng: np.random.Generator, ahead: float, way: Carriageway,
              o: float) -> None:
    """Add a bridge with another road over this one."""
    tone = float(rng.uniform(0.2, 0.5))
    row = material((tone, tone * 0.98, tone * 0.92), SceneClass.STRUCTURE, 0.0, 'concrete', 5.0)
    deep = float(rng.uniform(6, 14))
    block(scene, (-45, 5.3, 0), (45, 7.2, deep), row, (ahead, 0.0), 0, 4.0)
    for d in (way.width - o + 2.5, -o - max(way.median, 2.0) - way.far - 2.5):
        block(scene, (-1.0, 0, 0), (1.0, 5.3, deep), row, (ahead, d))
