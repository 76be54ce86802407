# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with cameras, done to good pictures."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import cv2
import numpy as np

# What turns the frames since a fault has begun, the last good ones before it first, into the
# picture of a camera with that fault.
Fault = Callable[[Sequence[np.ndarray], np.random.Generator], np.ndarray]
_GOOD_FRAMES = 4
SKIN, MUD, CLOTH, SNOW = (120, 85, 65), (85, 65, 45), (25, 24, 22), (235, 238, 240)


def noisy(image: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Add a sensor's noise, in grey levels."""
    noise = sigma * rng.standard_normal((*image.shape[:2], 1), np.float32)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def blurred(image: np.ndarray, percent: float) -> np.ndarray:
    """Put a lens out of focus; ``percent`` of the image's width is the Gaussian's deviation."""
    return cv2.GaussianBlur(image, (0, 0), percent / 100 * image.shape[1])


def covered(image: np.ndarray, share: np.ndarray, colour: tuple[int, int, int],
            rng: np.random.Generator) -> np.ndarray:
    """Cover a share of each pixel (H, W, 0 to 1) with something of one colour."""
    mixed = image + share[..., None] * (np.array(colour, np.float32) - image)
    return noisy(mixed, 2.0, rng)


def out_of_focus(where: np.ndarray, percent: float) -> np.ndarray:
    """Return the share that what lies ``where`` on the lens covers, float32 (H, W)."""
    return blurred(where.astype(np.float32), percent)


@functools.lru_cache(maxsize=8)
def side(shape: tuple[int, ...], which: str, share: float) -> np.ndarray:
    """Return how the left, right or lower part of an image, or all of it, is covered."""
    where = np.zeros(shape[:2], bool)
    height, width = shape[:2]
    part = {'left': np.s_[:, :round(share * width)], 'right': np.s_[:, round(-share * width):],
            'bottom': np.s_[round(-share * height):], 'all': np.s_[:]}[which]
    where[part] = True
    return out_of_focus(where, 2.0)


@functools.lru_cache(maxsize=8)
def spots(shape: tuple[int, ...], share: float, seed: int) -> np.ndarray:
    """Return how a few irregular spots cover a share of an image."""
    heights = np.random.default_rng(seed).random((5, 7)).astype(np.float32)
    heights = cv2.resize(heights, shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return out_of_focus(heights > np.quantile(heights, 1 - share), 1.2)


def _last(count: int, frames: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    return frames[_GOOD_FRAMES - count + (len(frames) - _GOOD_FRAMES - 1) % count]


def _side(which: str, share: float, colour: tuple[int, int, int],
          frames: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    return covered(frames[-1], side(frames[-1].shape, which, share), colour, rng)


def _spots(share: float, seed: int, frames: Sequence[np.ndarray], rng: np.random.Generator
           ) -> np.ndarray:
    return covered(frames[-1], spots(frames[-1].shape, share, seed), MUD, rng)


def _blur(percent: float, noise: float, frames: Sequence[np.ndarray], rng: np.random.Generator
          ) -> np.ndarray:
    picture = blurred(frames[-1], percent)
    return noisy(picture, noise, rng) if noise else picture


def _gain(gain: float, offset: float, frames: Sequence[np.ndarray], rng: np.random.Generator
          ) -> np.ndarray:
    return noisy(gain * frames[-1].astype(np.float32) + offset, 2.0, rng)


# Too slight to be found in every scene.
FOUND_IN_PART = ('blurred, 0.2 %', 'mud, 30 %')
# By name: the fault, and what the monitor may call it.
FAULTS: dict[str, tuple[Fault, tuple[str, ...]]] = {
    'frozen': (partial(_last, 1), ('frozen',)),
    'frozen, 4 frames in turn': (partial(_last, 4), ('frozen',)),
    'black': (partial(_gain, 0.0, 0.0), ('black',)),
    'nearly black': (partial(_gain, 0.03, 4.0), ('black',)),
    'overexposed': (partial(_gain, 4.0, 160.0), ('overexposed',)),
    'white': (partial(_gain, 0.0, 260.0), ('overexposed',)),
    'blurred, 0.2 % of the width': (partial(_blur, 0.2, 0.0), ('blurred',)),
    'blurred, 0.4 %': (partial(_blur, 0.4, 0.0), ('blurred',)),
    'blurred, 0.4 %, noise of 3': (partial(_blur, 0.4, 3.0), ('blurred',)),
    'blurred, 0.8 %': (partial(_blur, 0.8, 0.0), ('blurred', 'covered')),
    'blurred, 1.6 %': (partial(_blur, 1.6, 0.0), ('blurred', 'covered')),
    'hand, left 30 %': (partial(_side, 'left', 0.3, SKIN), ('covered',)),
    'hand, right 50 %': (partial(_side, 'right', 0.5, SKIN), ('covered',)),
    'hand, all': (partial(_side, 'all', 1.0, SKIN), ('covered',)),
    'dark cloth, lower half': (partial(_side, 'bottom', 0.5, CLOTH), ('covered',)),
    'dark cloth, all': (partial(_side, 'all', 1.0, CLOTH), ('covered', 'black')),
    'mud, 30 %': (partial(_spots, 0.3, 2), ('covered',)),
    'mud, 50 %': (partial(_spots, 0.5, 3), ('covered',)),
    'snow, all': (partial(_side, 'all', 1.0, SNOW), ('covered', 'overexposed')),
}


def faulty(name: str, before: Sequence[np.ndarray], frames: Sequence[np.ndarray],
           seed: int = 0) -> Iterator[np.ndarray]:
    """Yield frames as a camera with a fault shows them; ``before`` are good ones before it."""
    fault, rng = FAULTS[name][0], np.random.default_rng(seed)
    shown = [*before[-_GOOD_FRAMES:], *frames]
    for number in range(_GOOD_FRAMES + 1, len(shown) + 1):
        yield fault(shown[:number], rng)
