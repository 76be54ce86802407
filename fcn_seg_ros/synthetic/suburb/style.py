# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The properties in which rendered drives differ, sampled from their seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

#: Roadside, road texture and side roads repeat after this many metres.
PERIOD = 153.6

#: How often cars are parked along a side, by kind of drive.
_PARKED = {'rural': 0.0, 'avenue': 0.2, 'suburb': 0.6, 'urban': 0.6}

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Side:
    """One roadside: widths in metres from the road's edge outwards, colours in RGB 0..255."""

    kind: str
    kerb: float
    pavement: float
    kerb_colour: Colour
    pavement_colour: Colour
    verge_colour: Colour
    edge_line: float
    parked: bool


@dataclass(frozen=True)
class Style:
    """Everything that is fixed during one drive. Lengths in metres, angles in rad, RGB 0..255."""

    bends: tuple[tuple[float, float, float], ...]
    left_width: float
    right_width: float
    width_wave: float
    width_phase: float
    openings: tuple[tuple[float, float, int], ...]
    lane_lines: tuple[tuple[float, bool], ...]
    dash: tuple[float, float]
    line_width: float
    line_wear: float
    zebra: float | None
    sides: tuple[Side, Side]
    asphalt: Colour
    asphalt_age: float
    sunny: bool
    sun_azimuth: float
    sun_height: float
    shade: float
    canopy: float
    sky: tuple[Colour, Colour]
    clouds: float
    foliage: Colour
    haze_length: float
    speed: float
    lane: float
    oncoming_lane: float
    oncoming: tuple[float, ...]
    ahead: tuple[float, ...]
    camera_height: float
    exposure: float
    contrast: float
    balance: Colour
    noise: float
    blur: float


def sample_style(rng: np.random.Generator) -> Style:
    """Return a random style; the same generator state gives the same one."""
    kind = str(rng.choice(['rural', 'suburb', 'urban', 'avenue'], p=[0.3, 0.3, 0.2, 0.2]))
    widths, (lane, oncoming_lane), lines = _lanes(rng, kind)
    sunny = bool(rng.random() < 0.78)
    grey = float(np.clip(rng.normal(146 if sunny else 112, 17), 84, 170))
    asphalt = _tint(rng, grey, 0.022)
    sides = (_side(rng, kind, grey), _side(rng, kind, grey))
    if sum(widths) > 9.0:
        sides = (replace(sides[0], parked=False), replace(sides[1], parked=False))
    parking = [2.15 if side.parked else 0.0 for side in sides]
    return Style(
        bends=tuple((float(rng.normal(0.0, a)), float(rng.uniform(lo, hi)),
                     float(rng.uniform(0, 2 * np.pi)))
                    for a, lo, hi in ((0.10, 90, 160), (0.16, 180, 320), (0.25, 400, 900))),
        left_width=widths[0] + parking[0], right_width=widths[1] + parking[1],
        width_wave=float(rng.uniform(0.0, 0.25)), width_phase=float(rng.uniform(0, 6.28)),
        openings=_openings(rng, kind), lane_lines=lines,
        dash=((3.0, 9.0), (6.0, 12.0), (3.0, 6.0), (1.5, 3.0))[int(rng.integers(4))],
        line_width=float(rng.uniform(0.11, 0.17)), line_wear=float(rng.uniform(0.0, 0.8)),
        zebra=float(rng.uniform(0, PERIOD)) if rng.random() < 0.25 else None,
        sides=sides, asphalt=asphalt, asphalt_age=float(rng.uniform(0.2, 1.0)),
        sunny=sunny, sun_azimuth=float(rng.choice([-1, 1]) * (np.pi / 2 + rng.normal(0, 0.55))),
        sun_height=float(rng.uniform(0.4, 1.0)), shade=float(rng.uniform(0.36, 0.54)),
        canopy=float(max(0.0, rng.uniform(-0.5, 1.0))),
        sky=_sky(rng, sunny), clouds=float(rng.uniform(0, 0.6 if sunny else 1.0)),
        foliage=_foliage(rng), haze_length=float(rng.uniform(250, 1200)),
        speed=float(rng.uniform(6.0, 13.0)), lane=lane, oncoming_lane=oncoming_lane,
        oncoming=tuple(rng.uniform(0, 1, int(rng.integers(0, 4))).tolist()),
        ahead=tuple(np.sort(rng.uniform(13, 60, int(rng.integers(0, 3)))).tolist()),
        camera_height=float(rng.normal(1.65, 0.03)), exposure=float(rng.uniform(0.87, 1.2)),
        contrast=float(rng.uniform(1.0, 1.28)), balance=_tint(rng, 1.0, 0.03),
        noise=float(rng.uniform(1.5, 4.0)), blur=float(rng.uniform(0.0, 0.7)))


def _tint(rng: np.random.Generator, grey: float, spread: float) -> Colour:
    """Return ``grey`` made slightly warmer or colder, and a little greener or redder."""
    warm, green = rng.normal(0, spread), rng.normal(0, spread / 3)
    return grey * (1 + warm), grey * (1 + green), grey * (1 - warm)


def _lanes(rng: np.random.Generator, kind: str) -> tuple[
        tuple[float, float], tuple[float, float], tuple[tuple[float, bool], ...]]:
    """Return the widths left and right of the centre, the lanes' ``d`` and the lane lines."""
    lane = float(rng.uniform(2.9, 3.6))
    margin = float(rng.uniform(0.1, 0.6))
    layout = int(rng.choice(4, p=[0.27, 0.43, 0.15, 0.15]))
    if layout == 0 and kind != 'urban':
        half = float(rng.uniform(2.75, 3.4))
        return (half, half), (float(rng.uniform(0.5, 1.3)), -half / 2), ()
    if layout <= 1:
        lines: tuple[tuple[float, bool], ...] = ((0.0, bool(rng.random() < 0.15)),)
        own = lane / 2 + float(rng.normal(0, 0.12))
        return ((lane + margin, lane + margin), (own, -lane / 2),
                lines if rng.random() < 0.85 else ())
    left = 2 if layout == 2 else 1
    lane *= 0.9
    lines = ((0.0, True), (lane, False)) + (((-lane, False),) if left == 2 else ())
    own = lane * float(rng.choice([0.5, 1.5]))
    return (left * lane + margin, 2 * lane + margin), (own, -lane / 2), lines


def _side(rng: np.random.Generator, kind: str, grey: float) -> Side:
    """Return a roadside for a kind of drive."""
    paved = rng.random() < {'rural': 0.0, 'avenue': 0.55, 'suburb': 0.9, 'urban': 1.0}[kind]
    kerbed = paved or rng.random() < (0.15 if kind == 'rural' else 0.6)
    stone = float(np.clip(grey * rng.uniform(1.36, 1.6), 125, 232))
    if rng.random() < 0.3:
        pavement = (stone * 0.98, stone * 0.76, stone * 0.66)
    else:
        pavement = _tint(rng, stone, 0.05)
    kerb = float(np.clip(grey * rng.uniform(1.4, 1.7), 140, 238))
    grass = rng.uniform(0.0, 1.0)
    verge = (np.array([84, 100, 48]) * grass + np.array([132, 116, 78]) * (1 - grass)
             if rng.random() < 0.4 else np.array([76, 96, 44])) * rng.uniform(0.75, 1.1)
    return Side(kind, float(rng.uniform(0.12, 0.25)) if kerbed else 0.0,
                float(rng.uniform(1.4, 4.0)) if paved else 0.0,
                _tint(rng, kerb, 0.02), pavement,
                (float(verge[0]), float(verge[1]), float(verge[2])),
                0.0 if rng.random() < (0.25 if kind == 'rural' else 0.7) else
                float(rng.uniform(0.1, 0.4)),
                bool(rng.random() < _PARKED[kind]))


def _openings(rng: np.random.Generator, kind: str) -> tuple[tuple[float, float, int], ...]:
    """Return the side roads of one period: (s, half width, side)."""
    count = int(rng.integers(0, 2 if kind == 'rural' else 3))
    return tuple((float(rng.uniform(0, PERIOD)), float(rng.uniform(2.5, 4.0)),
                  int(rng.choice([-1, 1]))) for _ in range(count))


def _sky(rng: np.random.Generator, sunny: bool) -> tuple[Colour, Colour]:
    """Return the sky's colours at the horizon and higher up."""
    if not sunny:
        low = rng.uniform(205, 250)
        return _tint(rng, low, 0.02), _tint(rng, low * rng.uniform(0.8, 1.0), 0.03)
    pale = float(rng.uniform(0, 1))
    high = np.array([62, 130, 215]) * (1 - pale) + np.array([235, 245, 252]) * pale
    low_rgb = np.array([185, 215, 240]) * (1 - pale) + np.array([252, 252, 250]) * pale
    return (tuple(low_rgb.tolist()), tuple(high.tolist()))


def _foliage(rng: np.random.Generator) -> Colour:
    """Return the colour of sunlit leaves."""
    base = np.array([92, 112, 48]) + rng.normal(0, 9, 3)
    autumn = max(0.0, float(rng.normal(-0.1, 0.35)))
    base = base * (1 - min(autumn, 0.6)) + np.array([150, 112, 48]) * min(autumn, 0.6)
    r, g, b = np.clip(base * rng.uniform(0.75, 1.1), 15, 200).tolist()
    return r, g, b
