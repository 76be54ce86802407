# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A picture of a closed loop: camera with path, overlay, mask, and the grid from above."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.images.text import write_text

GRID_WIDTH = 360
_PATH = (235, 60, 40)
_UNKNOWN = (70, 74, 82)


def compose(camera: np.ndarray, overlay: np.ndarray | None, mask: np.ndarray | None,
            grid: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """
    Return the picture, uint8 RGB: camera over overlay, mask over grid, ``lines`` on top.

    Images are uint8, (H, W, 3) and (H, W) for the mask; what is None stays dark.
    """
    height, width = camera.shape[:2]
    dark = np.full_like(camera, 32)
    shown = dark if mask is None else np.repeat(
        np.where(mask == 255, 110, np.where(mask > 0, 235, 0)).astype(np.uint8)[..., None], 3, 2)
    left = np.vstack([camera, dark if overlay is None else overlay])
    half = cv2.resize(shown, (GRID_WIDTH, round(GRID_WIDTH * height / width)),
                      interpolation=cv2.INTER_AREA)
    below = 2 * height - half.shape[0]
    scale = min(GRID_WIDTH / grid.shape[1], below / grid.shape[0])
    small = cv2.resize(grid, (round(grid.shape[1] * scale), round(grid.shape[0] * scale)),
                       interpolation=cv2.INTER_AREA)
    room = np.full((below, GRID_WIDTH, 3), 32, np.uint8)
    at = (GRID_WIDTH - small.shape[1]) // 2
    room[:small.shape[0], at:at + small.shape[1]] = small
    picture = np.hstack([left, np.vstack([half, room])])
    for number, line in enumerate(lines):
        write_text(picture, line, (8, 20 + 20 * number), outline=4)
    return picture


def with_path(image: np.ndarray, view: GroundView, path: np.ndarray, half_width: float
              ) -> np.ndarray:
    """Return the camera's image with the lane that the vehicle will drive; path (N, 3)."""
    out = image.copy()
    sides = []
    for side in (half_width, -half_width):
        x = path[:, 0] - side * np.sin(path[:, 2])
        y = path[:, 1] + side * np.cos(path[:, 2])
        u, v = view.ground_to_pixel(x, y)
        seen = np.isfinite(u) & np.isfinite(v) & (np.abs(u) < 1e4) & (np.abs(v) < 1e4)
        sides.append(np.stack([u[seen], v[seen]], axis=1))
    area = np.concatenate([sides[0], sides[1][::-1]])
    if len(sides[0]) > 1 and len(sides[1]) > 1:
        tint = out.copy()
        cv2.fillPoly(tint, [np.rint(area).astype(np.int32)], _PATH, cv2.LINE_AA)
        out = cv2.addWeighted(tint, 0.4, out, 0.6, 0.0)
        for line in sides:
            cv2.polylines(out, [np.rint(line).astype(np.int32)], False, _PATH, 1, cv2.LINE_AA)
    return out


def grid_picture(values: np.ndarray, cell: float, corner: tuple[float, float], path: np.ndarray,
                 outline: np.ndarray) -> np.ndarray:
    """
    Return the grid from above, x up, with path and vehicle: uint8 RGB, 4 pixels a cell.

    ``values``, int8 (rows along y, columns along x), -1 unknown; ``corner`` is x, y of the first
    cell's corner, ``outline`` (N, 2) the vehicle's corners, forward and to the right.
    """
    free = np.clip(values, 0, 100).astype(np.float32)[..., None] / 100
    colour = (1 - free) * (70, 190, 105) + free * (25, 25, 28)
    colour = np.where(values[..., None] < 0, _UNKNOWN, colour)
    # Rows run along y to the left, columns along x: turned so that x points up.
    turned = np.ascontiguousarray(colour.astype(np.uint8).transpose(1, 0, 2)[::-1, ::-1])
    image = np.asarray(cv2.resize(turned, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST))
    height, width = image.shape[:2]

    def pixel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.rint(np.stack([width - (y - corner[1]) / cell * 4,
                                 height - (x - corner[0]) / cell * 4], axis=1)).astype(np.int32)

    cv2.polylines(image, [pixel(path[:, 0], path[:, 1])], False, _PATH, 8, cv2.LINE_AA)
    cv2.fillPoly(image, [pixel(outline[:, 0], -outline[:, 1])], (240, 240, 240), cv2.LINE_AA)
    return image
