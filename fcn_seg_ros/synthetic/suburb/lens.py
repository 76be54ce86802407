# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The camera's effects on a picture: exposure, white balance, vignetting, blur and sensor noise."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.style import Style

_NOISE = 512


class Lens:
    """The imaging of one drive's camera."""

    def __init__(self, style: Style, rng: np.random.Generator) -> None:
        self._style = style
        noise = rng.standard_normal((_NOISE, _NOISE, 3)).astype(np.float32)
        soft = cv2.blur(noise, (2, 2), borderType=cv2.BORDER_REFLECT) * 1.6
        colour = 0.6 * soft + 0.55 * soft.mean(axis=2, keepdims=True)
        self._noise = np.rint(colour * style.noise).astype(np.int16)
        self._falloff = float(rng.uniform(0.04, 0.16))
        self._phase = float(rng.uniform(0, 2 * np.pi))
        self._shade: dict[tuple[int, int], np.ndarray] = {}

    def expose(self, image: np.ndarray, metres: float, rng: np.random.Generator) -> np.ndarray:
        """Return the camera's picture (uint8 RGB) of ``image``, ``metres`` into the drive."""
        style = self._style
        if style.blur > 0.25:
            image = cv2.GaussianBlur(image, (3, 3), style.blur)
        gain = style.exposure * (1 + 0.06 * np.sin(metres / 17.0 + self._phase))
        level = np.arange(256, dtype=np.float64)[:, None] * gain * np.array(style.balance)
        curve = 105 + (level - 105) * style.contrast
        curve = np.where(curve < 24, 24 * np.exp((np.minimum(curve, 24) - 24) / 40), curve)
        curve = np.where(curve > 215, 215 + 40 * (1 - np.exp((215 - curve) / 40)), curve)
        image = cv2.LUT(image, np.clip(np.rint(curve), 0, 255).astype(np.uint8)[None])
        shape = image.shape[:2]
        if shape not in self._shade:
            self._shade[shape] = _vignette(shape, self._falloff)
        image = cv2.multiply(image, self._shade[shape], scale=1 / 255)
        return cv2.add(image, self._noise_of(shape, rng), dtype=cv2.CV_8U)

    def _noise_of(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Return the sensor's noise in this frame, int16 (H, W, 3), from a shifted tile."""
        y, x = rng.integers(0, _NOISE, 2)
        rows, cols = np.arange(y, y + shape[0]) % _NOISE, np.arange(x, x + shape[1]) % _NOISE
        return self._noise.take(rows, axis=0).take(cols, axis=1)


def _vignette(shape: tuple[int, ...], falloff: float) -> np.ndarray:
    """Return the share of light that reaches each pixel, uint8 (H, W, 3)."""
    y = (np.arange(shape[0]) - shape[0] / 2)[:, None]
    x = (np.arange(shape[1]) - shape[1] / 2)[None]
    radius = np.hypot(x, y) / np.hypot(shape[0] / 2, shape[1] / 2)
    shade = np.rint(255 * (1 - falloff * radius ** 2)).astype(np.uint8)
    return np.repeat(shade[..., None], 3, axis=2)
