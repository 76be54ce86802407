# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The far background of a rendered drive: sky, clouds, and a distant line of trees."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.suburb.noise import fractal, smoothstep, to_bytes
from fcn_seg_ros.synthetic.suburb.style import Style

_RAD = 1 / 500
_COLS = round(2 * np.pi / _RAD)
_BELOW, _ABOVE = 20, 420


class Panorama:
    """The panorama beyond the rendered ground: uint8 RGB by azimuth and height."""

    def __init__(self, style: Style, rng: np.random.Generator) -> None:
        shape = (_BELOW + _ABOVE, _COLS)
        up = np.clip((_ABOVE - np.arange(shape[0], dtype=np.float32)) / _ABOVE, 0, 1)[:, None, None]
        low, high = (np.array(c, np.float32) for c in style.sky)
        sky = low + (high - low) * np.clip(up * 1.9, 0, 1) ** 0.7
        puffs = fractal(rng, (shape[0], shape[1]), [(15, 0.25), (40, 0.4), (110, 0.6)])
        cover = smoothstep(puffs, 0.9 - 1.3 * style.clouds, 2.1 - 1.2 * style.clouds)[..., None]
        white = np.float32(250.0 if style.sunny else 225.0) + 10 * puffs[..., None]
        image = sky + cover * (white - sky) * 0.8
        for distance in (0.75, 0.45):
            self._trees(image, style, rng, distance)
        self._image = to_bytes(image)

    def _trees(self, image: np.ndarray, style: Style, rng: np.random.Generator,
               hazy: float) -> None:
        """Draw a ragged line of distant trees, faded into haze by the share ``hazy``."""
        broad = fractal(rng, (2, _COLS), [(30, 4.0), (90, 5.0), (400, 5.0)])[0]
        ragged = fractal(rng, (2, _COLS), [(3, 1.0), (8, 2.0)])[0]
        top = _ABOVE - np.maximum(8 + 16 * hazy + broad + ragged, 3)
        rows = slice(_ABOVE - 80, _ABOVE + _BELOW)
        row = np.arange(image.shape[0], dtype=np.float32)[rows, None]
        cover = np.clip(row - top + 0.5, 0, 1)[..., None]
        leaves = fractal(rng, (row.shape[0], _COLS), [(2, 0.15), (5, 0.18), (14, 0.15)])
        lit = 0.42 + 0.35 * leaves - 0.15 * smoothstep(row, _ABOVE - 30, _ABOVE)
        green = np.array(style.foliage, np.float32) * np.clip(lit, 0.1, 1)[..., None]
        mix = 0.55 * hazy * min(1.0, 300 / style.haze_length)
        green += mix * (np.array(style.sky[0], np.float32) * 0.9 - green)
        image[rows] += cover * (green - image[rows])

    def render(self, azimuth: float, plane: GroundPlane, camera: PinholeCamera,
               image: np.ndarray) -> None:
        """Fill ``image`` (uint8 RGB) with the view in the direction ``azimuth``, rad."""
        u = np.arange(camera.width, dtype=np.float32)
        angle = np.arctan((u - camera.cx) / camera.fx) + azimuth
        x = np.mod(angle / _RAD, _COLS).astype(np.float32)
        horizon = plane.horizon_row(camera, u).astype(np.float32)
        bottom = int(np.clip(np.ceil(horizon.max()) + _BELOW * camera.fy * _RAD, 0, camera.height))
        if bottom == 0:
            return
        v = np.arange(bottom, dtype=np.float32)[:, None]
        y = (v - horizon) * np.float32(1 / (camera.fy * _RAD)) + _ABOVE
        np.clip(y, 0, _ABOVE + _BELOW - 1, out=y)
        image[:bottom] = cv2.remap(self._image, np.broadcast_to(x, y.shape).copy(), y,
                                   cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
