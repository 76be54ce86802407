# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Motorways with dividers and shoulders, and the bridges and tunnels based on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.face_textures import BUSHES, TREES
from fcn_seg_ros.synthetic.world.ground import Ground
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.place import (
    PERIOD,
    Lane,
    Place,
    dashes,
    road_features,
    sample_bends,
    sample_crest,
)
from fcn_seg_ros.synthetic.world.roadside import (
    block,
    jersey,
    leafy,
    parapet,
    rail,
    sign,
)
from fcn_seg_ros.synthetic.world.scenes.shell import bore
from fcn_seg_ros.synthetic.world.section import Line, Section
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.surfaces import (
    Surface,
    asphalt,
    concrete,
    grass,
    gravel,
    kerb,
    lowland,
    tinted,
    water,
)


@dataclass(frozen=True)
class Carriageway:
    """
    The road of one direction, from its left edge (d = 0) to the right one, with its borders.

    Widths are in metres; ``far`` is the width of the other direction's road, 0 if there is none in
    view.
    """

    lanes: int
    lane: float
    left: float
    right: float
    median: float
    far: float

    @property
    def width(self) -> float:
        """Return the width of shoulders and lanes."""
        return self.left + self.lanes * self.lane + self.right

    def middle(self, k: int) -> float:
        """Return the d of the middle of lane k from the left."""
        return self.left + (k + 0.5) * self.lane

    @property
    def origin(self) -> float:
        """Return the d, from the left edge, of the road's centre line."""
        return self.left + self.lanes * self.lane / 2


def _carriageway(rng: np.random.Generator, divided: bool) -> Carriageway:
    lanes = int(rng.choice([2, 3, 4, 5], p=[0.4, 0.35, 0.18, 0.07]))
    lane = float(rng.uniform(3.2, 3.8))
    barrier = rng.random() < 0.55
    median = float(rng.uniform(0.7, 1.4)) if barrier else float(rng.uniform(3.0, 12.0))
    far = lanes * lane + float(rng.uniform(2.0, 4.0)) if divided else 0.0
    return Carriageway(lanes, lane, float(rng.uniform(0.4, 3.0)), float(rng.uniform(1.0, 3.6)),
                       median, far)


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


def _lines(rng: np.random.Generator, way: Carriageway) -> list[Line]:
    width = float(rng.uniform(0.1, 0.22))
    left = 'yellow' if rng.random() < 0.5 else 'white'
    lines = [Line(way.left, width, paint=left), Line(way.width - way.right, width)]
    lines += [Line(way.left + k * way.lane, width * 0.9, 'dash') for k in range(1, way.lanes)]
    if way.far:
        start = -way.median - way.far
        lines += [Line(start + 1.0, width), Line(-way.median - 0.8, width, paint=left)]
        lines += [Line(start + 1.2 + k * way.lane, width, 'dash') for k in range(1, way.lanes)]
    return lines


def _section(rng: np.random.Generator, way: Carriageway, surfaces: list[Surface],
             borders: list[float], ragged: float) -> Section:
    """Return the section, with d measured from the middle of the lanes."""
    o = way.origin
    lines = tuple(replace(line, d=line.d - o) for line in _lines(rng, way))
    return Section(tuple(surfaces), tuple(b - o for b in borders), lines, dashes(rng),
                   (ragged, ragged), float(rng.uniform(0, 0.9)))


def _place(rng: np.random.Generator, sky: Conditions, way: Carriageway, section: Section,
           sharpness: float = 0.25) -> Place:
    features = road_features(rng, way.width / 2, sky, 0.5)
    o = way.origin
    for k in range(way.lanes):
        if rng.random() < 0.1:
            features.arrow(float(rng.uniform(0, 100)), way.middle(k) - o, int(rng.integers(-1, 2)))
    ground = Ground(section, features.rip_map(), rng, crest=sample_crest(rng, 0.6))
    lanes = [Lane(way.middle(k) - o) for k in range(way.lanes)]
    own = int(rng.integers(way.lanes))
    if way.far:
        start = -way.median - way.far + 1.2 - o
        lanes += [Lane(start + (k + 0.5) * way.lane, True) for k in range(way.lanes)]
    return Place(sample_bends(rng, sharpness), ground, lanes, own,
                 str(rng.choice(['open', 'wooded', 'hills', 'city'])), float(rng.uniform(18, 30)),
                 traffic=(float(rng.choice([1.5, 5.0, 12.0])), 0.0, 0.25), lorries=0.25)


def highway(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a motorway or dual carriageway."""
    way = _carriageway(rng, divided=bool(rng.random() < 0.85))
    surfaces, borders, _ = _surfaces(rng, way)
    place = _place(rng, sky, way, _section(rng, way, surfaces, borders,
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


def bridge(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a bridge: a parapet, and far below it water or fields."""
    way = replace(_carriageway(rng, divided=False), left=float(rng.uniform(0.3, 1.5)),
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
    place = _place(rng, sky, way, _section(rng, way, surfaces, borders, 0.0), 0.08)
    if both_ways:
        half = way.lanes // 2
        place.lanes = [replace(lane, oncoming=k < half) for k, lane in enumerate(place.lanes)]
        place.own = int(rng.integers(half, way.lanes))
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


def tunnel(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a tunnel: the entrance, the exit, or a stretch with no end in sight."""
    way = replace(_carriageway(rng, divided=False), left=float(rng.uniform(0.2, 1.0)),
                  right=float(rng.uniform(0.2, 1.5)))
    road = asphalt(rng) if rng.random() < 0.7 else concrete(rng)
    walk = float(rng.uniform(0.4, 1.2))
    path = replace(kerb(rng), scene_class=SceneClass.PAVEMENT)
    outside = grass(rng)
    surfaces = [outside, path, road, path, outside]
    borders = [-walk, 0.0, way.width, way.width + walk]
    place = _place(rng, replace(sky, wet=sky.wet * 0.3), way,
                   _section(rng, way, surfaces, borders, 0.0), 0.15)
    if way.lanes % 2 == 0 and rng.random() < 0.5:
        half = way.lanes // 2
        place.lanes = [replace(lane, oncoming=k < half) for k, lane in enumerate(place.lanes)]
        place.own = int(rng.integers(half, way.lanes))
    place.ground.crest = 0.0
    bore(rng, place, (-walk - way.origin, way.width + walk - way.origin))
    return place
