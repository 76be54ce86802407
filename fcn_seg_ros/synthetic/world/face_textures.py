# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Textures of upright faces, shared by all rendered worlds, and cut-outs of foliage."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.canvas import Texture
from fcn_seg_ros.synthetic.suburb.foliage import bush, tree
from fcn_seg_ros.synthetic.suburb.noise import fractal, smoothstep
from fcn_seg_ros.synthetic.suburb.style import sample_style

SIZE = 256
LEVELS = 7
#: Names of the textures; a facade is chosen among FACADES.
NAMES = ('plain', 'grime', 'concrete', 'brick', 'tiles', 'print', 'mesh', 'cloth',
         *(f'facade{k}' for k in range(10)))
FACADES = tuple(range(8, 18))
TREES, BUSHES = 14, 8


@lru_cache(maxsize=1)
def atlas() -> list[np.ndarray]:
    """
    Return the textures, level by level: uint8 (N, size, size, 4), each level half of the last.

    RGB multiplies the colour of the face (128: no change); the fourth channel is glass, 0..255.
    """
    rng = np.random.default_rng(73)
    pictures = [_plain(), _grime(rng, 0.11), _concrete(rng), _brick(rng), _tiles(rng), _print(rng),
                _mesh(), _cloth(rng)]
    pictures += [_facade(rng) for _ in FACADES]
    levels = [np.stack(pictures)]
    for _ in range(LEVELS - 1):
        half = levels[-1].shape[1] // 2
        levels.append(np.stack([cv2.resize(p, (half, half), interpolation=cv2.INTER_AREA)
                                for p in levels[-1]]))
    return levels


def _packed(gain: np.ndarray, glass: np.ndarray | float = 0.0,
            tint: np.ndarray | None = None) -> np.ndarray:
    """Return a texture from its gain (1: no change), tint (RGB) and share of glass."""
    rgb = gain[..., None] * (np.ones(3, np.float32) if tint is None else tint)
    glass = np.broadcast_to(np.float32(glass), gain.shape)
    return np.clip(np.rint(np.dstack([rgb * 128, glass * 255])), 0, 255).astype(np.uint8)


def _plain() -> np.ndarray:
    return _packed(np.ones((SIZE, SIZE), np.float32))


def _grime(rng: np.random.Generator, strength: float) -> np.ndarray:
    dirt = fractal(rng, (SIZE, SIZE), [(60, 0.5), (20, 0.4), (6, 0.3), (2, 0.2)])
    return _packed(np.exp(strength * dirt))


def _concrete(rng: np.random.Generator) -> np.ndarray:
    shape = (SIZE, SIZE)
    runs = fractal(rng, shape, [(12, 0.6), (5, 0.4)], stretch=12)
    blotch = fractal(rng, shape, [(50, 0.6), (14, 0.4), (2, 0.3)])
    gain = np.exp(0.14 * runs + 0.12 * blotch)
    gain[:, :2] *= 0.55
    return _packed(gain)


def _brick(rng: np.random.Generator) -> np.ndarray:
    rows, cols = 32, 12
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    row, col = y * rows, x * cols + 0.5 * (np.floor(y * rows) % 2)
    joint = (row % 1 < 0.16) | (col % 1 < 0.07)
    brick = np.floor(row).astype(int) % rows, np.floor(col).astype(int) % cols
    tone = rng.normal(0, 0.16, (rows, cols))[brick]
    return _packed(np.where(joint, 1.3, np.exp(tone)).astype(np.float32))


def _tiles(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0:SIZE, 0:SIZE] % 16
    dirt = fractal(rng, (SIZE, SIZE), [(60, 0.6), (20, 0.4)])
    return _packed((np.where((y < 1) | (x < 1), 0.6, 1.0) * np.exp(0.15 * dirt)), 0.1)


def _print(rng: np.random.Generator) -> np.ndarray:
    """Return stripes and letters, as on the side of a lorry or a sign."""
    image = np.full((SIZE, SIZE, 3), 128, np.uint8)
    for _ in range(3):
        top = int(rng.integers(10, 220))
        cv2.rectangle(image, (0, top), (SIZE, top + int(rng.integers(4, 40))),
                      rng.integers(20, 230, 3).tolist(), -1)
    for _ in range(3):
        word = ''.join(rng.choice(list('ABCDEFHKLMNOPRSTUVXZ'), 5))
        cv2.putText(image, word, (int(rng.integers(0, 60)), int(rng.integers(60, 250))),
                    cv2.FONT_HERSHEY_DUPLEX, float(rng.uniform(1, 2.2)),
                    rng.integers(10, 250, 3).tolist(), int(rng.integers(2, 6)), cv2.LINE_AA)
    return np.dstack([image, np.zeros((SIZE, SIZE), np.uint8)])


def _mesh() -> np.ndarray:
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    wire = ((x + y) % 16 < 3) | ((x - y) % 16 < 3)
    return _packed(np.where(wire, 1.2, 0.25).astype(np.float32))


def _cloth(rng: np.random.Generator) -> np.ndarray:
    folds = fractal(rng, (SIZE, SIZE), [(40, 0.6), (16, 0.6), (5, 0.3), (1.5, 0.2)])
    return _packed(np.exp(0.25 * folds))


def _facade(rng: np.random.Generator) -> np.ndarray:
    """Return two storeys with two windows each of a house, in stone, plaster or glass."""
    gain = np.exp(0.08 * fractal(rng, (SIZE, SIZE), [(60, 0.7), (20, 0.4), (3, 0.4)]))
    glass = np.zeros((SIZE, SIZE), np.float32)
    count, storeys = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    wide, tall = float(rng.uniform(0.35, 0.85)), float(rng.uniform(0.45, 0.8))
    w, h = SIZE // count, SIZE // storeys
    frame, sill = float(rng.uniform(0.5, 1.7)), float(rng.uniform(0.6, 1.5))
    for row in range(storeys):
        gain[row * h:row * h + 3] *= sill
        for col in range(count):
            x0 = col * w + int(w * (1 - wide) / 2)
            y0 = row * h + int(h * (1 - tall) * 0.55)
            x1, y1 = x0 + int(w * wide), y0 + int(h * tall)
            gain[y0 - 3:y1 + 3, x0 - 3:x1 + 3] = frame
            shade = float(rng.uniform(0.1, 0.5)) if rng.random() < 0.8 else 1.2
            gain[y0:y1, x0:x1] = shade
            gain[y0:y1, (x0 + x1) // 2 - 1:(x0 + x1) // 2 + 1] = frame
            glass[y0:y1, x0:x1] = 1.0
    return _packed(gain.astype(np.float32), glass)


@lru_cache(maxsize=1)
def leaves() -> tuple[list[Texture], list[np.ndarray]]:
    """
    Return trees and then bushes: their cut-outs, and their colours level by level.

    The colours are uint8 (N, size, size, 3), not multiplied by the opacity.
    """
    rng = np.random.default_rng(74)
    cuts = []
    for k in range(TREES + BUSHES):
        style = replace(sample_style(rng), sunny=True)
        cuts.append(tree(style, rng, SIZE) if k < TREES else bush(style, rng))
    pictures = []
    for cut in cuts:
        rgba = cv2.resize(cut.fitted(1e9, 1e9), (SIZE, SIZE)).astype(np.float32)
        alpha = rgba[..., 3:]
        spread = cv2.blur(rgba, (15, 15))
        rgba += (spread + 1e-3) * (1 - smoothstep(alpha, 20, 200))
        pictures.append(np.clip(rgba[..., :3] * 255 / np.maximum(rgba[..., 3:], 1), 0, 255))
    levels = [np.stack(pictures).astype(np.uint8)]
    for _ in range(LEVELS - 1):
        half = levels[-1].shape[1] // 2
        levels.append(np.stack([cv2.resize(p, (half, half), interpolation=cv2.INTER_AREA)
                                for p in levels[-1]]))
    return cuts, levels
