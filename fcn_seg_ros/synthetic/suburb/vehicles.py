# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cars on a rendered road: a body, a cabin, wheels, windows and lights, flat shaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.synthetic.suburb.canvas import Canvas
from fcn_seg_ros.synthetic.suburb.road import RoadView
from fcn_seg_ros.synthetic.suburb.style import PERIOD, Colour, Style

_PAINTS: tuple[Colour, ...] = (
    (26, 27, 30), (38, 40, 46), (150, 153, 156), (182, 184, 186), (226, 227, 226), (96, 99, 104),
    (36, 52, 98), (128, 24, 26), (170, 36, 30), (48, 66, 58), (196, 172, 40), (112, 98, 78))
_GLASS = np.array([34.0, 40.0, 46.0])


@dataclass(frozen=True)
class Car:
    """A car's shape in metres, its paint, and where along it the roof begins and ends."""

    length: float
    width: float
    height: float
    paint: Colour
    waist: float
    cabin: tuple[float, float, float, float]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Car:
        """Return a hatchback, saloon, estate or van."""
        paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
        kind = int(rng.choice(4, p=[0.35, 0.3, 0.2, 0.15]))
        length = float((3.9, 4.5, 4.6, 5.0)[kind] * rng.uniform(0.95, 1.05))
        height = float((1.48, 1.42, 1.48, 2.05)[kind] * rng.uniform(0.97, 1.04))
        half = length / 2
        rear = (0.05, 0.75, 0.05, 0.0)[kind]
        nose = (1.0, 1.2, 1.2, 0.55)[kind]
        cabin = (-half + rear, -half + rear + (0.35, 0.6, 0.4, 0.05)[kind],
                 half - nose - (0.85, 0.8, 0.8, 0.6)[kind], half - nose)
        width = float((1.70, 1.78, 1.78, 1.92)[kind])
        return cls(length, width, height, paint, (0.92, 0.92, 0.92, 1.1)[kind], cabin)


@dataclass(frozen=True)
class Parked:
    """A car and where it stands or drives."""

    car: Car
    ahead: float
    d: float
    backwards: bool


def parked_cars(style: Style, rng: np.random.Generator) -> list[tuple[float, float, Car]]:
    """Return (s, d, car) of the cars parked along one period of the road."""
    out = []
    for sign, side, width in ((-1, style.sides[0], style.left_width),
                              (1, style.sides[1], style.right_width)):
        if not side.parked:
            continue
        s = float(rng.uniform(0, 12))
        while s < PERIOD - 6:
            if rng.random() < 0.75 and not _near_mouth(s, sign, style):
                car = Car.random(rng)
                gap = rng.uniform(0.15, 0.35) - style.width_wave
                out.append((s, sign * (width - gap - car.width / 2), car))
            s += float(rng.choice([rng.uniform(5.4, 7), rng.uniform(8, 30)]))
    return out


def _near_mouth(s: float, sign: int, style: Style) -> bool:
    return any(side == sign and abs((s - where + PERIOD / 2) % PERIOD - PERIOD / 2) < half + 7
               for where, half, side in style.openings)


def draw_car(canvas: Canvas, view: RoadView, parked: Parked, style: Style) -> None:
    """Draw a car with its shadow."""
    x, z, turn = (float(v) for v in view.place(parked.ahead, parked.d))
    if z < -2.0:
        return
    sun = style.sun_azimuth + turn
    forward = turn + (np.pi if parked.backwards else 0.0)
    _Painter(canvas, parked.car, x, z, forward, sun, style.sunny).draw()


class _Painter:
    """Draws one car: local coordinates are metres along it, to its right, and up."""

    def __init__(self, canvas: Canvas, car: Car, x: float, z: float, heading: float, sun: float,
                 sunny: bool) -> None:
        self._canvas, self._car = canvas, car
        self._along = np.array([np.sin(heading), 0.0, np.cos(heading)])
        self._right = np.array([np.cos(heading), 0.0, -np.sin(heading)])
        self._at = np.array([x, 0.0, z])
        # The shadow falls towards ``sun``; the light comes from the opposite side.
        self._light = -np.array([np.sin(sun), 0.0, np.cos(sun)]) * (0.3 if sunny else 0.08)
        self._throw = np.array([np.sin(sun), 0.0, np.cos(sun)]) * (0.9 if sunny else 0.0)
        self._eye = np.array([0.0, 1.65, 0.0])

    def _points(self, local: list[tuple[float, float, float]]) -> np.ndarray:
        a, r, up = np.array(local).T
        return (self._at + a[:, None] * self._along + r[:, None] * self._right
                + up[:, None] * np.array([0.0, 1.0, 0.0]))

    def _face(self, local: list[tuple[float, float, float]], colour: np.ndarray | Colour,
              gloss: float = 1.0) -> bool:
        """Draw a face if its outside (corners clockwise) is visible; return whether it is."""
        points = self._points(local)
        normal = _outwards(points)
        size = float(np.sqrt(normal @ normal))
        if size < 1e-9 or float(normal @ (self._eye - points[0])) <= 0:
            return False
        normal = normal / size
        shade = 0.72 + float(normal @ self._light) + 0.38 * max(float(normal[1]), 0.0)
        paint = np.asarray(colour, float)
        shown = paint * shade + gloss * 30 * max(float(normal[1]), 0.0)
        self._canvas.polygon(points, shown)
        return True

    def draw(self) -> None:
        car = self._car
        half, side = car.length / 2, car.width / 2
        ground = self._points([(-half, -side, 0), (half, -side, 0), (half, side, 0),
                               (-half, side, 0)])
        if np.any(self._throw):
            for reach in (0.5, 1.0):
                self._canvas.darken(ground + self._throw * reach * 0.5 * car.height, 0.72, 0.25)
        self._canvas.darken(ground, 0.3, 0.22)
        self._box(-half + 0.1, half - 0.1, side - 0.06, 0.02, 0.45, np.array([17.0, 17.0, 19.0]))
        self._body(half, side)
        self._cabin(side)

    def _box(self, rear: float, front: float, side: float, low: float, high: float,
             colour: np.ndarray) -> None:
        for face in _cuboid((rear, front), (-side, side), (low, high)):
            self._face(face, colour, 0.0)

    def _body(self, half: float, side: float) -> None:
        """Draw the lower body, in two tiers so that its flanks are rounded, and the wheels."""
        car = self._car
        paint = np.array(car.paint)
        low, mid, top = 0.24, 0.62, car.waist
        hood = car.cabin[3]
        for face in _cuboid((-half, half), (-side, side), (low, mid)):
            self._face(face, paint * 0.8)
        nose = top - 0.16
        upper = side - 0.05
        left = [(-half, -upper, mid), (-half + 0.06, -upper, top), (hood, -upper, top),
                (half - 0.08, -upper, nose), (half, -upper, mid)]
        self._face(left, paint * 1.05)
        self._face([(a, -r, u) for a, r, u in left[::-1]], paint * 1.05)
        tail = -half + 0.06, top
        bow = half - 0.08, nose
        for (low_a, low_u), (high_a, high_u) in (((-half, mid), tail), (bow, (half, mid)),
                                                 ((hood, top), bow), (tail, (hood, top))):
            self._face([(low_a, -upper, low_u), (low_a, upper, low_u),
                        (high_a, upper, high_u), (high_a, -upper, high_u)], paint)
        self._ends(half, side)
        self._wheels(half, side)

    def _ends(self, half: float, side: float) -> None:
        """Draw the lights, the number plate and the bumpers' shade."""
        for right in (-1, 1):
            inner, outer = right * side * 0.62, right * side * 0.97
            low, high = min(inner, outer), max(inner, outer)
            self._face(_panel(-half - 0.01, low, high, 0.64, 0.86, False), (150, 20, 18), 0)
            self._face(_panel(half + 0.01, low, high, 0.58, 0.74, True), (226, 228, 224), 0)
        self._face(_panel(-half - 0.01, -0.26, 0.26, 0.52, 0.63, False), (228, 228, 220), 0)
        self._face(_panel(half + 0.01, -0.26, 0.26, 0.36, 0.46, True), (228, 228, 220), 0)
        self._face(_panel(half + 0.01, -0.5 * side, 0.5 * side, 0.52, 0.66, True), (24, 24, 26), 0)
        self._face(_panel(-half - 0.01, -side, side, 0.24, 0.36, False), (34, 34, 36), 0)
        self._face(_panel(half + 0.01, -side, side, 0.24, 0.34, True), (30, 30, 32), 0)

    def _wheels(self, half: float, side: float) -> None:
        turn = np.arange(0, 2 * np.pi, np.pi / 8)
        for right in (-1.0, 1.0):
            order = turn if right > 0 else turn[::-1]
            for axle in (-half + 0.78, half - 0.82):
                for radius, colour in ((0.36, (14, 14, 15)), (0.31, (22, 22, 23)),
                                       (0.2, (112, 114, 116)), (0.06, (40, 40, 42))):
                    ring = [(axle + radius * float(np.cos(t)), right * (side + 0.005),
                             0.31 + radius * float(np.sin(t))) for t in order]
                    if not self._face(ring, colour, 0.0):
                        break

    def _cabin(self, side: float) -> None:
        car = self._car
        paint = np.array(car.paint)
        base, roof = side - 0.07, side - 0.24
        rear, rear_top, front_top, front = car.cabin
        low, high = car.waist, car.height
        corners = {(end, right, up): (a, right * r, u)
                   for up, r, u, ends in ((0, base, low, (rear, front)),
                                          (1, roof, high, (rear_top, front_top)))
                   for end, a in enumerate(ends) for right in (-1, 1)}
        quads = (
            [corners[0, 1, 0], corners[1, 1, 0], corners[1, 1, 1], corners[0, 1, 1]],
            [corners[1, -1, 0], corners[0, -1, 0], corners[0, -1, 1], corners[1, -1, 1]],
            [corners[0, -1, 0], corners[0, 1, 0], corners[0, 1, 1], corners[0, -1, 1]],
            [corners[1, 1, 0], corners[1, -1, 0], corners[1, -1, 1], corners[1, 1, 1]])
        for k, quad in enumerate(quads):
            if self._face(quad, paint):
                self._pane(quad, k < 2)
        self._face([corners[0, 1, 1], corners[1, 1, 1], corners[1, -1, 1], corners[0, -1, 1]],
                   paint, 1.6)

    def _pane(self, quad: list[tuple[float, float, float]], flank: bool) -> None:
        """Draw the glass in a face of the cabin; the flanks have a pillar in the middle."""
        points = np.array(quad)

        def at(u: float, v: float) -> tuple[float, float, float]:
            low = points[0] + (points[1] - points[0]) * u
            high = points[3] + (points[2] - points[3]) * u
            a, r, up = (low + (high - low) * v).tolist()
            return a, r, up

        for left, right in (((0.06, 0.5), (0.54, 0.94)) if flank else ((0.06, 0.94),)):
            for v, part, glass in ((0.08, 0.9, 1.0), (0.5, 0.9, 1.5)):
                self._face([at(left, v), at(right, v), at(right, part), at(left, part)],
                           _GLASS * glass, 0.0)


def _outwards(points: np.ndarray) -> np.ndarray:
    """Return the normal (any length) of a polygon's first three corners, counted clockwise."""
    (ax, ay, az), (bx, by, bz) = (points[1] - points[0]).tolist(), (points[2] - points[0]).tolist()
    # The axes right, up, forward are left-handed: this is the cross product of b and a.
    return np.array([by * az - bz * ay, bz * ax - bx * az, bx * ay - by * ax])


def _panel(a: float, low: float, high: float, down: float, up: float,
           front: bool) -> list[tuple[float, float, float]]:
    """Return a rectangle across the car at its rear or front."""
    face = [(a, low, down), (a, high, down), (a, high, up), (a, low, up)]
    return face[::-1] if front else face


def _cuboid(a: tuple[float, float], r: tuple[float, float],
            u: tuple[float, float]) -> list[list[tuple[float, float, float]]]:
    """Return the flanks, ends and top of a box."""
    return [
        [(a[0], r[1], u[0]), (a[1], r[1], u[0]), (a[1], r[1], u[1]), (a[0], r[1], u[1])],
        [(a[1], r[0], u[0]), (a[0], r[0], u[0]), (a[0], r[0], u[1]), (a[1], r[0], u[1])],
        _panel(a[0], r[0], r[1], u[0], u[1], False), _panel(a[1], r[0], r[1], u[0], u[1], True),
        [(a[0], r[1], u[1]), (a[1], r[1], u[1]), (a[1], r[0], u[1]), (a[0], r[0], u[1])]]
