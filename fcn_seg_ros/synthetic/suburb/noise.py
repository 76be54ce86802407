# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Noise that tiles, and maps that are filtered to the size of the pixel."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np


def tile_noise(rng: np.random.Generator, shape: tuple[int, int],
               cell: tuple[float, float]) -> np.ndarray:
    """
    Return smooth noise that tiles in both directions: float32 of ``shape``, mean 0, std 1.

    ``cell`` is the size of a feature in pixels, (rows, columns).
    """
    rows, cols = (max(2, round(n / c)) for n, c in zip(shape, cell, strict=True))
    grid = rng.standard_normal((rows, cols)).astype(np.float32)
    if (rows, cols) != shape:
        pad = 3
        grid = np.pad(grid, pad, mode='wrap')
        fy, fx = shape[0] / rows, shape[1] / cols
        y = (np.arange(shape[0], dtype=np.float32) + 0.5) / fy - 0.5 + pad
        x = (np.arange(shape[1], dtype=np.float32) + 0.5) / fx - 0.5 + pad
        x_of, y_of = np.meshgrid(x, y)
        grid = np.asarray(cv2.remap(grid, x_of, y_of, cv2.INTER_CUBIC), np.float32)
    return (grid - grid.mean()) / max(float(grid.std()), 1e-6)


def fractal(rng: np.random.Generator, shape: tuple[int, int],
            octaves: list[tuple[float, float]], stretch: float = 1.0) -> np.ndarray:
    """
    Return a weighted sum of noises, float32 of ``shape``; ``octaves`` are (cell in pixels, weight).

    ``stretch`` makes features longer along the rows' axis.
    """
    out = np.zeros(shape, np.float32)
    for cell, weight in octaves:
        out += weight * tile_noise(rng, shape, (cell * stretch, cell))
    return out


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return 0 below ``low``, 1 above ``high`` and a smooth rise between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def to_bytes(x: np.ndarray) -> np.ndarray:
    """Return ``x`` rounded and clipped to uint8."""
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


class RipMap:
    """
    A tiling ground texture, prefiltered along the road for every distance.

    ``texture`` is uint8 or float32 (rows along the road, columns across it, channels); a pixel has
    the size ``step`` = (along, across) in metres. Distant ground is foreshortened only along the
    road, so from level to level the rows shrink by sqrt(2) and the columns more slowly: no shimmer,
    little blur.
    """

    def __init__(self, texture: np.ndarray, step: tuple[float, float], levels: int = 14) -> None:
        self._period = (texture.shape[0] * step[0], texture.shape[1] * step[1])
        self._step = step[0]
        self._levels = [texture]
        for k in range(1, levels):
            rows = max(4, round(texture.shape[0] / 2 ** (k / 2)))
            cols = max(4, texture.shape[1] // (1 if k < 7 else 2 if k < 11 else 4))
            self._levels.append(cv2.resize(texture, (cols, rows), interpolation=cv2.INTER_AREA))

    def sample(self, along: np.ndarray, across: np.ndarray, footprint: np.ndarray) -> np.ndarray:
        """
        Return the texture at ground points: float32 (H, W) metres ``along`` and ``across``.

        ``footprint`` is the length along the road that a pixel covers in metres, one value per row.
        """
        level = np.floor(2.0 * np.log2(np.maximum(footprint / self._step, 1.0))).astype(int)
        level = np.minimum(level, len(self._levels) - 1)
        out = np.empty((*along.shape, self._levels[0].shape[2]), self._levels[0].dtype)
        cuts = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(level)]
        for top, bottom in pairwise(cuts):
            source = self._levels[level[top]]
            y = along[top:bottom] * (source.shape[0] / self._period[0]) - 0.5
            x = across[top:bottom] * (source.shape[1] / self._period[1]) - 0.5
            cv2.remap(source, x, y, cv2.INTER_LINEAR, dst=out[top:bottom],
                      borderMode=cv2.BORDER_WRAP)
        return out
