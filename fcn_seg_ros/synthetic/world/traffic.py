# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Other road users in a frame."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.synthetic.world.people import person
from fcn_seg_ros.synthetic.world.place import Lane, Place
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.vehicles import any_car, any_lorry, cut_off
from fcn_seg_ros.synthetic.world.vehicles import place as put

#: How often a nearby vehicle is cut off by the image's edge.
CUT_OFF = 0.3


def populate(scene: Scene, place: Place, rng: np.random.Generator, height: float,
             half_view: float) -> None:
    """Put vehicles, riders and pedestrians on the road without overlaps."""
    taken: list[tuple[float, float, float]] = []
    if rng.random() < CUT_OFF:
        lanes = [(lane.d, lane.oncoming) for lane in place.lanes]
        cut_off(scene, rng, half_view, lanes)
        taken += [(d, -2.0, 16.0) for d, _ in lanes]
    for _ in range(int(rng.poisson(place.traffic[0]))):
        _vehicle(scene, place, rng, taken)
    for _ in range(int(rng.poisson(place.traffic[2]))):
        _rider(scene, place, rng, height, taken)
    for _ in range(int(rng.poisson(place.traffic[1]))):
        _walker(scene, place, rng, height, taken)


def _free(taken: list[tuple[float, float, float]], d: float, start: float, end: float) -> bool:
    """Return whether a stretch of a lane is free, and occupy it if so."""
    if any(abs(d - at) < 1.6 and start < high and low < end for at, low, high in taken):
        return False
    taken.append((d, start, end))
    return True


def _vehicle(scene: Scene, place: Place, rng: np.random.Generator,
             taken: list[tuple[float, float, float]]) -> None:
    lane = place.lanes[int(rng.integers(len(place.lanes)))]
    lorry = rng.random() < place.lorries and place.ceiling > 5
    shape = any_lorry(rng) if lorry else any_car(rng)
    if shape.height > place.ceiling:
        return
    own = abs(lane.d - scene.view.d) < 1.7
    nearest = shape.length / 2 + (3.5 if own else -1.0)
    ahead = nearest + float(rng.gamma(1.3, 22.0))
    if ahead > 150 or not _free(taken, lane.d, ahead - shape.length / 2 - 1,
                                ahead + shape.length / 2 + 1):
        return
    d = lane.d + float(rng.normal(0, 0.2))
    put(scene, rng, shape, ahead, d, (np.pi if lane.oncoming else 0.0) + float(rng.normal(0, .02)))


def _rider(scene: Scene, place: Place, rng: np.random.Generator, height: float,
           taken: list[tuple[float, float, float]]) -> None:
    """Put a cyclist or a motorcyclist on a lane, to one side of it."""
    lane: Lane = place.lanes[int(rng.integers(len(place.lanes)))]
    kind = 'cyclist' if rng.random() < 0.55 and place.speed < 18 else 'motorcyclist'
    ahead = 2.5 + float(rng.gamma(1.4, 9.0))
    d = lane.d + float(rng.uniform(-1.3, 1.3))
    if abs(d - scene.view.d) < 0.8:
        ahead += 3.0
    if ahead < 70 and _free(taken, d, ahead - 1.2, ahead + 1.2):
        person(scene, rng, kind, height, ahead, d,
               (np.pi if lane.oncoming else 0.0) + float(rng.normal(0, 0.08)))


def _walker(scene: Scene, place: Place, rng: np.random.Generator, height: float,
            taken: list[tuple[float, float, float]]) -> None:
    """Put a pedestrian on a pavement, or crossing the road."""
    ahead = 3.0 + float(rng.gamma(1.6, 9.0))
    if rng.random() < 0.22 or not place.walks:
        lanes = [lane.d for lane in place.lanes]
        d = float(rng.uniform(min(lanes) - 1, max(lanes) + 1))
        turn = float(rng.choice([-1.57, 1.57]))
        ahead += 2.0
    else:
        strip = place.walks[int(rng.integers(len(place.walks)))]
        d, turn = float(rng.uniform(*strip)), float(rng.choice([0.0, np.pi]))
    if ahead < 60 and _free(taken, d, ahead - 0.4, ahead + 0.4):
        person(scene, rng, 'pedestrian', height, ahead, d, turn + float(rng.normal(0, 0.3)))
