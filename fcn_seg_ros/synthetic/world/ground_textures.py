# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tiling, prefiltered ground textures, made once and shared by all rendered worlds."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.noise import RipMap, fractal, tile_noise

VARIANTS = 4
_COARSE, _FINE = (0.024, 0.024), (0.006, 0.006)
_SIZE = 800

#: The channels, in order, of the coarse map, which repeats after 19.2 m, and of the fine map, which
#: repeats after 4.8 m.
CHANNELS = ('blotch', 'streak', 'crack', 'stain', 'grain', 'gravel', 'cobble', 'slab')


@lru_cache(maxsize=VARIANTS)
def coarse(variant: int) -> RipMap:
    """Return blotches, tyre streaks, cracks and stains, uint8 with 128 for no change."""
    rng = np.random.default_rng([71, variant])
    shape = (_SIZE, _SIZE)
    blotch = fractal(rng, shape, [(200, 0.6), (70, 0.5), (25, 0.4), (9, 0.3)])
    streak = fractal(rng, shape, [(40, 0.7), (12, 0.5)], stretch=14.0)
    stain = np.clip(fractal(rng, shape, [(60, 0.7), (20, 0.5), (6, 0.3)]) - 0.9, 0, None)
    layers = [blotch * 32, streak * 32, -_cracks(rng) * 90, -stain * 80]
    return RipMap(_packed(layers), _COARSE)


@lru_cache(maxsize=VARIANTS)
def fine(variant: int) -> RipMap:
    """Return grain, gravel, cobbles and slabs, uint8 with 128 for no change."""
    rng = np.random.default_rng([72, variant])
    shape = (_SIZE, _SIZE)
    grain = fractal(rng, shape, [(1, 0.7), (2.5, 0.6), (6, 0.3)])
    gravel = fractal(rng, shape, [(3, 0.6), (6, 0.8), (14, 0.5)])
    cobble = _blocks(rng, 30, 36, 2.2, 0.5)
    slab = _blocks(rng, *((8, 8), (16, 8), (12, 24), (6, 10))[variant % 4], 1.2, 0.12)
    return RipMap(_packed([grain * 30, gravel * 32, cobble * 50, slab * 50]), _FINE)


def _packed(layers: list[np.ndarray]) -> np.ndarray:
    return cv2.merge([np.clip(np.rint(layer + 128), 0, 255).astype(np.uint8)
                      for layer in layers])


def _cracks(rng: np.random.Generator) -> np.ndarray:
    """Return cracks and tar seams that wander over the tile, 0..1."""
    image = np.zeros((_SIZE, _SIZE), np.uint8)
    for _ in range(int(rng.integers(8, 20))):
        steps = int(rng.integers(30, 160))
        direction = rng.choice([0.0, np.pi / 2]) + np.cumsum(rng.normal(0, 0.25, steps)) * 0.5
        at = rng.uniform(0, _SIZE, 2) + np.cumsum(
            5 * np.stack([np.cos(direction), np.sin(direction)], axis=1), axis=0)
        width = int(rng.choice([1, 1, 1, 1, 1, 2]))
        for shift in np.array([(0, 0), (_SIZE, 0), (0, _SIZE), (-_SIZE, 0), (0, -_SIZE)]):
            cv2.polylines(image, [np.rint((at + shift) * 16).astype(np.int32)], False,
                          (255.0,), width, cv2.LINE_AA, 4)
    return image.astype(np.float32) / 255


def _blocks(rng: np.random.Generator, rows: int, cols: int, joint: float,
            uneven: float) -> np.ndarray:
    """Return stones in rows, every other row shifted by half a stone: 0 on average, dark joints."""
    y, x = np.mgrid[0:_SIZE, 0:_SIZE].astype(np.float32) / _SIZE
    bend = 0.06 * uneven
    row = y * rows + bend * tile_noise(rng, y.shape, (25, 25))
    col = x * cols + 0.5 * (np.floor(row) % 2) + bend * tile_noise(rng, y.shape, (25, 25))
    height, width = _SIZE / rows, _SIZE / cols
    edge = np.minimum((0.5 - np.abs(row % 1 - 0.5)) * height, (0.5 - np.abs(col % 1 - 0.5)) * width)
    tone = rng.normal(0, 0.3, (rows, cols)).astype(np.float32)
    stone = tone[np.floor(row).astype(int) % rows, np.floor(col).astype(int) % cols]
    out = stone + np.clip(edge / joint - 1, -1, 0) * (1.0 + uneven)
    return out - out.mean()
