# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Effects of other cameras, lenses and lighting, as torchvision v2 transforms.

They change images (uint8, (3, H, W)) and leave labels as they are. They draw random numbers from
torch's global generator only, and compute with OpenCV, which is several times as fast as torch.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

# Shares of the height: no shadow above the first, full shadow below the second.
_SHADOW_RAMP = (0.25, 0.5)


class Photometric(v2.Transform):
    """An image transform on (H, W, 3) arrays; subclasses define ``make_params`` and ``change``."""

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Return the changed image, uint8 (H, W, 3)."""
        raise NotImplementedError

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Change an image; labels stay as they are."""
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        changed = self.change(np.ascontiguousarray(inpt.permute(1, 2, 0).numpy()), params)
        return tv_tensors.Image(torch.from_numpy(changed).permute(2, 0, 1))


class ToneCurve(Photometric):
    """
    A random gamma and white balance.

    The exponent is log-uniform in 1 / (1 + ``gamma``) to 1 + ``gamma``, the gain of each channel
    in 1 to exp(2 ``white_balance``). The smallest gain is 1, so that saturated pixels stay white.
    """

    def __init__(self, gamma: float, white_balance: float) -> None:
        super().__init__()
        self._gamma, self._white_balance = math.log1p(gamma), white_balance

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the exponent and the gains."""
        exponent = math.exp(uniform(-self._gamma, self._gamma))
        gains = [math.exp(uniform(-self._white_balance, self._white_balance)) for _ in range(3)]
        return {'exponent': exponent, 'gains': np.array(gains) / min(gains)}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Look every value up in its channel's curve."""
        curve = (np.arange(256) / 255) ** params['exponent']
        table = 255 * curve[:, None] * params['gains']
        return cv2.LUT(image, np.clip(table + 0.5, 0, 255).astype(np.uint8)[None])


class MotionBlur(Photometric):
    """Blur of a camera that moves by ``lengths`` pixels during the exposure, in any direction."""

    def __init__(self, lengths: tuple[float, float]) -> None:
        super().__init__()
        self._lengths = lengths

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw length and direction."""
        return {'length': uniform(*self._lengths), 'angle': uniform(0, math.pi)}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Average along a line."""
        half = params['length'] / 2
        radius = math.ceil(half)
        # Points on the line, each spread over the four pixels around it.
        kernel = np.zeros((2 * radius + 3, 2 * radius + 3), np.float32)
        for step in np.linspace(-half, half, 4 * radius + 1):
            x, y = radius + step * math.cos(params['angle']), radius + step * math.sin(
                params['angle'])
            column, row = math.floor(x), math.floor(y)
            dx, dy = x - column, y - row
            kernel[row:row + 2, column:column + 2] += np.outer([1 - dy, dy], [1 - dx, dx])
        kernel = kernel[:2 * radius + 1, :2 * radius + 1]
        return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


class SensorNoise(Photometric):
    """
    Noise with a standard deviation of up to ``sigma`` (of 255), the same for all channels.

    Half of the variance is read noise, half shot noise, which is proportional to the light.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self._sigma = sigma

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the strength and the noise itself."""
        height, width = image_size(flat_inputs)
        return {'sigma': uniform(1.0, self._sigma),
                'noise': torch.randn(height, width, 3).numpy()}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Add noise that grows with the square root of the light."""
        sigmas = params['sigma'] * np.sqrt(0.5 + np.arange(256) / 255)
        noise = params['noise'] * cv2.LUT(image, sigmas.astype(np.float32))
        return cv2.add(image, noise, dtype=cv2.CV_8U)


class CastShadow(Photometric):
    """
    Soft shadows over part of the picture: of walls (polygons) or foliage (blotches).

    They take up to ``depth`` of the light, and less of the blue, which comes from the sky.
    """

    def __init__(self, depth: float) -> None:
        super().__init__()
        self._depth = depth

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the shadow's shape at an eighth of the size, its depth and its softness."""
        rows, columns = (max(4, side // 8) for side in image_size(flat_inputs))
        shape = (_blotches if uniform(0, 1) < 0.35 else _polygons)(rows, columns)
        blur = math.exp(uniform(math.log(0.3), math.log(2.0)))
        return {'shape': cv2.GaussianBlur(shape, (0, 0), blur),
                'depth': uniform(0.4, 1.0) * self._depth}

    def change(self, image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """Darken."""
        shape = params['shape']
        start, full = _SHADOW_RAMP
        ramp = np.clip((np.linspace(0, 1, len(shape)) - start) / (full - start), 0, 1)
        shade = params['depth'] * shape * ramp[:, None].astype(np.float32)
        light = 255 * (1 - shade[..., None] * np.array([1.0, 0.97, 0.88], np.float32))
        light = cv2.resize(light.astype(np.uint8), image.shape[1::-1],
                           interpolation=cv2.INTER_LINEAR)
        return cv2.multiply(image, light, scale=1 / 255)


def image_size(inputs: list[Any]) -> tuple[int, int]:
    """Return (height, width) of the image among a transform's inputs."""
    image = next(x for x in inputs if isinstance(x, tv_tensors.Image))
    return image.shape[-2], image.shape[-1]


def uniform(low: float, high: float) -> float:
    """Draw a number from torch's global generator."""
    return low + (high - low) * torch.rand(()).item()


def _polygons(rows: int, columns: int) -> np.ndarray:
    """Return one or two polygons of three to six corners, float32 0 or 1 of (rows, columns)."""
    shape = np.zeros((rows, columns), np.float32)
    for _ in range(1 + int(uniform(0, 2))):
        corners = 3 + int(uniform(0, 4))
        turns = np.sort(torch.rand(corners).numpy()) * 2 * math.pi
        reach = 0.3 + torch.rand(corners).numpy()
        x = columns * (uniform(0, 1) + 0.4 * reach * np.cos(turns))
        y = rows * (uniform(0.4, 1) + 0.4 * reach * np.sin(turns))
        cv2.fillPoly(shape, [np.stack([x, y], 1).astype(np.int32)], 1.0)
    return shape


def _blotches(rows: int, columns: int) -> np.ndarray:
    """Return blotches of many sizes over about half of the area, float32 0 to 1."""
    field: Any = np.zeros((rows, columns), np.float32)
    for cells in (4, 9, 18):
        noise = torch.randn(cells, 2 * cells).numpy()
        field += cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.clip(0.5 + 2 * field, 0, 1)
