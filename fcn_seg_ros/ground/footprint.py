# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The mean of an image over the area that each cell of a grid covers in it."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.ground.view import GroundView

# Samples along a side of a footprint: enough for every pixel of a small one, an even selection of a
# large one's pixels.
_SAMPLES_PER_PIXEL = 1.5
_FEWEST, _MOST = 1, 6
UNKNOWN = 255


class Footprints:
    """
    The pixels that each cell between lines of constant x and y covers, and how much of them.

    ``cells`` are the flat numbers, rising, of the cells whose four corners are in the image and
    whose footprint's longer side has at least ``min_pixels``. ``unknown`` is the share of each that
    the last mask did not know, None if it knew all.
    """

    def __init__(self, view: GroundView, x: np.ndarray, y: np.ndarray, min_pixels: float) -> None:
        self.shape = (view.camera.height, view.camera.width)
        self.unknown: np.ndarray | None = None
        sides = [np.hypot(*side).ravel() for side in _sides(view, x, y)]
        with np.errstate(invalid='ignore'):
            seen = np.maximum(*sides) >= min_pixels
        self.cells = np.flatnonzero(seen).astype(np.intp)
        counts = [_count(side[self.cells]) for side in sides]
        self._pixels, self._weights, self._starts = _weights(view, x, y, self.cells, *counts)
        self._values = np.empty(len(self._pixels), np.uint8)
        self._flags = np.empty(len(self._pixels), np.bool_)
        self._products = np.empty(len(self._pixels), np.float32)
        self._share = np.empty(len(self.cells), np.float32)

    def mean(self, image: np.ndarray, mask: np.ndarray, out: np.ndarray) -> np.ndarray:
        """
        Fill ``out``, float32 (cells,), with the mean over each footprint, and return it.

        ``image`` is uint8 (H, W). Pixels where ``mask``, uint8 of that shape, is 255 are left out
        (``unknown`` is their share); 255 where there is no other.
        """
        if image.shape != self.shape or mask.shape != self.shape:
            raise ValueError(f'image: expected {self.shape} pixels, found {image.shape}')
        self.unknown = None
        if not len(self.cells):
            return out
        products = self._products
        image.ravel().take(self._pixels, out=self._values, mode='clip')
        np.multiply(self._values, self._weights, out=products)
        if mask.max() != UNKNOWN:
            return np.add.reduceat(products, self._starts, out=out)
        mask.ravel().take(self._pixels, out=self._values, mode='clip')
        np.equal(self._values, UNKNOWN, out=self._flags)
        np.putmask(products, self._flags, 0.0)
        np.add.reduceat(products, self._starts, out=out)
        np.multiply(self._flags, self._weights, out=products)
        self.unknown = np.add.reduceat(products, self._starts, out=self._share)
        np.divide(out, 1.0 - self._share, out=out, where=self._share < 1.0)
        return out


def _sides(view: GroundView, x: np.ndarray, y: np.ndarray
           ) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """
    Return the mean image vectors (u, v) of each cell's sides along x and along y, in pixels.

    They have the shape (rows, columns), and are NaN where a corner is not in the image.
    """
    u, v = view.ground_to_pixel(x[None, :], y[:, None])
    outside = ~view.camera.inside(u, v)
    u[outside], v[outside] = np.nan, np.nan
    along_x = tuple((a[1:, 1:] - a[1:, :-1] + a[:-1, 1:] - a[:-1, :-1]) / 2 for a in (u, v))
    along_y = tuple((a[1:, 1:] - a[:-1, 1:] + a[1:, :-1] - a[:-1, :-1]) / 2 for a in (u, v))
    return along_x, along_y


def _count(length: np.ndarray) -> np.ndarray:
    return np.clip(np.ceil(length * _SAMPLES_PER_PIXEL), _FEWEST, _MOST).astype(np.intp)


def _weights(view: GroundView, x: np.ndarray, y: np.ndarray, cells: np.ndarray,
             across: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Return the pixels of all cells, one cell's after the other's, their weights, and the starts.

    A cell is covered with ``across`` x ``along`` points at even distances on the ground; a pixel
    weighs as much as the share of them that it sees.
    """
    counts = across * along
    of = np.repeat(np.arange(len(cells)), counts)
    number = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    i, j = number // along[of], number % along[of]
    row, column = np.divmod(cells[of], len(x) - 1)
    width, height = x[1] - x[0], y[1] - y[0]
    u, v = view.ground_to_pixel(x[column] + width * (i + 0.5) / across[of],
                                y[row] + height * (j + 0.5) / along[of])
    camera = view.camera
    # A point between corners in the image may round to a pixel beside it.
    pixel = (np.clip(np.rint(v), 0, camera.height - 1) * camera.width
             + np.clip(np.rint(u), 0, camera.width - 1)).astype(np.int64)
    pairs, times = np.unique(of * (camera.width * camera.height) + pixel, return_counts=True)
    of, pixel = np.divmod(pairs, camera.width * camera.height)
    starts = np.searchsorted(of, np.arange(len(cells)))
    return (pixel.astype(np.intp), (times / counts[of]).astype(np.float32),
            starts.astype(np.intp))
