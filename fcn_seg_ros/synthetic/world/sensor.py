# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Turn light into an image: glare, dirty glass, exposure, noise, and a dashcam's clock."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.noise import fractal, smoothstep
from fcn_seg_ros.synthetic.world.conditions import Conditions


@dataclass(frozen=True)
class Sensor:
    """A camera's sensor and the glass in front of it, fixed for a drive."""

    target: float
    filmic: bool
    contrast: float
    saturation: float
    balance: tuple[float, float, float]
    noise: float
    blur: float
    bloom: float
    vignette: float
    dirt: float
    drops: int
    veil: float
    text: str


def sample_sensor(rng: np.random.Generator, sky: Conditions) -> Sensor:
    """Return a random sensor behind random glass."""
    warm, green = rng.normal(0, 0.07), rng.normal(0, 0.03)
    dirty = rng.random() < 0.3
    wet = sky.name in ('rain', 'night_rain')
    text = f'2021-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d} {rng.integers(24):02d}:' \
           f'{rng.integers(60):02d}:{rng.integers(60):02d}  {rng.integers(120)} KM/H'
    return Sensor(float(rng.uniform(0.12, 0.30)) * (0.5 if sky.dark else 1.0),
                  bool(rng.random() < 0.6), float(rng.uniform(0.9, 1.25)),
                  float(rng.uniform(0.6, 1.25)),
                  (1 + float(warm), 1 + float(green), 1 - float(warm)),
                  float(np.exp(rng.uniform(np.log(0.004), np.log(0.02)))) * (2 if sky.dark else 1),
                  float(max(0.0, rng.uniform(-0.6, 0.8))), float(rng.uniform(0.01, 0.08)),
                  float(rng.uniform(0, 0.35)), float(rng.uniform(0.2, 1.0)) if dirty else 0.0,
                  int(rng.integers(10, 90)) if wet and rng.random() < 0.6 else 0,
                  float(max(0.0, rng.uniform(-0.06, 0.06))),
                  text if rng.random() < 0.15 else '')


def develop(light: np.ndarray, size: tuple[int, int], sensor: Sensor,
            rng: np.random.Generator) -> np.ndarray:
    """Return an image (uint8 RGB) of ``size`` (width, height) for light (float32, linear RGB)."""
    light = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    light = _glass(light, sensor, rng)
    light = _bloom(light, sensor.bloom)
    grey = light @ np.array([0.25, 0.6, 0.15], np.float32)
    middle = float(np.exp(np.log(grey[::4, ::4] + 1e-3).mean()))
    gain = float(np.clip(sensor.target / middle, 0.05, 12.0)) * float(rng.uniform(0.85, 1.2))
    light = light * (gain * np.array(sensor.balance, np.float32))
    if sensor.vignette:
        light *= _vignette(size, sensor.vignette)
    image = _toned(_noisy(light, sensor, rng, gain), sensor)
    if sensor.blur > 0:
        image = cv2.GaussianBlur(image, (0, 0), 0.3 + sensor.blur)
    image = cv2.convertScaleAbs(image, alpha=255)
    if sensor.text:
        _stamp(image, sensor.text, rng)
    return image


def _bloom(light: np.ndarray, strength: float) -> np.ndarray:
    """Spread part of the light of bright spots over their surroundings."""
    size = light.shape[1::-1]
    small = cv2.resize(np.minimum(light, 30.0), (size[0] // 4, size[1] // 4),
                       interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), 3.0)
    tiny = cv2.resize(small, (size[0] // 16, size[1] // 16), interpolation=cv2.INTER_AREA)
    wider = cv2.resize(cv2.GaussianBlur(tiny, (0, 0), 4.0), small.shape[1::-1])
    spread = cv2.resize(0.6 * wide + 0.4 * wider, size)
    return light * np.float32(1 - strength) + spread * np.float32(strength)


def _glass(light: np.ndarray, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """Add effects of the windscreen: dust, smears, drops, a reflection."""
    height, width = light.shape[:2]
    mean = light.mean(axis=(0, 1))
    if sensor.veil:
        light = light + np.float32(sensor.veil) * mean * np.linspace(
            0, 1, height, dtype=np.float32)[:, None, None]
    if sensor.dirt:
        field = fractal(rng, (128, 256), [(60, 0.6), (22, 0.5), (8, 0.5), (2, 0.5)])
        dust = smoothstep(cv2.resize(field, (width, height)), 0.8, 3.0) * np.float32(
            0.5 * sensor.dirt)
        soft = cv2.blur(light, (25, 25))
        light = light + dust[..., None] * (0.5 * soft + 0.4 * mean - light)
    for _ in range(sensor.drops):
        light = _drop(light, rng)
    return light


def _drop(light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add the view through a drop of water: small, upside down, blurred at its edge."""
    height, width = light.shape[:2]
    radius = min(int(rng.gamma(2.0, height / 160)) + 2, height // 4)
    y, x = int(rng.integers(radius, height - radius)), int(rng.integers(radius, width - radius))
    reach = min(5 * radius, y, x, height - y, width - x)
    piece = light[y - reach:y + reach, x - reach:x + reach]
    if reach < radius or not piece.size:
        return light
    small = cv2.resize(piece[::-1, ::-1], (2 * radius, 2 * radius), interpolation=cv2.INTER_AREA)
    at = np.arange(2 * radius) - radius + 0.5
    inside = np.clip((radius - np.hypot(at[:, None], at[None])) / (0.4 * radius), 0, 1)
    alpha = (0.75 * inside)[..., None].astype(np.float32)
    part = light[y - radius:y + radius, x - radius:x + radius]
    part += alpha * (small - part)
    return light


def _vignette(size: tuple[int, int], strength: float) -> np.ndarray:
    x = np.linspace(-1, 1, size[0], dtype=np.float32)[None]
    y = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    return (1 - strength * 0.5 * (x * x + y * y))[..., None]


def _noisy(light: np.ndarray, sensor: Sensor, rng: np.random.Generator,
           gain: float) -> np.ndarray:
    """Add photon noise and read noise, stronger for a higher gain."""
    noise = rng.standard_normal(light.shape, np.float32)
    if sensor.blur > 0.3:
        noise = cv2.blur(noise, (2, 2)) * np.float32(1.7)
    amount = np.float32(sensor.noise * np.sqrt(max(gain, 1.0)))
    return light + noise * amount * np.sqrt(np.maximum(light, 0) + np.float32(0.02))


def _toned(light: np.ndarray, sensor: Sensor) -> np.ndarray:
    """Convert linear light to display values, 0..1."""
    x = np.maximum(light, 0)
    if sensor.filmic:
        x = x * np.float32(0.85)
        x = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)
    x = np.minimum(x, 1)
    x = cv2.pow(x, 1 / 2.2)
    grey = (x @ np.array([0.3, 0.59, 0.11], np.float32))[..., None]
    x = grey + np.float32(sensor.saturation) * (x - grey)
    return np.clip((x - 0.45) * np.float32(sensor.contrast) + np.float32(0.45), 0, 1)


def _stamp(image: np.ndarray, text: str, rng: np.random.Generator) -> None:
    """Write the time in a corner, as dashcams do."""
    scale = image.shape[0] / 900
    y = int(image.shape[0] * (0.97 if len(text) % 2 else 0.06))
    cv2.putText(image, text, (int(0.03 * image.shape[1]), y), cv2.FONT_HERSHEY_SIMPLEX,
                scale, (240.0, 240.0, 230.0), max(1, round(2 * scale)), cv2.LINE_AA)
