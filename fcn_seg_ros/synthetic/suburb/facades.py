# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pictures of house fronts, garden walls and fences."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.canvas import Texture
from fcn_seg_ros.synthetic.suburb.foliage import premultiplied
from fcn_seg_ros.synthetic.suburb.noise import fractal

_SCALE = 24  # pixels a metre


def plaster(rng: np.random.Generator) -> np.ndarray:
    """Return the colour of a house, RGB."""
    base = [(225, 222, 212), (205, 196, 172), (188, 182, 176), (160, 110, 90), (214, 190, 140),
            (150, 150, 152), (235, 232, 228)][int(rng.integers(7))]
    return np.array(base, np.float64) * rng.uniform(0.75, 1.02)


def facade(rng: np.random.Generator, colour: np.ndarray, length: float, height: float) -> Texture:
    """Return a house front of ``length`` x ``height`` metres with rows of windows."""
    rows, cols = round(height * _SCALE), round(length * _SCALE)
    image = np.tile(colour, (rows, cols, 1)).astype(np.float32)
    image *= (1 + fractal(rng, (rows, cols), [(2, 0.02), (30, 0.025), (120, 0.03)]))[..., None]
    floors = max(1, int(height / 2.8))
    step = rng.uniform(1.8, 3.2)
    size = np.array([rng.uniform(0.7, 1.4), rng.uniform(1.1, 1.5)]) * _SCALE
    for floor in range(floors):
        sill = rows - (0.9 + 2.8 * floor) * _SCALE
        for x in np.arange(step / 2, length - step / 4, step) * _SCALE:
            _window(image, float(x), sill, size, rng)
    plinth = round(0.5 * _SCALE)
    image[-plinth:] *= 0.62
    image[:6] *= 0.7
    if rng.random() < 0.7:
        left = int(rng.uniform(0.1, 0.8) * cols)
        cv2.rectangle(image, (left, rows - round(2.1 * _SCALE)), (left + _SCALE, rows),
                      (70 + 50 * rng.random(), 60.0, 52.0), -1)
    return premultiplied(image, np.ones((rows, cols)))


def _window(image: np.ndarray, x: float, sill: float, size: np.ndarray,
            rng: np.random.Generator) -> None:
    """Draw one window whose sill's middle is at (x, sill) pixels."""
    low, high = (round(x - size[0] / 2), round(sill - size[1])), (round(x + size[0] / 2),
                                                                  round(sill))
    cv2.rectangle(image, (low[0] - 3, low[1] - 3), (high[0] + 3, high[1] + 3), (216, 216, 214), -1)
    glass = rng.uniform(25, 85)
    cv2.rectangle(image, low, high, (glass, glass * 1.05, glass * 1.15), -1)
    if rng.random() < 0.35:
        blind = (low[0], low[1]), (high[0], round(low[1] + size[1] * rng.uniform(0.2, 0.9)))
        cv2.rectangle(image, *blind, (196, 192, 184), -1)
    middle = round(x)
    cv2.line(image, (middle, low[1]), (middle, high[1]), (205, 205, 203), 2)
    cv2.rectangle(image, (low[0] - 5, high[1] + 3), (high[0] + 5, high[1] + 6), (120, 118, 114), -1)


def garden_wall(rng: np.random.Generator) -> Texture:
    """Return a low wall: plaster, concrete or brick."""
    shape = (64, 384)
    colour = np.array([(196, 190, 178), (150, 148, 142), (142, 88, 70)][int(rng.integers(3))])
    image = np.tile(colour * rng.uniform(0.75, 1.05), (*shape, 1)).astype(np.float32)
    image *= (1 + fractal(rng, shape, [(2, 0.05), (9, 0.05), (50, 0.06)]))[..., None]
    if colour[0] < 145:
        image[::8] *= 0.75
    image[:8] *= 1.12
    image[8:11] *= 0.7
    image[-10:] *= 0.8
    return premultiplied(image, np.ones(shape))


def fence(rng: np.random.Generator) -> Texture:
    """Return a fence of boards or bars with gaps."""
    shape = (96, 384)
    alpha = np.zeros(shape, np.float32)
    boards = rng.random() < 0.5
    pitch, board = (16, 11) if boards else (12, 3)
    for x in range(0, shape[1], pitch):
        alpha[4:, x:x + board] = 1
    alpha[12:18] = alpha[-22:-16] = 1
    alpha[:, ::96] = alpha[:, 1::96] = alpha[:, 2::96] = 1
    colour = np.array([(216, 214, 208), (108, 84, 60), (58, 62, 58)][int(rng.integers(3))])
    image = np.tile(colour, (*shape, 1)) * (1 + fractal(rng, shape, [(3, 0.08)]))[..., None]
    return premultiplied(image, alpha)


def roof(rng: np.random.Generator) -> np.ndarray:
    """Return the colour of a roof, RGB."""
    return np.array([(128, 70, 54), (92, 60, 52), (78, 78, 82), (106, 92, 84)][
        int(rng.integers(4))], np.float64) * rng.uniform(0.8, 1.1)
