# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The larger features of a rendered ground: stains, patches, cracks, wheel tracks, shadows."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.noise import fractal, smoothstep, to_bytes
from fcn_seg_ros.synthetic.suburb.style import PERIOD, Style

#: The size of a pixel along and across the road in metres, and of the whole map in pixels.
STEP = (0.06, 0.06)
SHAPE = (2560, 768)
assert abs(SHAPE[0] * STEP[0] - PERIOD) < 1e-6


def column(d: np.ndarray | float) -> np.ndarray:
    """Return the (fractional) column of ``d``; the map tiles, so d = 0 lies at column 0."""
    return np.mod(np.asarray(d) / STEP[1], SHAPE[1])


def ground_features(style: Style, rng: np.random.Generator,
                    light: np.ndarray) -> np.ndarray:
    """
    Return uint8 (along, across, 4): shade of road, stone and verge (128 = none), and light.

    ``light`` is float32 of SHAPE, 1 in the sun, 0 in the shade.
    """
    road = _asphalt(style, rng)
    joints = np.zeros(SHAPE, np.float32)
    joints[::round(0.5 / STEP[0])] = -26
    stone = fractal(rng, SHAPE, [(8, 5), (40, 7)]) + joints
    verge = fractal(rng, SHAPE, [(6, 14), (20, 12), (70, 14)])
    return to_bytes(np.stack([128 + road, 128 + stone, 128 + verge, 255 * light], axis=-1))


def _asphalt(style: Style, rng: np.random.Generator) -> np.ndarray:
    """Return the shade of the road's surface, about -60..40."""
    age = style.asphalt_age
    out = fractal(rng, SHAPE, [(2, 4.0), (6, 2.5), (14, 2.5), (80, 6.0)],
                  stretch=1.6) * (0.5 + age)
    d = (np.arange(SHAPE[1]) * STEP[1] + 20.0) % (SHAPE[1] * STEP[1]) - 20.0
    for centre in (style.lane, -style.lane):
        for wheel in (-0.75, 0.75):
            out += 7 * age * np.exp(-((d - centre - wheel) / 0.28) ** 2)[None]
        out -= 6 * age * np.exp(-((d - centre) / 0.3) ** 2)[None]
    canvas = np.zeros(SHAPE, np.float32)
    for _ in range(int(rng.integers(0, 4))):
        _resurfaced(canvas, style, rng)
    for _ in range(int(rng.integers(0, 10))):
        _patch(canvas, style, rng)
    for _ in range(int(rng.integers(0, 30) * age)):
        _crack(canvas, style, rng)
    if rng.random() < 0.5:
        at = round(float(column(rng.normal(0, 0.3))))
        canvas[:, at:at + 2] -= 22
    for _ in range(int(rng.integers(0, 5))):
        lid = round(float(column(style.lane + rng.normal(0, 0.7)))), _along(rng)
        cv2.circle(canvas, lid, 5, (-45.0,), -1)
        cv2.circle(canvas, lid, 6, (25.0,), 1)
    return out + cv2.GaussianBlur(canvas, (0, 0), 0.7)


def _along(rng: np.random.Generator) -> int:
    return int(rng.integers(20, SHAPE[0] - 20))


def _resurfaced(canvas: np.ndarray, style: Style, rng: np.random.Generator) -> None:
    """Draw a stretch of different asphalt, over the whole road or half of it."""
    row, length = _along(rng), int(rng.uniform(8, 60) / STEP[0])
    shade = float(rng.uniform(-32, 24))
    ends = [-12.0, 12.0]
    if rng.random() < 0.4:
        ends[int(rng.integers(2))] = float(rng.normal(0, 0.1))
    for shift in (0, SHAPE[1]):
        low, high = (round(d / STEP[1]) + shift for d in ends)
        cv2.rectangle(canvas, (low, row), (high, row + length), (shade,), -1)
        cv2.rectangle(canvas, (low, row), (high, row + length), (shade - 18,), 1)


def _patch(canvas: np.ndarray, style: Style, rng: np.random.Generator) -> None:
    """Draw a repaired rectangle, darker or lighter, with a tar seam around it."""
    row = _along(rng)
    size = int(rng.uniform(1.0, 14.0) / STEP[0]), int(rng.uniform(0.6, 3.0) / STEP[1])
    d = rng.uniform(-style.left_width, style.right_width - 1.0)
    shade = (float(rng.choice([-1, 1], p=[0.7, 0.3]) * rng.uniform(6, 28)),)
    for shift in (0, SHAPE[1]):
        col = round(float(d / STEP[1])) + shift
        cv2.rectangle(canvas, (col, row), (col + size[1], row + size[0]),
                      shade, -1)
        cv2.rectangle(canvas, (col, row), (col + size[1], row + size[0]), (-40.0,), 1)


def _crack(canvas: np.ndarray, style: Style, rng: np.random.Generator) -> None:
    """Draw a wandering crack, sometimes sealed with broad dark tar."""
    length = int(rng.integers(8, 60))
    heading = rng.normal(0, 0.5) + (np.pi / 2 if rng.random() < 0.4 else 0.0)
    turn = heading + np.cumsum(rng.normal(0, 0.28, length)) * 0.7
    steps = np.stack([np.sin(turn), np.cos(turn)], axis=1) * 4
    start = np.array([rng.uniform(-style.left_width, style.right_width) / STEP[1], _along(rng)])
    points = start + np.cumsum(steps, axis=0)
    tar = rng.random() < 0.35
    for shift in (0, SHAPE[1]):
        line = np.rint(points + (shift, 0)).astype(np.int32)
        cv2.polylines(canvas, [line], False, (-45.0 if tar else -32.0,), 2 if tar else 1)


def leafy(field: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return light (1 sun, 0 shade) under a shadow ``field`` (1 in the middle, 0 outside)."""
    leaves = fractal(rng, SHAPE, [(4, 0.12), (10, 0.14), (26, 0.12)])
    return 1.0 - smoothstep(field + leaves * (field > 0.01), 0.3, 0.55)
