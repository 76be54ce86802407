# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base of all kinds of scene: a road, lanes, and things at fixed places beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.features import Features
from fcn_seg_ros.synthetic.world.ground import Bends, Ground
from fcn_seg_ros.synthetic.world.roadside import Wall, guard_rail, lamp_post, wall
from fcn_seg_ros.synthetic.world.shade import Scene

#: The things beside the road repeat after this many metres.
PERIOD = 345.6
_AHEAD, _BEHIND = 170.0, 6.0

#: Draws something into a scene, ``ahead`` metres away; its random numbers are always the same.
Draw = Callable[[Scene, np.random.Generator, float], None]


@dataclass(frozen=True)
class Lane:
    """A lane: its centre, and whether its traffic comes towards the camera."""

    d: float
    oncoming: bool = False


@dataclass
class Place:
    """A road of some kind with its surroundings, fixed for a drive."""

    bends: Bends
    ground: Ground
    lanes: list[Lane]
    own: int
    backdrop: str
    speed: float
    things: list[tuple[float, Draw]] = field(default_factory=list)
    #: Functions that draw things along the whole road, from and to given metres ahead.
    runs: list[Callable[[Scene, tuple[float, float]], None]] = field(default_factory=list)
    #: Stretches under a roof, absolute (s, s).
    covered: list[tuple[float, float]] = field(default_factory=list)
    inside: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ceiling: float = 99.0
    #: The average number of vehicles, pedestrians and two-wheelers in a frame.
    traffic: tuple[float, float, float] = (5.0, 0.3, 0.5)
    lorries: float = 0.12
    #: The strips, as d, where people walk.
    walks: tuple[tuple[float, float], ...] = ()

    def every(self, rng: np.random.Generator, step: float, draw: Draw, chance: float = 1.0,
              jitter: float = 0.0) -> None:
        """Place a thing every ``step`` metres."""
        for s in np.arange(rng.uniform(0, step), PERIOD, step):
            if rng.random() < chance:
                self.things.append((float(s + rng.normal(0, jitter)) % PERIOD, draw))

    def wall(self, shape: Wall, d: float) -> None:
        """Build a wall along the whole road."""
        self.runs.append(lambda scene, span: wall(scene, shape, d, span))

    def guard_rail(self, tone: float, d: float) -> None:
        """Build a guard rail along the whole road."""
        self.runs.append(lambda scene, span: guard_rail(scene, tone, d, span))

    def street_lamps(self, rng: np.random.Generator, step: float, d: float, height: float,
                     reach: float) -> None:
        """Place street lamps along the whole road; they shine when lamps are on."""
        self.every(rng, step, lambda scene, r, ahead: lamp_post(
            scene, r, ahead, d, height, reach, scene.conditions.lamps))

    def furnish(self, scene: Scene, seed: int) -> None:
        """Draw everything in view that does not move."""
        span = (-_BEHIND, _AHEAD)
        for run in self.runs:
            run(scene, span)
        for k, (s, draw) in enumerate(self.things):
            ahead = (s - scene.view.s + _BEHIND) % PERIOD - _BEHIND
            if ahead < _AHEAD:
                draw(scene, np.random.default_rng([seed, k]), float(ahead))
        scene.covered += [(a - scene.view.s, b - scene.view.s) for a, b in self.covered]
        scene.inside = self.inside


def sample_bends(rng: np.random.Generator, sharpness: float) -> Bends:
    """Return a road whose bends have a ``sharpness`` (0.1 for a motorway, 1 for a lane)."""
    return Bends(tuple((float(rng.normal(0, a * sharpness)), float(rng.uniform(low, high)),
                        float(rng.uniform(0, 6.28)))
                       for a, low, high in ((0.14, 90, 160), (0.24, 180, 320), (0.3, 400, 900))))


def sample_crest(rng: np.random.Generator, strength: float = 1.0) -> float:
    """Return the vertical curvature of a road in 1/m, often none."""
    return 0.0 if rng.random() < 0.55 else float(rng.normal(0, 3e-4 * strength))


def road_features(rng: np.random.Generator, half: float, sky: Conditions,
                  worn: float = 1.0) -> Features:
    """Return the patches, manhole covers and puddles of a typical road."""
    features = Features()
    features.patches(rng, half, int(rng.poisson(7 * worn)))
    if rng.random() < 0.4:
        features.covers(rng, half, int(rng.integers(1, 8)))
    if sky.wet > 0:
        features.puddles(rng, float(rng.uniform(0.03, 0.35)) * sky.wet)
    return features


def dashes(rng: np.random.Generator) -> tuple[float, float]:
    """Return the length of a dash and of the gap after it."""
    return ((3.0, 9.0), (6.0, 12.0), (3.0, 6.0), (1.5, 3.0), (4.0, 8.0))[int(rng.integers(5))]
