# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Car parks: aisles between bays, in the open or inside a multi-storey garage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.face_textures import BUSHES, TREES
from fcn_seg_ros.synthetic.world.features import PAINT, Features
from fcn_seg_ros.synthetic.world.features import PERIOD as MARKS
from fcn_seg_ros.synthetic.world.ground import Bends, Ground
from fcn_seg_ros.synthetic.world.lights import Lamp
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.mesh import faces
from fcn_seg_ros.synthetic.world.place import Lane, Place, road_features
from fcn_seg_ros.synthetic.world.raster import SHELL
from fcn_seg_ros.synthetic.world.roadside import block, house, leafy
from fcn_seg_ros.synthetic.world.section import Section
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.surfaces import asphalt, concrete, grass, kerb, paving
from fcn_seg_ros.synthetic.world.vehicles import any_car
from fcn_seg_ros.synthetic.world.vehicles import place as put

_DEEP = 5.0


def car_park(rng: np.random.Generator, sky: Conditions) -> Place:
    """Return a car park."""
    half, bay = float(rng.uniform(2.6, 3.8)), float(rng.choice([2.4, 2.56, 2.88]))
    indoors = rng.random() < 0.5
    seed = int(rng.integers(1 << 30))
    build = concrete if indoors or rng.random() < 0.3 else asphalt
    floor = build(np.random.default_rng(seed))
    bays = build(np.random.default_rng(seed), SceneClass.PARKING)
    beyond = kerb(rng)
    back = floor if indoors else grass(rng) if rng.random() < 0.5 else paving(rng)
    edge = half + _DEEP
    section = Section((back, beyond, bays, floor, bays, beyond, back),
                      (-edge - .3, -edge, -half, half, edge, edge + .3))
    features = _marked(rng, half, bay, sky if not indoors else None)
    ground = Ground(section, features.rip_map(), rng)
    place = Place(Bends(()), ground, [Lane(half * 0.4), Lane(-half * 0.4, True)], 0, 'city',
                  float(rng.uniform(1.5, 4)), traffic=(0.7, 1.2, 0.2), lorries=0.0,
                  walks=((-half, half), (half, half + 1.0)))
    _cars(rng, place, half, bay)
    if indoors:
        _garage(rng, place, half, edge, bay)
    else:
        _outdoors(rng, place, edge)
    return place


def _marked(rng: np.random.Generator, half: float, bay: float,
            sky: Conditions | None) -> Features:
    """Return the floor's markings: lines between bays, arrows in the aisle."""
    features = Features()
    if sky is not None:
        features = road_features(rng, half, sky)
    for s in np.arange(0, MARKS - 0.2, bay).tolist():
        for side in (-1, 1):
            a, b = sorted((side * half, side * (half + _DEEP)))
            features.rectangle(PAINT, (s, s + 0.12), (a, b), 220)
    for at in (20.0, 70.0):
        if rng.random() < 0.7:
            features.arrow(at, half * 0.4, int(rng.integers(-1, 2)))
    return features


def _cars(rng: np.random.Generator, place: Place, half: float, bay: float) -> None:
    full = float(rng.uniform(0.4, 0.95))
    for s in np.arange(bay / 2, 3 * MARKS - 0.1, bay).tolist():
        for side in (-1.0, 1.0):
            if rng.random() < full:
                backed = bool(rng.random() < 0.4)

                def draw(scene: Scene, r: np.random.Generator, ahead: float, side: float = side,
                         backed: bool = backed) -> None:
                    if -3 < ahead < 70:
                        turn = side * np.pi / 2 * (-1 if backed else 1)
                        d = half + 2.6 + float(r.normal(0, .1))
                        put(scene, r, any_car(r), ahead, side * d,
                            turn + float(r.normal(0, .03)), driving=False)
                place.things.append((float(s) % (3 * MARKS), draw))


def _garage(rng: np.random.Generator, place: Place, half: float, edge: float, bay: float) -> None:
    """Add a ceiling on columns over everything, with lamps and back walls."""
    height = float(rng.uniform(2.3, 3.2))
    place.ceiling = height
    place.covered.append((-1e4, 1e4))
    lamp = np.array([(1.0, 0.92, 0.8), (0.9, 1.0, 0.98)][int(rng.integers(2))])
    bright = float(np.exp(rng.uniform(np.log(0.04), np.log(0.4))))
    red, green, blue = (lamp * bright).tolist()
    place.inside = (red, green, blue)
    tone = float(rng.uniform(0.3, 0.8))
    rows = np.stack([material((tone, tone, tone * .95), SceneClass.STRUCTURE, 0.0, 'concrete', 4.0),
                     material(tone * .7, SceneClass.STRUCTURE, 0.0, 'concrete', 3.0)])
    place.runs.append(lambda scene, span: _room(scene, rows, edge + 0.3, height))
    bright_row = material(0.5, SceneClass.STRUCTURE, light=lamp * 6 * min(1.0, 5 * bright))
    stripe = np.clip(rng.uniform(0.05, 0.7, 3), 0, 1)

    def draw(scene: Scene, r: np.random.Generator, ahead: float) -> None:
        for side in (-1.0, 1.0):
            at = (ahead, side * (half + 0.9))
            block(scene, (-.25, 0, -.25), (.25, height, .25), rows[0], at, 0, 9.0)
            block(scene, (-.26, 0, -.26), (.26, 1.1, .26),
                  material(stripe, SceneClass.STRUCTURE, 0.05), at, 0, 9.0)
        block(scene, (-.1, height - .12, 1), (.1, height - .04, 2.4), bright_row, (ahead, 0.0), 0,
              9.0)
        if -6 < ahead < 40:
            x, z, _ = (float(v) for v in scene.view.place(ahead + 1.7, 0.0))
            scene.lamps.append(Lamp((x, height - .1, z), (red * 4, green * 4, blue * 4)))
    place.every(rng, 3 * bay, draw)


def _room(scene: Scene, rows: np.ndarray, edge: float, height: float) -> None:
    at = np.arange(-6.0, 120.0, 4.0)
    quads, kinds = [], []
    for a, b in pairwise(at.tolist()):
        for d0, d1 in ((-edge, 0.0), (0.0, edge)):
            quads.append([(d0, height, a), (d1, height, a), (d1, height, b), (d0, height, b)])
            kinds.append(0)
        quads.append([(-edge, 0, a), (-edge, height, a), (-edge, height, b), (-edge, 0, b)])
        quads.append([(edge, 0, b), (edge, height, b), (edge, height, a), (edge, 0, a)])
        kinds += [1, 1]
    corners = np.array(quads, np.float32)
    corners[..., 0] -= scene.view.d
    mesh = faces(corners, np.array(kinds))
    mesh.normal[np.array(kinds) == 0, :, 3] = (0, -1, 0)
    walls = np.array(kinds) == 1
    mesh.normal[walls, :, 3] = np.stack([-np.sign(corners[walls, 0, 0] + scene.view.d),
                                         np.zeros(walls.sum()), np.zeros(walls.sum())], axis=1)
    scene.things.add(mesh, rows, layer=SHELL)


def _outdoors(rng: np.random.Generator, place: Place, edge: float) -> None:
    for side in (-1.0, 1.0):
        def green(scene: Scene, r: np.random.Generator, ahead: float, side: float = side) -> None:
            tall = float(r.uniform(3, 8))
            leafy(scene, int(r.integers(TREES)), ahead, side * (edge + 1.2), tall * .8, tall)
            leafy(scene, TREES + int(r.integers(BUSHES)), ahead + 3, side * (edge + 1), 2.0, 1.1)
        if rng.random() < 0.7:
            place.every(rng, 9.0, green, 0.7, 1.0)

        def shop(scene: Scene, r: np.random.Generator, ahead: float, side: float = side) -> None:
            house(scene, r, ahead, side * (edge + float(r.uniform(3, 14))),
                  (float(r.uniform(15, 34)), 12.0), float(r.uniform(4, 12)))
        if rng.random() < 0.6:
            place.every(rng, 40.0, shop, 0.8)
    place.street_lamps(rng, 25.0, edge + 0.8, 6.0, 2.0)
