# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pictures of trees, bushes and hedges, made from noise."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.canvas import Texture
from fcn_seg_ros.synthetic.suburb.noise import fractal, to_bytes
from fcn_seg_ros.synthetic.suburb.style import Colour, Style


def premultiplied(rgb: np.ndarray, alpha: np.ndarray) -> Texture:
    """Return the texture of a picture (H, W, 3), 0..255, with opacity (H, W), 0..1."""
    alpha = np.clip(alpha, 0, 1)[..., None]
    return Texture(to_bytes(np.concatenate([np.clip(rgb, 0, 255) * alpha, alpha * 255], axis=2)))


def _clumps(shape: tuple[int, int], blobs: np.ndarray, light: tuple[float, float],
            rng: np.random.Generator, contrast: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (brightness, opacity) of leaf clumps: ``blobs`` (N, 3) are x, y, radius in pixels."""
    lit = np.full(shape, 0.16, np.float32)
    field = np.zeros(shape, np.float32)
    for x, y, radius in blobs:
        top, left = max(int(y - radius), 0), max(int(x - radius), 0)
        rows = slice(top, min(int(y + radius) + 2, shape[0]))
        cols = slice(left, min(int(x + radius) + 2, shape[1]))
        if rows.stop <= rows.start or cols.stop <= cols.start:
            continue
        dy = (np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - y) / radius
        dx = (np.arange(cols.start, cols.stop, dtype=np.float32)[None] - x) / radius
        inside = np.clip(1.0 - dx * dx - dy * dy, 0.0, 1.0)
        shade = 0.42 + contrast * (light[0] * dx + light[1] * dy) + rng.normal(0, 0.07)
        part = np.clip(inside * 2.5, 0, 1)
        lit[rows, cols] += part * (shade - lit[rows, cols])
        np.maximum(field[rows, cols], inside, out=field[rows, cols])
    leaves = fractal(rng, shape, [(1.3, 0.22), (3, 0.3), (7, 0.22)])
    ragged = fractal(rng, shape, [(2, 0.16), (5, 0.16), (11, 0.12)])
    alpha = np.clip((field + ragged * 0.75 - 0.22) * 6, 0, 1) * np.clip(field * 20, 0, 1)
    return lit * np.clip(1.0 + leaves, 0.15, 2.2), alpha


def _leaf_colour(lit: np.ndarray, colour: Colour) -> np.ndarray:
    """Return the colour of leaves by brightness: bluish in the shade, yellowish in the sun."""
    rgb = np.array(colour, np.float32) * (1.35 * lit)[..., None]
    rgb[..., 0] += 14 * np.clip(lit - 0.5, 0, 1)
    rgb[..., 2] += 5 * np.clip(0.5 - lit, 0, 1)
    return rgb


def tree(style: Style, rng: np.random.Generator, size: int = 256) -> Texture:
    """Return a broad-leaved tree or a conifer with its trunk, (size, size)."""
    conifer = rng.random() < 0.2
    count = int(rng.integers(45, 80))
    t, spread = rng.random(count), rng.normal(0, 0.36, count)
    if conifer:
        y = size * (0.06 + 0.84 * t)
        x = size * (0.5 + spread * 0.5 * (0.08 + 0.9 * t))
        radius = size * (0.03 + 0.07 * t)
    else:
        angle, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.random(count))
        x = size * (0.5 + 0.37 * reach * np.cos(angle))
        y = size * (0.37 + 0.26 * reach * np.sin(angle))
        radius = size * rng.uniform(0.06, 0.14, count)
    order = np.argsort(-y + rng.normal(0, size * 0.12, count))
    light = (float(np.sign(np.sin(style.sun_azimuth))) * -0.5, -0.8)
    lit, alpha = _clumps((size, size), np.stack([x, y, radius], axis=1)[order], light, rng,
                         0.3 if style.sunny else 0.14)
    rgb = _leaf_colour(lit, _varied(style.foliage, rng))
    trunk = np.zeros((size, size), np.uint8)
    half = max(2, round(size * rng.uniform(0.012, 0.024)))
    lean = int(rng.normal(0, size * 0.02))
    cv2.fillConvexPoly(trunk, np.array([[size // 2 - half, size], [size // 2 + half, size],
                                        [size // 2 + lean + half // 2, size // 3],
                                        [size // 2 + lean - half // 2, size // 3]],
                                       np.int32), (255.0,))
    bark = np.array([74, 64, 52]) * (0.5 + 0.3 * fractal(rng, (size, size), [(3, 0.6)]))[..., None]
    under = (trunk / 255.0) * (1 - alpha)
    rgb = rgb * alpha[..., None] + bark * under[..., None]
    whole = alpha + under
    return premultiplied(rgb / np.maximum(whole, 1e-3)[..., None], whole)


def bush(style: Style, rng: np.random.Generator) -> Texture:
    """Return a bush that stands on the ground, (96, 128)."""
    height, width = 96, 128
    count = int(rng.integers(16, 34))
    angle, reach = rng.uniform(0, np.pi, count), np.sqrt(rng.random(count))
    x = width * (0.5 + 0.38 * reach * np.cos(angle))
    y = height * (0.9 - 0.66 * reach * np.sin(angle))
    blobs = np.stack([x, y, height * rng.uniform(0.1, 0.24, count)], axis=1)
    lit, alpha = _clumps((height, width), blobs[np.argsort(-y)], (0.2, -0.8), rng,
                         0.3 if style.sunny else 0.14)
    return premultiplied(_leaf_colour(lit, _varied(style.foliage, rng)), alpha)


def bank(style: Style, rng: np.random.Generator, shape: tuple[int, int], clump: float,
         ragged: float) -> Texture:
    """Return a wall of leaves (trees or a hedge) with clumps of ``clump`` x the height."""
    height, width = shape
    count = int(2.2 * width / height / clump ** 2)
    y = height * (ragged + (1.05 - ragged) * rng.random(count))
    radius = height * clump * rng.uniform(0.6, 1.3, count)
    x = radius + (width - 2 * radius) * rng.random(count)
    hill = fractal(rng, (2, width), [(height * clump * 2, 0.4 * ragged * height)])[0]
    y = y + hill[np.clip(x.astype(int), 0, width - 1)]
    order = np.argsort(-y + rng.normal(0, height * 0.15, count))
    blobs = np.stack([x, y, radius], axis=1)[order]
    lit, alpha = _clumps(shape, blobs, (0.2, -0.8), rng,
                         0.3 if style.sunny else 0.14)
    down = (np.arange(height, dtype=np.float32) / height)[:, None]
    lit = lit * (1.1 - 0.6 * down)
    beside = np.abs(np.arange(width, dtype=np.float32) / width - 0.5)
    alpha = np.maximum(alpha, np.clip((down - 0.75) * 8, 0, 1) * np.clip(12 - 25 * beside, 0, 1))
    return premultiplied(_leaf_colour(lit, _varied(style.foliage, rng)), alpha)


def _varied(colour: Colour, rng: np.random.Generator) -> Colour:
    """Return a random variation of ``colour``."""
    r, g, b = np.clip(np.array(colour) * rng.uniform(0.7, 1.1) + rng.normal(0, 7, 3), 5, 220)
    return float(r), float(g), float(b)
