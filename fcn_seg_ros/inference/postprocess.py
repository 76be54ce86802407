# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From road probability to what is published: mask and overlay."""

from __future__ import annotations

import math

import cv2
import numpy as np


def probability_to_mask(probability: np.ndarray, threshold: float) -> np.ndarray:
    """
    Return the road mask, uint8 (H, W): 1 where the probability is at least ``threshold``.

    ``probability`` is round(255 P(road)), uint8; ``threshold`` is on P(road), 0 to 1.
    """
    level = min(255, max(0, math.ceil(threshold * 255 - 1e-9)))
    if level == 0:
        return np.ones_like(probability)
    # THRESH_BINARY is strictly greater, hence the level below.
    return cv2.threshold(probability, level - 1, 1, cv2.THRESH_BINARY)[1]


def draw_overlay(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int],
                 alpha: float) -> np.ndarray:
    """
    Return the image with the road tinted, uint8 RGB (H, W, 3).

    ``mask`` is uint8 (H, W), not 0 where the road is; ``alpha`` the share of ``colour`` (RGB)
    there, 0 to 1.
    """
    tinted = cv2.addWeighted(image, 1.0 - alpha, np.full_like(image, colour), alpha, 0.0)
    return cv2.copyTo(tinted, mask, image.copy())
