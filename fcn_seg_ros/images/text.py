# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Write into images."""

from __future__ import annotations

import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_SIMPLEX
WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def write_text(image: np.ndarray, text: str, at: tuple[int, int], scale: float = 0.5,
               colour: tuple[int, int, int] = WHITE, outline: int = 0) -> None:
    """
    Write a line into an image, uint8 (H, W, 3), from (column, row) of its lower left corner on.

    ``outline`` is the thickness of the black below, with which it is legible on anything; 0: none.
    What OpenCV's font lacks becomes ?: bytes that are no UTF-8, as in names of files, crash it.
    """
    drawable = _drawable(text)
    for each, thickness in ((_BLACK, outline), (colour, 1)):
        if thickness:
            cv2.putText(image, drawable, at, FONT, scale, each, thickness, cv2.LINE_AA)


def text_size(text: str, scale: float = 0.5) -> tuple[int, int]:
    """Return width and height of a line in pixels, without the outline."""
    (width, height), _ = cv2.getTextSize(_drawable(text), FONT, scale, 1)
    return width, height


def _drawable(text: str) -> str:
    return text.encode('ascii', 'replace').decode()
