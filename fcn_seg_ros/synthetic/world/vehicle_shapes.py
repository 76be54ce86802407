# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shapes of cars, vans, lorries and buses: bodies lofted over cross-sections, wheels, lamps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fcn_seg_ros.synthetic.world.mesh import Mesh, box, disc, faces, joined, sheet

#: Material numbers of a vehicle.
(PAINT, GLASS, TRIM, TYRE, HEADLAMP, TAILLAMP, PLATE, RIM, CARGO, GRILLE) = range(10)
SHAPES = 24

#: Silhouettes as (fraction of the length from the rear, fraction of the height), and the stations
#: between which the upper flank is glass.
SILHOUETTES = {
    'saloon': ([(0, .40), (.01, .66), (.04, .70), (.15, .72), (.30, .97), (.42, 1.0), (.56, .99),
                (.61, .95), (.74, .69), (.88, .62), (.97, .55), (1, .36)], (3, 8)),
    'hatch': ([(0, .38), (.015, .64), (.05, .74), (.12, .95), (.25, 1.0), (.4, 1.0), (.55, .98),
               (.60, .94), (.74, .68), (.88, .61), (.97, .53), (1, .35)], (2, 8)),
    'estate': ([(0, .38), (.01, .62), (.03, .76), (.08, .94), (.25, 1.0), (.45, 1.0), (.58, .98),
                (.63, .94), (.75, .68), (.88, .62), (.97, .54), (1, .36)], (2, 8)),
    'suv': ([(0, .36), (.01, .60), (.03, .74), (.08, .96), (.25, 1.0), (.45, 1.0), (.60, .98),
             (.64, .93), (.74, .68), (.90, .64), (.98, .55), (1, .34)], (2, 8)),
    'van': ([(0, .34), (.005, .60), (.01, .80), (.03, .98), (.25, 1.0), (.5, 1.0), (.74, 1.0),
             (.79, .96), (.90, .62), (.95, .55), (.99, .46), (1, .30)], (5, 8)),
    'pickup': ([(0, .34), (.005, .56), (.01, .58), (.32, .58), (.36, .96), (.45, 1.0), (.54, 1.0),
                (.59, .94), (.70, .64), (.90, .60), (.98, .53), (1, .34)], (4, 8))}
_SIZES = {'saloon': (4.6, 1.8, 1.45), 'hatch': (4.1, 1.76, 1.48), 'estate': (4.7, 1.82, 1.5),
          'suv': (4.5, 1.88, 1.68), 'van': (5.6, 2.0, 2.2), 'pickup': (5.4, 1.92, 1.8)}


@dataclass(frozen=True)
class Shape:
    """A vehicle on the ground that faces forward, centred at the origin."""

    kind: str
    mesh: Mesh
    length: float
    width: float
    height: float


@lru_cache(maxsize=1)
def cars() -> list[Shape]:
    """Return SHAPES cars and vans of all kinds."""
    rng = np.random.default_rng(75)
    kinds = list(SILHOUETTES)
    return [_car(rng, kinds[k % len(kinds)]) for k in range(SHAPES)]


@lru_cache(maxsize=1)
def lorries() -> list[Shape]:
    """Return lorries, articulated ones, tankers and buses."""
    rng = np.random.default_rng(76)
    return [_lorry(rng, kind) for kind in ('rigid', 'long', 'tipper', 'rigid', 'long', 'flat')] + [
        _bus(rng) for _ in range(3)]


def _car(rng: np.random.Generator, kind: str) -> Shape:
    length, width, height = np.array(_SIZES[kind]) * rng.uniform(0.93, 1.07, 3)
    outline, (glass_from, glass_to) = SILHOUETTES[kind]
    at, top = np.array(outline).T
    at = (at - 0.5) * length + rng.normal(0, 0.02, len(at)) * (at > 0) * (at < 1)
    top = top * height
    waist = np.minimum(top - 0.03, height * rng.uniform(0.60, 0.66))
    parts = [_body(at, top, waist, width, (glass_from, glass_to))]
    parts += _ends(rng, at, width, height)
    radius = 0.215 * height if kind != 'van' else 0.34
    for side in (-1.0, 1.0):
        for axle in (-length * 0.5 + 0.19 * length, length * 0.5 - 0.18 * length):
            parts += _wheel(side * (width / 2 - 0.01), axle, radius, side)
        x = side * (width / 2 + 0.08)
        at_z = float(at[glass_to]) - 0.35
        parts.append(box((min(x, x - side * .14), height * .63, at_z - .08),
                         (max(x, x - side * .14), height * .72, at_z + .06), PAINT))
    parts.append(box((-width / 2 + .08, 0.16, -length / 2 + .2),
                     (width / 2 - .08, 0.32, length / 2 - .2), TRIM))
    return Shape(kind, joined(parts), float(length), float(width), float(height))


def _body(at: np.ndarray, top: np.ndarray, waist: np.ndarray, width: float,
          glass: tuple[int, int]) -> Mesh:
    """Return the body: sections from the left sill over the roof to the right sill."""
    ends = 1 - 0.16 * np.clip((np.abs(at) / np.abs(at).max() - 0.75) / 0.25, 0, 1) ** 2
    half = width / 2 * ends
    rise = np.clip((top - waist) / 0.6, 0, 1)
    sections = []
    for k in range(len(at)):
        low = 0.2 if 0 < k < len(at) - 1 else 0.3
        right = [(half[k] - .05, low), (half[k], low + .12), (half[k], .55 * waist[k] + .1),
                 (half[k] - .04, waist[k]), (half[k] - .09 - .17 * rise[k], top[k] - .05),
                 (half[k] * .55 - .1 * rise[k], top[k])]
        ring = [(-x, y) for x, y in right] + [(0.0, top[k] + .015)] + right[::-1]
        sections.append([(x, y, at[k]) for x, y in ring])
    points = np.array(sections)
    material = np.full((len(at) - 1, points.shape[1] - 1), PAINT)
    first, last = glass
    for row in range(len(at) - 1):
        climbing = abs(top[row + 1] - top[row]) / max(at[row + 1] - at[row], .01)
        if first <= row < last:
            material[row, [3, 8]] = GLASS
        if climbing > 0.4 and top[row:row + 2].max() > waist.max() + .2 and row >= first - 1:
            material[row, 3:9] = GLASS
    material[:, [0, 11]] = TRIM
    middle = (first + last) // 2
    pillar = np.insert(points, middle, points[middle] - (0, 0, .08), axis=0)
    material = np.insert(material, middle, material[middle - 1], axis=0)
    material[middle, [3, 8]] = TRIM
    return sheet(pillar, material)


def _ends(rng: np.random.Generator, at: np.ndarray, width: float, height: float) -> list[Mesh]:
    """Return bumpers, lamps, grille and number plates."""
    rear, front = float(at[0]), float(at[-1])
    half = width / 2 * .86
    parts = [plate(rear - .005, -half, half, .22, .40 * height, TRIM, -1),
             plate(front + .005, -half, half, .22, .36 * height, TRIM, 1),
             plate(rear - .01, -half, half, .34 * height, .58 * height, PAINT, -1),
             plate(front + .01, -half, half, .30 * height, .46 * height, PAINT, 1),
             plate(front + .015, -half * .55, half * .55, .3 * height, .44 * height, GRILLE, 1)]
    inner, low = float(rng.uniform(.55, .75)), float(rng.uniform(.42, .5))
    for side in (-1, 1):
        a, b = sorted((side * half * inner, side * half * 1.06))
        parts.append(plate(rear - .02, a, b, low * height, low * height + .17, TAILLAMP, -1))
        parts.append(plate(front + .02, a, b, .4 * height, .4 * height + .13, HEADLAMP, 1))
    parts.append(plate(rear - .02, -.26, .26, .42 * height, .42 * height + .12, PLATE, -1))
    parts.append(plate(front + .02, -.26, .26, .24 * height, .24 * height + .12, PLATE, 1))
    return parts


def plate(z: float, left: float, right: float, low: float, high: float, material: int,
          side: int) -> Mesh:
    """Return an upright rectangle that faces forward (``side`` 1) or backward (-1)."""
    points = np.array([[left, low, z], [left, high, z], [right, high, z], [right, low, z]])
    return faces((points if side < 0 else points[::-1])[None], material)


def _wheel(x: float, z: float, radius: float, side: float) -> list[Mesh]:
    arch = disc((x + side * .012, radius * 1.2, z), radius * 1.17, side, TYRE)
    tyre = disc((x + side * .02, radius, z), radius, side, TYRE)
    rim = disc((x + side * .03, radius, z), radius * .66, side, RIM)
    hub = disc((x + side * .04, radius, z), radius * .13, side, RIM)
    a, b = sorted((x - side * .2, x))
    inside = box((a, 0.0, z - radius * .5), (b, radius, z + radius * .5), TRIM)
    return [arch, inside, tyre, rim, hub]


def _lorry(rng: np.random.Generator, kind: str) -> Shape:
    """Return a cab with a load behind it."""
    width, height = 2.5, float(rng.uniform(3.2, 4.0))
    length = {'rigid': 8.0, 'tipper': 8.0, 'flat': 9.0, 'long': 16.0}[kind] * rng.uniform(.9, 1.1)
    half, rear, front = width / 2, -length / 2, length / 2
    cab = front - 2.2
    top = {'rigid': height, 'long': height, 'tipper': 2.6, 'flat': 1.3}[kind]
    roof = min(height, float(rng.uniform(2.7, 3.6)))
    parts = [box((-half, 0.95, rear), (half, top, cab - .3), CARGO),
             box((-half + .1, 0.45, rear + .3), (half - .1, 0.95, front - .2), TRIM),
             box((-half + .06, 0.5, cab), (half - .06, roof, front), PAINT)]
    parts.append(plate(front + .01, -half + .15, half - .15, 1.7, min(2.6, roof - .1), GLASS, 1))
    parts.append(plate(front + .01, -half + .3, half - .3, .9, 1.45, GRILLE, 1))
    for side in (-1, 1):
        a, b = sorted((side * half * .7, side * half * .95))
        parts.append(plate(front + .02, a, b, .7, .9, HEADLAMP, 1))
        parts.append(plate(rear - .02, a, b, .75, .95, TAILLAMP, -1))
        x = side * (half - .05)
        window = np.array([[x, 1.8, cab + .7], [x, 2.5, cab + .7], [x, 2.5, front - .2],
                           [x, 1.8, front - .1]])
        parts.append(faces((window if side < 0 else window[::-1])[None], GLASS))
        axles = [front - 1.3, rear + 1.4, rear + 2.6]
        if kind == 'long':
            axles += [rear + 3.8, front - 4.4]
        for axle in axles:
            parts += _wheel(side * (half - .02), axle, .5, side)
    parts.append(plate(rear - .015, -half + .1, half - .1, .5, .68, TRIM, -1))
    parts.append(plate(rear - .02, -.26, .26, .7, .82, PLATE, -1))
    return Shape('lorry', joined(parts), float(length), width, max(top, roof))


def _bus(rng: np.random.Generator) -> Shape:
    width, height, length = 2.5, float(rng.uniform(2.9, 3.3)), float(rng.uniform(9, 12))
    half, rear, front = width / 2, -length / 2, length / 2
    parts = [box((-half, .35, rear), (half, height, front), PAINT),
             plate(front + .01, -half + .1, half - .1, 1.2, height - .5, GLASS, 1),
             plate(rear - .01, -half + .3, half - .3, 1.6, height - .5, GLASS, -1),
             plate(rear - .01, -.26, .26, .7, .82, PLATE, -1)]
    for side in (-1, 1):
        a, b = sorted((side * half * .7, side * half * .95))
        parts.append(plate(front + .02, a, b, .6, .8, HEADLAMP, 1))
        parts.append(plate(rear - .02, a, b, .7, 1.1, TAILLAMP, -1))
        x = side * (half + .01)
        for z in np.arange(rear + .4, front - 1.2, 1.5):
            pane = np.array([[x, 1.3, z], [x, height - .5, z], [x, height - .5, z + 1.35],
                             [x, 1.3, z + 1.35]])
            parts.append(faces((pane if side < 0 else pane[::-1])[None], GLASS))
        for axle in (front - 2.2, rear + 2.6):
            parts += _wheel(side * (half - .02), axle, .5, side)
    return Shape('bus', joined(parts), length, width, height)
