# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A contact sheet: a dozen images of a drive side by side, each with a line of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fcn_seg_ros.drives.video_writer import fit
from fcn_seg_ros.images.text import write_text

TILES = 12
SHEET_WIDTH = 1920
GAP = 4
ASPECT = 1.6


def evenly(count: int, wanted: int = TILES) -> list[int]:
    """Return at most ``wanted`` indices, evenly spaced from a sequence's first to its last."""
    picked = np.linspace(0, count - 1, min(count, wanted)).round().astype(int)
    return sorted(set(picked.tolist()))


def contact_sheet(images: Sequence[np.ndarray], captions: Sequence[str]) -> np.ndarray:
    """
    Return a sheet of one or more RGB images, uint8 (H, W, 3), 1920 pixels wide.

    The number of columns makes the sheet roughly 16:10. Images are fitted into tiles of the first
    one's shape.
    """
    rows, columns = images[0].shape[:2]
    per_row = min(range(1, len(images) + 1), key=lambda n: abs(
        np.log(n * columns / (-(-len(images) // n) * rows) / ASPECT)))
    width = (SHEET_WIDTH - GAP * (per_row - 1)) // per_row
    height = max(1, round(width * rows / columns))
    down = -(-len(images) // per_row)
    sheet = np.full((down * (height + GAP) - GAP, SHEET_WIDTH, 3), 32, np.uint8)
    for index, (image, caption) in enumerate(zip(images, captions, strict=True)):
        tile = np.ascontiguousarray(fit(image, width, height))
        write_text(tile, caption, (8, 20), outline=4)
        y, x = (height + GAP) * (index // per_row), (width + GAP) * (index % per_row)
        sheet[y:y + height, x:x + width] = tile
    return sheet
