# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The world of one rendered drive, generated once from its seed and then only viewed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.suburb.canvas import Canvas
from fcn_seg_ros.synthetic.suburb.features import STEP, ground_features
from fcn_seg_ros.synthetic.suburb.ground import GroundShader
from fcn_seg_ros.synthetic.suburb.lens import Lens
from fcn_seg_ros.synthetic.suburb.road import Road, RoadView
from fcn_seg_ros.synthetic.suburb.roadside import layout
from fcn_seg_ros.synthetic.suburb.shadows import sunlight
from fcn_seg_ros.synthetic.suburb.sky import Panorama
from fcn_seg_ros.synthetic.suburb.style import PERIOD, sample_style
from fcn_seg_ros.synthetic.suburb.vehicles import Car, Parked, draw_car, parked_cars

_BEHIND, _VIEW = 14.0, 135.0


def generator(seed: int, part: int, frame: int = 0) -> np.random.Generator:
    """Return a random generator for one part of a drive, independent of the other parts."""
    return np.random.default_rng([seed, part, frame])


class World:
    """A drive's road, the things beside it, and the camera's path."""

    def __init__(self, seed: int) -> None:
        self.style = sample_style(generator(seed, 0))
        self._road = Road(self.style)
        self._things = layout(self.style, generator(seed, 1))
        light = sunlight(self.style, self._things, generator(seed, 2))
        features = ground_features(self.style, generator(seed, 3), light)
        self.ground = GroundShader(self.style, features, STEP, generator(seed, 4))
        self._sky = Panorama(self.style, generator(seed, 5))
        self._lens = Lens(self.style, generator(seed, 6))
        self._parked = parked_cars(self.style, generator(seed, 7))
        rng = generator(seed, 8)
        self._traffic = [Car.random(rng) for _ in (*self.style.oncoming, *self.style.ahead)]
        self._sway = rng.uniform(0, 2 * np.pi, 6)

    def pose(self, time: float) -> tuple[RoadView, GroundPlane]:
        """Return where the camera is after ``time`` seconds: a steady drive with slow bounce."""
        style, sway = self.style, self._sway
        s = style.speed * (time + 0.4 * np.sin(0.35 * time + sway[0]))
        d = style.lane + 0.18 * np.sin(0.5 * time + sway[1])
        yaw = 0.012 * np.sin(0.43 * time + sway[2])
        pitch = 0.006 * np.sin(2.1 * time + sway[3]) + 0.006 * np.sin(0.7 * time + sway[4])
        roll = 0.008 * np.sin(0.9 * time + sway[5])
        plane = GroundPlane(style.camera_height + 0.02 * float(np.sin(2.3 * time + sway[4])),
                            float(pitch), float(roll))
        return RoadView(self._road, float(s), float(d), float(yaw)), plane

    def view(self, s: float, d: float, yaw: float) -> RoadView:
        """Return the road around a camera at ``s``, ``d`` that looks ``yaw`` rad off it."""
        return RoadView(self._road, s, d, yaw)

    def render(self, camera: PinholeCamera, view: RoadView, plane: GroundPlane,
               cars: list[Parked], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the image, uint8 (H, W, 3), and the road's mask, uint8 (H, W); see drive.py."""
        shape = (camera.height, camera.width)
        image, mask = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8)
        self._sky.render(view.azimuth, plane, camera, image)
        self.ground.render(view, plane, camera, image, mask)
        canvas = Canvas(image, mask, camera, plane, self.style.sky[0], self.style.haze_length)
        self._draw(canvas, view, cars)
        return self._lens.expose(image, view.s, rng), mask

    def _draw(self, canvas: Canvas, view: RoadView, cars: list[Parked]) -> None:
        """Draw everything upright from far to near."""
        style = self.style
        light = 0.62 + 0.38 * abs(float(np.sin(style.sun_azimuth))) if style.sunny else 0.85
        far: list[tuple[float, Callable[[], None]]] = []
        for thing in self._things:
            ahead = _ahead(thing.s, view.s, thing.along)
            if ahead < _VIEW:
                far.append((ahead + thing.along / 2,
                            partial(thing.draw, canvas, view, ahead, light)))
        for parked in cars:
            far.append((parked.ahead, partial(draw_car, canvas, view, parked, style)))
        for _, draw in sorted(far, key=lambda item: -item[0]):
            draw()

    def parked(self, s: float) -> list[Parked]:
        """Return the cars parked around ``s``, up to 90 m ahead."""
        return [Parked(car, ahead, d, d < 0) for at, d, car in self._parked
                if (ahead := _ahead(at, s, 0.0)) < 90.0]

    def cars(self, s: float, time: float) -> list[Parked]:
        """Return the cars in view: parked, oncoming and ahead."""
        style = self.style
        cars = self.parked(s)
        for phase, car in zip(style.oncoming, self._traffic, strict=False):
            gap = (phase * 260.0 - time * style.speed * 2.1) % 260.0 - 10.0
            if gap < 120:
                cars.append(Parked(car, gap, style.oncoming_lane, True))
        for k, (gap, car) in enumerate(zip(style.ahead, self._traffic[len(style.oncoming):],
                                           strict=True)):
            lead = gap + 3.0 * float(np.sin(0.3 * time + k)) + 9.0 * k
            cars.append(Parked(car, lead, style.lane, False))
        return cars


def _ahead(at: float, s: float, along: float) -> float:
    """Return how far ahead of ``s`` the periodic thing at ``at`` next appears."""
    return (at - s + _BEHIND + along) % PERIOD - _BEHIND - along


@lru_cache(maxsize=4)
def world(seed: int) -> World:
    """Return the world of a seed; the last few are cached."""
    return World(seed)
