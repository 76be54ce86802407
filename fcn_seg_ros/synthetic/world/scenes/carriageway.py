# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A carriageway: its lanes, its cross-section, and a place with such a road."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fcn_seg_ros.synthetic.world.conditions import Conditions
from fcn_seg_ros.synthetic.world.ground import Ground
from fcn_seg_ros.synthetic.world.place import (
    Lane,
    Place,
    dashes,
    road_features,
    sample_bends,
    sample_crest,
)
from fcn_seg_ros.synthetic.world.section import Line, Section
from fcn_seg_ros.synthetic.world.surfaces import Surface


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


def sample_carriageway(rng: np.random.Generator, divided: bool) -> Carriageway:
    """Return a random carriageway, ``divided`` from the one of the other direction or alone."""
    lanes = int(rng.choice([2, 3, 4, 5], p=[0.4, 0.35, 0.18, 0.07]))
    lane = float(rng.uniform(3.2, 3.8))
    barrier = rng.random() < 0.55
    median = float(rng.uniform(0.7, 1.4)) if barrier else float(rng.uniform(3.0, 12.0))
    far = lanes * lane + float(rng.uniform(2.0, 4.0)) if divided else 0.0
    return Carriageway(lanes, lane, float(rng.uniform(0.4, 3.0)), float(rng.uniform(1.0, 3.6)),
                       median, far)


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


def make_section(rng: np.random.Generator, way: Carriageway, surfaces: list[Surface],
                 borders: list[float], ragged: float) -> Section:
    """Return the section, with d measured from the middle of the lanes."""
    o = way.origin
    lines = tuple(replace(line, d=line.d - o) for line in _lines(rng, way))
    return Section(tuple(surfaces), tuple(b - o for b in borders), lines, dashes(rng),
                   (ragged, ragged), float(rng.uniform(0, 0.9)))


def make_place(rng: np.random.Generator, sky: Conditions, way: Carriageway, section: Section,
               sharpness: float = 0.25) -> Place:
    """Return a place whose road is a carriageway with this cross-section."""
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


def carry_both_ways(rng: np.random.Generator, place: Place, way: Carriageway) -> None:
    """Give the left half of the lanes to the oncoming traffic."""
    half = way.lanes // 2
    place.lanes = [replace(lane, oncoming=k < half) for k, lane in enumerate(place.lanes)]
    place.own = int(rng.integers(half, way.lanes))
