# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The interface of an inference backend."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Backend(Protocol):
    """
    Runs InferenceGraph somewhere.

    Calling it takes RGB images, uint8 (N, H, W, 3) with H and W multiples of 32, and returns
    round(255 P(road)), uint8 (N, H, W). The first call of a shape may take long (compilation).
    ``device`` is ``cpu`` or ``cuda:N``, ``precision`` what is really computed in.
    """

    name: str
    device: str
    precision: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the road probability of every pixel of every image."""
        ...
