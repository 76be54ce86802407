# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Country roads, some of them unpaved, without kerbs and with grass and gravel at the edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.face_textures import BUSHES, TREES
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
from fcn_seg_ros.synthetic.world.roadside import (
    Wall,
    house,
    leafy,
    post,
    posts,
    rail,
    sign,
)
from fcn_seg_ros.synthetic.world.scenes.highway import woods
from fcn_seg_ros.synthetic.world.section import Line, Section
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.surfaces import Surface, asphalt, concrete, grass, gravel


def country(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a road through fields and woods."""
    kind = str(rng.choice(['lane', 'road', 'unpaved'], p=[0.3, 0.5, 0.2]))
    half = float({'lane': rng.uniform(1.7, 2.6), 'road': rng.uniform(2.7, 4.3),
                  'unpaved': rng.uniform(1.7, 3.2)}[kind])
    section = _section(rng, kind, half)
    junctions = _tracks(rng)
    track = section.surfaces[len(section.surfaces) // 2]
    side = gravel(rng, SceneClass.ROAD) if rng.random() < 0.5 else track
    crossing = Section((side,), (), ragged=section.ragged) if junctions else None
    ground = Ground(section, road_features(rng, half, sky, 2.0).rip_map(), rng, junctions, crossing,
                    (half, half), sample_crest(rng, 1.6))
    one_way = half < 2.7
    lanes = [Lane(0.1)] if one_way else [Lane(half / 2), Lane(-half / 2, True)]
    place = Place(sample_bends(rng, float(rng.uniform(0.3, 1.3))), ground, lanes, 0,
                  str(rng.choice(['open', 'wooded', 'hills'])), float(rng.uniform(8, 20)),
                  traffic=(float(rng.choice([0.3, 1.5, 3.0])), 0.5, 1.0), lorries=0.15,
                  walks=((half - 0.4, half + 1.2), (-half - 1.2, -half + 0.4)))
    _furniture(rng, place, half)
    return place


def _section(rng: np.random.Generator, kind: str, half: float) -> Section:
    road: Surface = asphalt(rng) if rng.random() < 0.85 else concrete(rng)
    if kind == 'unpaved':
        road = gravel(rng, SceneClass.ROAD)
    verge = grass(rng)
    edge = gravel(rng) if rng.random() < 0.6 else replace(grass(rng), colour=verge.colour)
    wide = [float(w) for w in rng.uniform(0.1, 1.8, 2)]
    surfaces = [verge, edge, road, edge, verge]
    borders = [-half - wide[0], -half, half, half + wide[1]]
    if kind == 'unpaved' and rng.random() < 0.5:
        # Grass between the wheels' tracks is still road.
        tuft = replace(grass(rng), scene_class=SceneClass.ROAD)
        surfaces = [verge, edge, road, tuft, road, edge, verge]
        borders = [borders[0], -half, -0.3, 0.3, half, borders[3]]
    rag = float(rng.uniform(0.05, 0.35)) * (1.5 if kind == 'unpaved' else 1.0)
    return Section(tuple(surfaces), tuple(borders), _lines(rng, kind, half), dashes(rng),
                   (rag, rag), float(rng.uniform(0.1, 1.0)))


def _lines(rng: np.random.Generator, kind: str, half: float) -> tuple[Line, ...]:
    if kind == 'unpaved' or rng.random() < 0.2:
        return ()
    width = float(rng.uniform(0.09, 0.16))
    lines = []
    if kind == 'road' and rng.random() < 0.85:
        paint = 'yellow' if rng.random() < 0.3 else 'white'
        style = str(rng.choice(['dash', 'solid', 'double']))
        if style == 'double':
            lines += [Line(d, width, 'solid', paint) for d in (-0.13, 0.13)]
        else:
            lines.append(Line(0.0, width, style, paint))
    if rng.random() < 0.5:
        inset = float(rng.uniform(0.1, 0.45))
        lines += [Line(half - inset, width), Line(inset - half, width)]
    return tuple(lines)


def _tracks(rng: np.random.Generator) -> tuple[Junction, ...]:
    """Return where farm tracks and side roads join, on one side or both."""
    out = []
    for _ in range(int(rng.poisson(1.5))):
        sides = (True, False) if rng.random() < 0.5 else (False, True)
        out.append(Junction(float(rng.uniform(20, 300)), float(rng.uniform(1.5, 3.5)),
                            float(rng.uniform(2, 6)),
                            (True, True) if rng.random() < 0.2 else sides))
    return tuple(out)


def _furniture(rng: np.random.Generator, place: Place, half: float) -> None:
    for side in (-1.0, 1.0):
        near = half + float(rng.uniform(1.5, 5.0))
        woods(rng, place, side * near, float(rng.choice([0.1, 0.4, 1.0])))
        kind = int(rng.integers(7))
        if kind == 0:
            _hedge(rng, place, side * (half + 1.8))
        elif kind == 1:
            _fence(rng, place, side * (half + float(rng.uniform(1.5, 4))))
        elif kind == 2:
            place.guard_rail(float(rng.uniform(0.25, 0.6)), side * (half + 0.7))
        elif kind == 3:
            tone = float(rng.uniform(0.12, 0.4))
            stones = Wall(((-.2, 0), (-.2, float(rng.uniform(.5, 1.6))), (.2, .9), (.2, 0)),
                          (tone, tone * .95, tone * .85), SceneClass.BARRIER, 'brick', 2.5)
            place.wall(stones, side * (half + 1.3))
    _poles(rng, place, half)
    if rng.random() < 0.5:
        place.every(rng, 60.0, lambda scene, r, ahead: house(
            scene, r, ahead, float(r.choice([-1, 1])) * (half + float(r.uniform(5, 16))),
            (float(r.uniform(7, 14)), float(r.uniform(6, 10))), float(r.uniform(3.5, 8))),
            0.5, 10.0)


def _hedge(rng: np.random.Generator, place: Place, d: float) -> None:
    tall = float(rng.uniform(1.0, 2.4))

    def draw(scene: Scene, r: np.random.Generator, ahead: float) -> None:
        leafy(scene, TREES + int(r.integers(BUSHES)), ahead, d + float(r.normal(0, .1)),
              tall * 2.2, tall * float(r.uniform(.8, 1.1)), 1.0, 0.15)
    for s in np.arange(0, PERIOD, 1.3):
        place.things.append((float(s), draw))


def _fence(rng: np.random.Generator, place: Place, d: float) -> None:
    tone = float(rng.uniform(0.05, 0.3))
    colour = (tone, tone * 0.85, tone * 0.7)
    place.runs.append(lambda scene, span: posts(scene, d, span, 2.5, 1.1, 0.06, colour,
                                                SceneClass.BARRIER))
    for low in (0.35, 0.8):
        place.wall(rail(low, low + 0.1, colour, 0.0), d)


def _poles(rng: np.random.Generator, place: Place, half: float) -> None:
    """Put up telegraph poles, delineators and signs."""
    side = float(rng.choice([-1, 1]))
    if rng.random() < 0.5:
        place.every(rng, 38.0, lambda scene, r, ahead: post(
            scene, ahead, side * (half + 3.0), 8.0, 0.12, (0.12, 0.09, 0.06), SceneClass.POLE))
    if rng.random() < 0.4:
        def pair(scene: Scene, r: np.random.Generator, ahead: float) -> None:
            for out in (-1.0, 1.0):
                post(scene, ahead, out * (half + 0.6), 1.0, 0.06, (0.7, 0.7, 0.7), SceneClass.POLE)
        place.every(rng, 25.0, pair)
    place.every(rng, 90.0, lambda scene, r, ahead: sign(
        scene, r, ahead, half + 1.2, (0.7, 0.7), 1.6), 0.6, 10.0)
