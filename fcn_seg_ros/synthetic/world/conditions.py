# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Light and weather of a rendered world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.errors import InputError

CONDITIONS = ('sun', 'overcast', 'low_sun', 'dusk', 'night', 'rain', 'night_rain', 'fog')
_SHARES = (0.26, 0.16, 0.12, 0.08, 0.16, 0.08, 0.07, 0.07)

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Conditions:
    """
    Light and weather of a drive, in linear RGB where sunlit white at noon is about 1.

    ``sun_direction`` points to the sun (right, up, forward along the road); ``fog_length`` is the
    distance, metres, after which 1/e of the light is left; ``wet`` 0..1 covers the road with water.
    ``lamps`` says whether street lamps and headlights are on.
    """

    name: str
    sun_direction: Vector
    sun: Vector
    ambient: Vector
    sky_low: Vector
    sky_high: Vector
    clouds: float
    fog_length: float
    wet: float
    lamps: bool
    lamp_colour: Vector
    lit_windows: float

    @property
    def dark(self) -> bool:
        """Return whether most of the light comes from lamps."""
        return self.lamps and sum(self.ambient) < 0.2


def sample_conditions(rng: np.random.Generator, name: str = 'all') -> Conditions:
    """
    Return random conditions of the given name, or of any kind for ``all``.

    Raises InputError for another name.
    """
    if name == 'all':
        name = str(rng.choice(CONDITIONS, p=_SHARES))
    elif name not in CONDITIONS:
        raise InputError(f'rendered world: expected the condition all or one of '
                         f'{", ".join(CONDITIONS)}; found {name!r}')
    azimuth = float(rng.uniform(-np.pi, np.pi))
    height = float(rng.uniform(0.35, 1.25))
    if name == 'low_sun':
        azimuth = float(rng.normal(0.0, 0.35) + (np.pi if rng.random() < 0.2 else 0.0))
        height = float(rng.uniform(0.05, 0.3))
    direction = (float(np.cos(height) * np.sin(azimuth)), float(np.sin(height)),
                 float(np.cos(height) * np.cos(azimuth)))
    lamp = [(1.0, 0.62, 0.25), (1.0, 0.85, 0.62), (0.86, 0.95, 1.0)][int(rng.integers(3))]
    return _BY_NAME[name](rng, name, direction, lamp)


def _made(name: str, direction: Vector, lamp: Vector, sun: np.ndarray, ambient: np.ndarray,
          low: np.ndarray, high: np.ndarray, **values: float) -> Conditions:
    def vector(a: np.ndarray) -> Vector:
        r, g, b = (float(v) for v in np.broadcast_to(a, 3))
        return r, g, b

    settings = {'clouds': 0.3, 'fog_length': 2000.0, 'wet': 0.0, 'lamps': 0.0, 'lit_windows': 0.0}
    settings |= values
    return Conditions(name, direction, vector(sun), vector(ambient), vector(low), vector(high),
                      settings['clouds'], settings['fog_length'], settings['wet'],
                      bool(settings['lamps']), lamp, settings['lit_windows'])


def _sun(rng: np.random.Generator, name: str, direction: Vector, lamp: Vector) -> Conditions:
    warm = rng.uniform(0, 1)
    pale = rng.uniform(0, 1)
    sun = np.array([1.0, 0.96, 0.88]) * (1 - 0.12 * warm * np.arange(3)) * rng.uniform(0.7, 1)
    high = np.array([0.10, 0.25, 0.62]) * (1 - pale) + np.array([0.5, 0.62, 0.8]) * pale
    low = np.array([0.5, 0.66, 0.85]) * (1 - pale) + np.array([0.85, 0.88, 0.9]) * pale
    return _made(name, direction, lamp, sun, rng.uniform(0.16, 0.34) * np.array([0.85, 0.97, 1.15]),
                 low, high, clouds=rng.uniform(0, 0.7), fog_length=rng.uniform(500, 3000))


def _overcast(rng: np.random.Generator, name: str, direction: Vector, lamp: Vector) -> Conditions:
    tone = rng.uniform(0.35, 0.8)
    blue = np.array([0.95, 1.0, 1.06])
    return _made(name, direction, lamp, np.zeros(3), 0.75 * tone * blue, 1.15 * tone * blue,
                 tone * rng.uniform(0.7, 1.1) * blue, clouds=rng.uniform(0.4, 1),
                 fog_length=rng.uniform(300, 2000), wet=rng.choice([0.0, 0.0, 0.25]))


def _low_sun(rng: np.random.Generator, name: str, direction: Vector, lamp: Vector) -> Conditions:
    red = rng.uniform(0, 1)
    sun = np.array([1.0, 0.85 - 0.2 * red, 0.62 - 0.35 * red]) * 1.3
    low = np.array([1.1, 0.9 - 0.2 * red, 0.7 - 0.3 * red])
    return _made(name, direction, lamp, sun, np.array([0.13, 0.14, 0.18]), low,
                 np.array([0.25, 0.36, 0.6]), clouds=rng.uniform(0, 0.6),
                 fog_length=rng.uniform(200, 1200), wet=rng.choice([0.0, 0.0, 0.0, 0.5]))


def _dusk(rng: np.random.Generator, name: str, direction: Vector, lamp: Vector) -> Conditions:
    tone = rng.uniform(0.05, 0.16)
    glow = np.array([1.3, 0.9, 0.75]) if rng.random() < 0.5 else np.array([0.9, 1, 1.2])
    return _made(name, direction, lamp, np.zeros(3), tone * np.array([0.85, 0.95, 1.25]),
                 tone * 2.4 * glow, tone * np.array([0.7, 0.9, 1.5]), clouds=rng.uniform(0, 1),
                 lamps=1.0, lit_windows=rng.uniform(0.1, 0.5), fog_length=rng.uniform(300, 2000),
                 wet=rng.choice([0.0, 0.0, 0.6]))


def _night(rng: np.random.Generator, name: str, direction: Vector, lamp: Vector) -> Conditions:
    tone = float(np.exp(rng.uniform(np.log(0.0008), np.log(0.012))))
    sky = np.array(lamp) * 0.5 + np.array([0.25, 0.3, 0.45])
    return _made(name, direction, lamp, np.zeros(3), tone * sky, 0.45 * tone * sky,
                 0.15 * tone * sky,
                 clouds=0.0, lamps=1.0, lit_windows=rng.uniform(0.05, 0.5),
                 fog_length=rng.uniform(300, 2000),
                 wet=rng.uniform(0.5, 1.0) if name == 'night_rain' else 0.0)


def _rain(rng: np.random.Generator, name: str, direction: Vector, lamp: Vector) -> Conditions:
    tone = rng.uniform(0.2, 0.6)
    blue = np.array([0.95, 1.0, 1.05])
    return _made(name, direction, lamp, np.zeros(3), 0.75 * tone * blue, 1.1 * tone * blue,
                 0.9 * tone * blue, clouds=rng.uniform(0.1, 0.6), wet=rng.uniform(0.5, 1.0),
                 lamps=float(rng.random() < 0.5), lit_windows=0.1,
                 fog_length=rng.uniform(90, 500))


def _fog(rng: np.random.Generator, name: str, direction: Vector, lamp: Vector) -> Conditions:
    tone = rng.uniform(0.3, 0.9)
    grey = np.array([0.98, 1.0, 1.02])
    return _made(name, direction, lamp, np.zeros(3), 0.75 * tone * grey, tone * grey, tone * grey,
                 clouds=0.0, fog_length=float(np.exp(rng.uniform(np.log(18), np.log(120)))),
                 lamps=float(rng.random() < 0.5), wet=rng.choice([0.0, 0.3]))


_BY_NAME = {'sun': _sun, 'overcast': _overcast, 'low_sun': _low_sun, 'dusk': _dusk,
            'night': _night, 'rain': _rain, 'night_rain': _night, 'fog': _fog}
