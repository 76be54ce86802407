# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""City streets: kerbs, pavements, parked cars, junctions and crossings between houses."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.face_textures import TREES
from fcn_seg_ros.synthetic.world.features import Features
from fcn_seg_ros.synthetic.world.ground import Ground, Junction
from fcn_seg_ros.synthetic.world.place import (
    PERIOD,
    Lane,
    Place,
    dashes,
    road_features,
    sample_bends,
    sample_crest,
)
from fcn_seg_ros.synthetic.world.roadside import house, leafy, post, sign
from fcn_seg_ros.synthetic.world.section import Line, Section
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.surfaces import (
    asphalt,
    cobbles,
    concrete,
    grass,
    gutter,
    kerb,
    paving,
)
from fcn_seg_ros.synthetic.world.vehicles import any_car, any_lorry
from fcn_seg_ros.synthetic.world.vehicles import place as put

_BAY = 2.1


class _Street:
    """The dimensions of a street: half width, lanes, pavements, parking."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.lane = float(rng.uniform(2.8, 3.5))
        self.count = int(rng.choice([1, 2, 3], p=[0.6, 0.32, 0.08]))
        self.parked = [bool(rng.random() < 0.55) for _ in range(2)]
        self.half = tuple(self.count * self.lane + (_BAY if parked else 0.2)
                          for parked in self.parked)
        self.walk = [float(rng.uniform(1.5, 5.0)) for _ in range(2)]
        self.front = [half + 0.3 + walk for half, walk in zip(self.half, self.walk, strict=True)]


def city(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a street in a city."""
    street = _Street(rng)
    junctions = _junctions(rng)
    road = cobbles(rng) if rng.random() < 0.12 else concrete(rng) if rng.random() < 0.1 else (
        asphalt(rng))
    walk, stone, shade = paving(rng), kerb(rng), gutter(rng)
    yard = grass(rng) if rng.random() < 0.3 else paving(rng)
    left, right = street.half
    section = Section(
        (yard, walk, stone, shade, road, shade, stone, walk, yard),
        (-street.front[0], -left - .3, -left - .06, -left, right, right + .06, right + .3,
         street.front[1]), _lines(rng, street), dashes(rng), wear=float(rng.uniform(0.1, 0.9)))
    crossing = Section((road,), ())
    features = _features(rng, street, sky, junctions)
    ground = Ground(section, features.rip_map(), rng, junctions, crossing, (left, right),
                    sample_crest(rng))
    lanes = [Lane((k + 0.5) * street.lane) for k in range(street.count)]
    lanes += [Lane(-lane.d, True) for lane in lanes]
    busy = float(rng.choice([0.5, 1.0, 2.0]))
    place = Place(sample_bends(rng, float(rng.uniform(0.05, 0.5))), ground, lanes,
                  int(rng.integers(street.count)), 'city', float(rng.uniform(4, 12)),
                  traffic=(4.0 * busy, 5.0 * busy, 2.5 * busy), lorries=0.12,
                  walks=((right + 0.5, street.front[1] - .2), (.2 - street.front[0], -left - 0.5)))
    _furniture(rng, place, street, junctions)
    return place


def _lines(rng: np.random.Generator, street: _Street) -> tuple[Line, ...]:
    width = float(rng.uniform(0.1, 0.16))
    if street.count == 1 and rng.random() < 0.35:
        return ()
    paint = 'yellow' if rng.random() < 0.3 else 'white'
    style = str(rng.choice(['dash', 'solid', 'double']))
    lines = [Line(d, width, 'solid', paint) for d in (-.13, .13)] if style == 'double' else [
        Line(0.0, width, style, paint)]
    for side in (-1, 1):
        lines += [Line(side * k * street.lane, width, 'dash') for k in range(1, street.count)]
        if street.parked[side > 0] and rng.random() < 0.5:
            lines.append(Line(side * street.count * street.lane, width))
    if rng.random() < 0.2:
        lines += [Line(side * (street.half[side > 0] - d), 0.08, 'solid', 'yellow')
                  for side in (-1, 1) for d in (0.2, 0.4)]
    return tuple(lines)


def _junctions(rng: np.random.Generator) -> tuple[Junction, ...]:
    out, s = [], float(rng.uniform(10, 60))
    while s < 600:
        sides = (True, True) if rng.random() < 0.6 else (
            (True, False) if rng.random() < 0.5 else (False, True))
        out.append(Junction(s, float(rng.uniform(2.8, 8.0)), float(rng.uniform(3, 7)), sides))
        s += float(rng.uniform(45, 130))
    return tuple(out)


def _features(rng: np.random.Generator, street: _Street, sky: Conditions,
              junctions: tuple[Junction, ...]) -> Features:
    left, right = street.half
    features = road_features(rng, min(left, right), sky, 2.0)
    if rng.random() < 0.7:
        before = junctions[0].s - junctions[0].half - junctions[0].corner
        at = (before - 4.5) % 115.2
        features.zebra(at, 0.3 - left, right - 0.3, bool(rng.random() < 0.25))
        features.stop_line(at - 1.6, 0.15, street.count * street.lane)
        for k in range(street.count):
            if rng.random() < 0.5:
                features.arrow((at - 14) % 100, (k + .5) * street.lane, int(rng.integers(-1, 2)))
    if rng.random() < 0.2:
        features.letters(float(rng.uniform(0, 100)), street.lane / 2,
                         str(rng.choice(['BUS', 'SLOW', 'STOP', 'TAXI', '30', '50', 'ONLY'])))
    return features


def _clear(junctions: tuple[Junction, ...], s: float, length: float, side: float) -> bool:
    """Return whether a stretch on a side (-1 left, 1 right) is clear of all junctions."""
    return all(abs((s + length / 2) - j.s) > j.half + j.corner + length / 2 + 0.5
               or not j.sides[side > 0] for j in junctions)


def _furniture(rng: np.random.Generator, place: Place, street: _Street,
               junctions: tuple[Junction, ...]) -> None:
    for side in (-1.0, 1.0):
        _houses(rng, place, side, street.front[side > 0], junctions)
        if street.parked[side > 0]:
            _parked(rng, place, side, street.half[side > 0], junctions)
        edge = street.half[side > 0] + 0.8
        if rng.random() < 0.6:
            place.street_lamps(rng, float(rng.uniform(18, 32)), side * edge,
                               float(rng.uniform(5, 9)), 1.6)
        if rng.random() < 0.5 and street.walk[side > 0] > 2.2:
            _avenue(rng, place, side * (edge + 0.2))
        if rng.random() < 0.5:
            _bollards(rng, place, side * (edge - .3))
    place.every(rng, 45.0, lambda scene, r, ahead: sign(
        scene, r, ahead, street.half[1] + 0.7, (0.6, 0.6), 2.1), 0.8, 10.0)


def _houses(rng: np.random.Generator, place: Place, side: float, front: float,
            junctions: tuple[Junction, ...]) -> None:
    """Build rows of houses, some detached, leaving side streets free."""
    s, tall = 0.0, float(rng.uniform(4, 18))
    apart = float(rng.choice([0.0, 0.0, 4.0]))
    while s < PERIOD - 5:
        along = float(rng.uniform(8, 22))
        if _clear(junctions, s, along, side) or rng.random() < 0.02:
            height = tall * float(rng.uniform(0.7, 1.5))

            def draw(scene: Scene, r: np.random.Generator, ahead: float, along: float = along,
                     height: float = height) -> None:
                d = side * (front + float(r.uniform(0, .4)))
                house(scene, r, ahead, d, (along, 9.0), height)
            place.things.append((s, draw))
            s += along
        else:
            s += 4.0
        s += float(rng.uniform(0, 2 * apart))


def _parked(rng: np.random.Generator, place: Place, side: float, half: float,
            junctions: tuple[Junction, ...]) -> None:
    full = float(rng.uniform(0.3, 0.95))
    for s in np.arange(0, PERIOD, 6.0).tolist():
        if rng.random() < full and _clear(junctions, s - 2, 5.0, side):
            def draw(scene: Scene, r: np.random.Generator, ahead: float) -> None:
                shape = any_lorry(r) if r.random() < 0.02 else any_car(r)
                if ahead > -2:
                    put(scene, r, shape, ahead, side * (half - 1.0) + float(r.normal(0, .06)),
                        0.0 if r.random() < 0.6 + 0.3 * side else np.pi, driving=False)
            place.things.append((float(s), draw))


def _bollards(rng: np.random.Generator, place: Place, d: float) -> None:
    tone = float(rng.uniform(0.03, 0.3))

    def draw(scene: Scene, r: np.random.Generator, ahead: float) -> None:
        if ahead < 50:
            post(scene, ahead, d, 0.9, 0.06, (tone, tone, tone), SceneClass.POLE)
    place.every(rng, 2.2, draw, 0.6)


def _avenue(rng: np.random.Generator, place: Place, d: float) -> None:
    def draw(scene: Scene, r: np.random.Generator, ahead: float) -> None:
        tall = float(r.uniform(4, 9))
        leafy(scene, int(r.integers(TREES)), ahead, d, tall * .75, tall)
    place.every(rng, float(rng.uniform(7, 16)), draw, 0.8, 0.5)
