# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Effects of night, weather and dirt, as torchvision v2 transforms like those in ``photometric``.

They change images (uint8, (3, H, W)), leave labels as they are, and draw random numbers from
torch's global generator only.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import torch

from fcn_seg_ros.datasets.photometric import Photometric, image_size, uniform


class Night(Photometric):
    """Little light: a steep tone curve and a low gain."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw exponent and gain."""
        return {'exponent': uniform(1.6, 2.8), 'gain': uniform(0.35, 0.9)}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Look every value up in the curve."""
        curve = 255 * params['gain'] * (np.arange(256) / 255) ** params['exponent']
        return cv2.LUT(image, (curve + 0.5).astype(np.uint8))


class Overexposure(Photometric):
    """Too much light: a gain that turns bright areas white."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the gain."""
        return {'gain': uniform(1.4, 2.4)}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Multiply and clip."""
        return cv2.convertScaleAbs(image, alpha=params['gain'])


class Fog(Photometric):
    """A grey veil, thickest around the horizon and thinner towards the camera."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the horizon as a share of the height, density and brightness."""
        return {'horizon': uniform(0.2, 0.5), 'density': uniform(0.3, 0.9),
                'light': uniform(120, 230)}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Blend with grey."""
        rows = np.linspace(0, 1, len(image), dtype=np.float32)
        veil = params['density'] * np.clip(1.3 - 2 * np.abs(rows - params['horizon']), 0, 1)
        veil = veil[:, None, None].astype(np.float32)
        mixed = image * (1 - veil) + params['light'] * veil
        return (mixed + 0.5).astype(np.uint8)


class Glare(Photometric):
    """A low sun or oncoming headlights: light that falls off around a point, over everything."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw place, reach and strength."""
        return {'x': uniform(0, 1), 'y': uniform(-0.1, 0.6), 'reach': uniform(0.1, 0.5),
                'light': uniform(100, 300)}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Add the light."""
        height, width = image.shape[:2]
        rows, columns = np.mgrid[0:height:8, 0:width:8].astype(np.float32)
        distance = np.hypot(rows - params['y'] * height, columns - params['x'] * width)
        light = params['light'] * np.exp(-distance / (params['reach'] * width))
        light = cv2.resize(light.astype(np.float32), (width, height))
        return cv2.add(image, cv2.merge([light] * 3), dtype=cv2.CV_8U)


class Rain(Photometric):
    """Bright streaks of rain, all with the same slant, and less contrast."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the drops, their slant and brightness."""
        height, width = image_size(flat_inputs)
        return {'drops': (torch.rand(height, width) > 1 - uniform(0.002, 0.008)).float().numpy(),
                'slant': round(uniform(-4, 4)), 'light': uniform(40, 130),
                'contrast': uniform(0.6, 0.95)}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Draw the streaks."""
        line = np.zeros((15, 15), np.float32)
        cv2.line(line, (7 + params['slant'], 0), (7, 14), 1.0)
        streaks = params['light'] * cv2.filter2D(params['drops'], -1, line)
        dull = cv2.convertScaleAbs(image, alpha=params['contrast'],
                                   beta=110 * (1 - params['contrast']))
        return cv2.add(dull, cv2.merge([streaks] * 3), dtype=cv2.CV_8U)


class DirtyLens(Photometric):
    """Drops and dirt on the lens: soft spots in which the picture is blurred and darker."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw places, sizes and how dark each spot is."""
        count = 2 + int(uniform(0, 12))
        return {'spots': torch.rand(count, 4).numpy(), 'blur': uniform(4, 10)}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Blend with a blurred, darker picture in the spots."""
        height, width = image.shape[:2]
        shape = np.zeros((height // 4 + 1, width // 4 + 1), np.float32)
        for x, y, size, depth in params['spots']:
            radius = math.exp(math.log(0.01) + size * math.log(6)) * width / 4
            centre = round(x * shape.shape[1]), round(y * shape.shape[0])
            cv2.circle(shape, centre, max(1, round(radius)), 0.4 + 0.6 * float(depth), -1)
        shape = cv2.GaussianBlur(shape, (0, 0), 0.006 * width)
        share = cv2.resize(shape, (width, height))[..., None]
        behind = 0.75 * cv2.GaussianBlur(image, (0, 0), params['blur']).astype(np.float32)
        return (image * (1 - share) + behind * share + 0.5).astype(np.uint8)
