# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Image corruptions, to measure robustness. Not for training.

Those of ImageNet-C (Hendrycks, Dietterich, "Benchmarking Neural Network Robustness to Common
Corruptions and Perturbations", ICLR 2019) have severity 3 of 5 and the published lengths in pixels
for any image size, as in Michaelis et al. ("Benchmarking Robustness in Object Detection", 2019).
Others, which matter on roads, are this project's, about as strong. Every function takes an image,
uint8 RGB (H, W, 3), and a random generator.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import cv2
import numpy as np

from fcn_seg_ros.images.decode import decode


def corrupt(image: np.ndarray, kind: str, seed: str) -> np.ndarray:
    """Return an image with a corruption (a key of CORRUPTIONS), which depends only on ``seed``."""
    rng = np.random.default_rng(zlib.crc32(f'{kind} {seed}'.encode()))
    return CORRUPTIONS[kind](image, rng)


def jpeg(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Compress as JPEG of quality 15 (ImageNet-C)."""
    coded = cv2.imencode('.jpg', image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 15])[1]
    return decode(coded)


def gaussian_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add noise with a standard deviation of 0.18 of the range (ImageNet-C)."""
    noise = rng.standard_normal(image.shape, np.float32)
    return cv2.add(image, noise * np.float32(0.18 * 255), dtype=cv2.CV_8U)


def shot_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add photon noise, with 12 photons for white (ImageNet-C)."""
    photons = rng.poisson(image * (12 / 255))
    return np.clip(photons * (255 / 12), 0, 255).astype(np.uint8)


def motion_blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """
    Blur along a line within 45 degrees of the horizontal.

    ImageNet-C (radius 15, sigma 8) weights one side of the pixel only, which shifts the image
    against its labels; here the weights are symmetric, with the same spread.
    """
    sigma, reach = 8 * math.sqrt(1 - 2 / math.pi), 15
    angle = rng.uniform(-math.pi / 4, math.pi / 4)
    return cv2.filter2D(image, -1, _line(sigma, reach, angle), borderType=cv2.BORDER_REFLECT_101)


def defocus_blur(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur with a disc with a radius of 6 pixels (ImageNet-C)."""
    y, x = np.mgrid[-8:9, -8:9]
    disc = cv2.GaussianBlur((x * x + y * y <= 36).astype(np.float32), (3, 3), 0.5)
    return cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101)


def dark(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Darken, with sensor noise: asphalt with 100 of 255 becomes 24."""
    table = 0.6 * 255 * (np.arange(256) / 255) ** 2
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(0.03 * 255)
    return cv2.add(cv2.LUT(image, table.astype(np.float32)), noise, dtype=cv2.CV_8U)


def overexposure(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Raise the value in HSV by 76, 0.3 of the range (brightness in ImageNet-C)."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 2] = np.minimum(hsv[..., 2], 255 - 76) + 76
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def contrast(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reduce the distance to the mean colour to a fifth (ImageNet-C)."""
    mean = image.reshape(-1, 3).mean(axis=0)
    table = 0.2 * (np.arange(256)[:, None] - mean) + mean
    return cv2.LUT(image, np.clip(table + 0.5, 0, 255).astype(np.uint8)[None])


def fog(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add clouds of fog with 2.5 times the range, and rescale to the range (ImageNet-C)."""
    veil = 2.5 * _clouds(image.shape[0], image.shape[1], 1.7, rng)
    most = float(image.max()) / 255
    mixed = (image / np.float32(255) + veil[..., None]) * np.float32(most / (most + 2.5))
    return _to_image(mixed)


def rain(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw bright, nearly vertical streaks over a greyer, darker image."""
    height, width = image.shape[:2]
    drops = (rng.random((height, width), np.float32) < 0.004).astype(np.float32)
    angle = math.pi / 2 + rng.uniform(-0.3, 0.3)
    streaks = cv2.filter2D(drops, -1, _line(9.0, 18, angle) * 23)
    layer = np.minimum(streaks, 1)[..., None] * np.float32(0.3)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None] / np.float32(255)
    wet = np.float32(0.85) * (np.float32(0.7) * image / np.float32(255) + np.float32(0.3) * grey)
    return _to_image(wet * (1 - layer) + np.float32(0.85) * layer)


def glare(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add a low sun: a white disc, a halo, and a veil over everything."""
    height, width = image.shape[:2]
    size = math.hypot(height, width)
    x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.15, 0.45) * height
    rows, columns = np.ogrid[:height, :width]
    away = np.sqrt((columns - x) ** 2 + (rows - y) ** 2) / size
    light = 0.12 + 1.6 * np.exp(-(away / 0.05) ** 2) + 0.7 * np.exp(-away / 0.15)
    colour = np.array([1.0, 0.95, 0.82], np.float32)
    return _to_image(image / np.float32(255) + light.astype(np.float32)[..., None] * colour)


def warm(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tint orange, like a wrong white balance."""
    return _gains(image, (1.2, 0.95, 0.6))


def cold(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tint blue, like a camera set to incandescent light in daylight."""
    return _gains(image, (0.65, 0.95, 1.25))


def dirty_lens(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add 40 out-of-focus specks of dirt all over the image."""
    height, width = image.shape[:2]
    size = math.sqrt(height * width)
    cover = np.zeros((height, width), np.float32)
    for _ in range(40):
        speck = np.zeros_like(cover)
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        axes = (int(size * rng.uniform(0.02, 0.09)), int(size * rng.uniform(0.02, 0.09)))
        cv2.ellipse(speck, centre, axes, rng.uniform(0, 180), 0, 360, rng.uniform(0.5, 0.95), -1)
        cover = np.maximum(cover, speck)
    cover = cv2.GaussianBlur(cover, (0, 0), 0.012 * size)[..., None]
    dirt = np.array([0.30, 0.27, 0.23], np.float32)
    return _to_image(image / np.float32(255) * (1 - cover) + dirt * cover)


CORRUPTIONS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    function.__name__: function for function in (
        jpeg, gaussian_noise, shot_noise, motion_blur, defocus_blur, dark, overexposure, contrast,
        fog, rain, glare, warm, cold, dirty_lens)}


def _line(sigma: float, reach: int, angle: float) -> np.ndarray:
    """Return a kernel of sum 1 along a line, a Gaussian truncated at ``reach`` pixels."""
    kernel = np.zeros((2 * reach + 3, 2 * reach + 3), np.float32)
    for step in np.linspace(-reach, reach, 4 * reach + 1):
        # Spread over the four pixels around the point.
        x, y = reach + 1 + step * math.cos(angle), reach + 1 + step * math.sin(angle)
        column, row = min(int(x), 2 * reach + 1), min(int(y), 2 * reach + 1)
        dx, dy = x - column, y - row
        weight = math.exp(-step * step / (2 * sigma * sigma))
        kernel[row:row + 2, column:column + 2] += weight * np.outer([1 - dy, dy], [1 - dx, dx])
    return kernel / kernel.sum()


def _clouds(height: int, width: int, decay: float, rng: np.random.Generator) -> np.ndarray:
    """Return fractal noise, 0 to 1 (H, W); each octave is weaker by a factor of ``decay``."""
    side = max(height, width)
    total: np.ndarray = np.zeros((side, side), np.float32)
    for octave in range(1, math.ceil(math.log2(side)) + 1):
        cells = min(side, 2 ** octave + 1)
        noise = rng.uniform(-1, 1, (cells, cells)).astype(np.float32) * np.float32(decay ** -octave)
        total = cv2.add(total, cv2.resize(noise, (side, side), interpolation=cv2.INTER_LINEAR))
    part: np.ndarray = total[:height, :width]
    return (part - part.min()) / (part.max() - part.min())


def _gains(image: np.ndarray, gains: tuple[float, float, float]) -> np.ndarray:
    table = np.arange(256)[:, None] * np.array(gains)
    return cv2.LUT(image, np.clip(table + 0.5, 0, 255).astype(np.uint8)[None])


def _to_image(values: np.ndarray) -> np.ndarray:
    """Return values, clipped to 0 to 1, as uint8."""
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
