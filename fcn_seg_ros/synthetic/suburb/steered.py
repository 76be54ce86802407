# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A rendered road on which the camera goes where it is steered, among vehicles on a timetable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.suburb.road import RoadView
from fcn_seg_ros.synthetic.suburb.style import Style
from fcn_seg_ros.synthetic.suburb.vehicles import Car, Parked
from fcn_seg_ros.synthetic.suburb.world import generator, world

_IN_VIEW = 120.0
_NEAR = 60.0
_SAMPLE = 0.25


@dataclass(frozen=True)
class Mover:
    """
    A vehicle that keeps to the middle of a lane.

    It stands at ``s`` metres until ``starts`` (seconds), then reaches ``speed`` (m/s, negative for
    oncoming traffic) within ``ramp`` seconds.
    """

    s: float
    oncoming: bool
    speed: float
    starts: float = 0.0
    ramp: float = 0.0

    def at(self, time: float) -> float:
        """Return where it is after ``time`` seconds, metres along the road."""
        driven = max(0.0, time - self.starts)
        ramp = min(driven, self.ramp)
        gained = 0.5 * ramp * ramp / self.ramp if self.ramp else 0.0
        return self.s + self.speed * (gained + driven - ramp)


@dataclass(frozen=True)
class Spot:
    """A point on the road, metres along it and right of its centre, and a direction off its own."""

    s: float
    d: float
    yaw: float


class SteeredDrive:
    """
    The world of a RenderedDrive, seen from wherever the camera is.

    The camera is as high above the ground as in that drive, and nods a little with the distance
    driven. Raises InputError for a negative seed.
    """

    def __init__(self, seed: int, camera: PinholeCamera, movers: Sequence[Mover] = ()) -> None:
        if seed < 0:
            raise InputError(f'steered drive: seed must not be negative, got {seed}')
        self.seed, self.camera = seed, camera
        self._world = world(seed)
        rng = generator(seed, 10)
        self._movers = [(mover, Car.random(rng)) for mover in movers]

    @property
    def style(self) -> Style:
        """Return the style of the road."""
        return self._world.style

    def view(self, spot: Spot) -> RoadView:
        """Return the road around a spot."""
        return self._world.view(spot.s, spot.d, spot.yaw)

    def moved(self, spot: Spot, ahead: float) -> Spot:
        """Return the spot ``ahead`` metres straight in front of another one."""
        view = self.view(spot)
        along, d = view.locate(*(np.full((1, 1), value, np.float32) for value in (0.0, ahead)))
        s = spot.s + float(along[0, 0])
        return Spot(s, float(d[0, 0]), view.azimuth - float(view.road.heading(s)))

    def curvature(self, s: float) -> float:
        """Return the curvature of the centre line in 1/m, positive to the right."""
        heading = self._world.view(s, 0.0, 0.0).road.heading(np.array([s - 0.5, s + 0.5]))
        return float(heading[1] - heading[0])

    def cars(self, s: float, time: float) -> list[Parked]:
        """Return the vehicles around ``s`` at a time: parked ones and those on the move."""
        style = self.style
        cars = self._world.parked(s)
        for mover, car in self._movers:
            gap = mover.at(time) - s
            if -_NEAR < gap < _IN_VIEW:
                lane = style.oncoming_lane if mover.oncoming else style.lane
                cars.append(Parked(car, gap, lane, mover.oncoming))
        return cars

    def plane(self, spot: Spot) -> GroundPlane:
        """Return the ground below a camera at a spot."""
        return self._world.pose(spot.s / self.style.speed)[1]

    def frame(self, spot: Spot, time: float, number: int) -> tuple[np.ndarray, np.ndarray]:
        """
        Return what a camera at ``spot`` sees: RGB image (H, W, 3) and true mask (H, W), uint8.

        ``number`` seeds the sensor's noise.
        """
        return self._world.render(self.camera, self.view(spot), self.plane(spot),
                                  self.cars(spot.s, time), generator(self.seed, 9, number))

    def to_edge(self, spot: Spot, outline: np.ndarray) -> float:
        """
        Return how far a vehicle's outline is inside the road's edges, in metres; < 0: over them.

        ``outline``, float (N, 2), holds its corners in metres, forward and right of ``spot``.
        """
        points = _along(outline)
        view = self.view(spot)
        ahead, d = view.locate(points[None, :, 1].astype(np.float32),
                               points[None, :, 0].astype(np.float32))
        left, right = view.outside(ahead, d)
        return float(-np.maximum(left, right).max())

    def to_vehicle(self, spot: Spot, outline: np.ndarray, time: float) -> float:
        """Return the distance to the nearest vehicle in metres: inf without one, 0 at contact."""
        view, nearest = self.view(spot), np.inf
        for parked in self.cars(spot.s, time):
            if abs(parked.ahead) > _NEAR / 2:
                continue
            x, z, turn = (float(value) for value in view.place(parked.ahead, parked.d))
            half, side = parked.car.length / 2, parked.car.width / 2
            corners = np.array([[-half, -side], [half, -side], [half, side], [-half, side]])
            s, c = np.sin(turn), np.cos(turn)
            other = np.stack([z + corners[:, 0] * c - corners[:, 1] * s,
                              x + corners[:, 0] * s + corners[:, 1] * c], axis=1)
            nearest = min(nearest, distance(outline, other))
        return float(nearest)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the distance of two convex polygons (N, 2), 0 where they touch or overlap."""
    if not any(_apart(p, q) for p, q in ((a, b), (b, a))):
        return 0.0
    return min(_to_sides(a, b), _to_sides(b, a))


def _apart(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether a side of ``a`` separates it from ``b``."""
    sides = np.roll(a, -1, axis=0) - a
    normals = np.stack([-sides[:, 1], sides[:, 0]], axis=1)
    own, other = normals @ a.T, normals @ b.T
    return bool(((own.max(axis=1) < other.min(axis=1))
                 | (own.min(axis=1) > other.max(axis=1))).any())


def _to_sides(points: np.ndarray, polygon: np.ndarray) -> float:
    """Return the least distance from points to the sides of a polygon."""
    side = np.roll(polygon, -1, axis=0) - polygon
    offset = points[:, None] - polygon[None]
    part = np.clip((offset * side).sum(axis=2) / (side ** 2).sum(axis=1), 0.0, 1.0)
    off = offset - part[..., None] * side[None]
    return float(np.sqrt((off ** 2).sum(axis=2)).min())


def _along(outline: np.ndarray) -> np.ndarray:
    """Return points along the sides of a polygon, at most 0.25 m apart."""
    parts = []
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        count = int(np.ceil(np.hypot(*(end - start)) / _SAMPLE)) + 1
        parts.append(start + np.linspace(0, 1, count)[:, None] * (end - start))
    return np.concatenate(parts)
