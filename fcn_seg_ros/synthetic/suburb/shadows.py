# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The sun and shade on a rendered road, fixed to the ground."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.features import SHAPE, STEP, leafy
from fcn_seg_ros.synthetic.suburb.noise import smoothstep
from fcn_seg_ros.synthetic.suburb.roadside import Thing
from fcn_seg_ros.synthetic.suburb.style import Style


def sunlight(style: Style, things: list[Thing], rng: np.random.Generator) -> np.ndarray:
    """
    Return how much sun reaches the ground, float32 of features.SHAPE, 0..1.

    Under a cloudy sky there is only a little shade, close to tall things.
    """
    leaves, blocks = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    throw = np.array([np.cos(style.sun_azimuth), np.sin(style.sun_azimuth)])
    throw = throw / np.tan(style.sun_height) if style.sunny else throw * 0.1
    for thing in things:
        if thing.shadow == 'crown':
            _crown(leaves, thing, throw)
        elif thing.shadow:
            _slab(leaves if thing.shadow == 'leaves' else blocks, thing, throw)
    if style.sunny:
        _canopies(leaves, style, rng)
    leaves = _half_size_blur(leaves, 9)
    field = leafy(leaves, rng)
    hard = 1.0 - smoothstep(cv2.GaussianBlur(blocks, (0, 0), 1.2), 0.2, 0.8)
    light = np.minimum(field, hard)
    return light if style.sunny else 0.75 + 0.25 * _half_size_blur(light, 20)


def _canopies(field: np.ndarray, style: Style, rng: np.random.Generator) -> None:
    """Add the shade of tree crowns above the road that are out of sight."""
    for _ in range(round(style.canopy * 14)):
        length, reach = rng.uniform(2, 14), rng.uniform(1.5, style.left_width + style.right_width)
        side = np.sign(-np.sin(style.sun_azimuth))
        start = style.right_width + 1 if side > 0 else -style.left_width - 1
        middle = np.array([rng.uniform(0, SHAPE[0] * STEP[0]), start - side * reach / 2])
        size = round(reach / 2 / STEP[1]), round(length / 2 / STEP[0])
        for s, d in _copies(middle):
            centre = round(d / STEP[1]), round(s / STEP[0])
            cv2.ellipse(field, centre, size, float(rng.normal(0, 15)), 0, 360, (1.0,), -1)


def _half_size_blur(field: np.ndarray, sigma: float) -> np.ndarray:
    small = cv2.resize(field, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / 4, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(soft, SHAPE[::-1], interpolation=cv2.INTER_LINEAR)


def _crown(field: np.ndarray, thing: Thing, throw: np.ndarray) -> None:
    """Add the ellipse below a crown and the strip of its trunk."""
    middle = np.array([thing.s, thing.d]) + throw * thing.height * 0.62
    reach = float(np.hypot(*throw))
    size = thing.width * 0.42, max(thing.height * 0.3 * reach, thing.width * 0.42)
    angle = float(np.degrees(np.arctan2(throw[0], throw[1])))
    for s, d in _copies(middle):
        cv2.ellipse(field, (round(d / STEP[1]), round(s / STEP[0])),
                    (round(size[1] / STEP[1]), round(size[0] / STEP[0])), angle, 0, 360, (1.0,), -1)
    if thing.height > 4:
        for s, d in _copies(np.array([thing.s, thing.d])):
            _line(field, s, d, throw * thing.height * 0.5, 0.3)


def _slab(field: np.ndarray, thing: Thing, throw: np.ndarray) -> None:
    """Add the shadow of a wall, a house or a pole."""
    for s, d in _copies(np.array([thing.s, thing.d])):
        if thing.shadow == 'pole':
            _line(field, s, d, throw * thing.height, 0.14)
            continue
        deep = np.sign(thing.d) * max(thing.deep, 0.8)
        base = np.array([[s, d], [s + thing.along, d], [s + thing.along, d + deep], [s, d + deep]])
        points = np.vstack([base, base + throw * thing.height])
        hull = cv2.convexHull(np.rint(points[:, ::-1] / STEP[::-1]).astype(np.int32))
        cv2.fillConvexPoly(field, hull, (1.0,))


def _line(field: np.ndarray, s: float, d: float, throw: np.ndarray, width: float) -> None:
    start = round(d / STEP[1]), round(s / STEP[0])
    end = round((d + throw[1]) / STEP[1]), round((s + throw[0]) / STEP[0])
    cv2.line(field, start, end, (1.0,), max(1, round(width / STEP[0])))


def _copies(point: np.ndarray) -> list[tuple[float, float]]:
    """Return a point's place on the tiling map, which has negative ``d`` at its far end."""
    length, width = SHAPE[0] * STEP[0], SHAPE[1] * STEP[1]
    return [(float(point[0]) + ds, float(point[1]) + dd)
            for ds in (-length, 0.0, length) for dd in (0.0, width)]
