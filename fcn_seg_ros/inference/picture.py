# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A glance at a camera image: a few figures that distinguish a good picture from a bad one.

Only 48 rows are read, whatever the image's size, which takes a fraction of a millisecond.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from fcn_seg_ros.inference.preprocess import resize_image

ROWS = 48
# Wider rows are scaled down to this.
_WIDTH = 640
# The step between the rows in which the colour of the light is measured.
_HUE_STEP = 6
# The size of a coarse picture, whose pixels average out sensor noise, and of its grid of cells.
_COARSE = (97, ROWS)
_CELLS = (16, 12)
# A cell is empty if neighbouring coarse pixels differ by less than this many grey levels.
_DETAIL = 3.0
_SATURATED = 250
# The strongest edges are this share of the pixels, with a rise of at least this many grey levels.
_EDGES = 0.002
_EDGE_RISE = 8
_EDGE_WIDTH = 8


@dataclass(frozen=True)
class Glance:
    """
    Figures of one image.

    ``digest`` is a checksum of the pixels read; ``grey`` the 99th percentile of the grey levels,
    ``brightness`` their mean, 0 to 255, and ``contrast`` their standard deviation; ``saturated``
    the share of saturated pixels; ``sharpness`` the largest part of an edge's rise over 8 pixels
    that lies between two neighbours, from 1/8 (a ramp) to 1 (a step), as a mean over the strongest
    edges, NaN if there are none; ``detailed``, bool (12, 16), the cells that are not empty;
    ``levels``, float32 (12, 16), the cells' brightness; ``warm`` and ``cool`` mean red and mean
    blue over mean green.
    """

    digest: int
    grey: float
    brightness: float
    contrast: float
    saturated: float
    sharpness: float
    detailed: np.ndarray
    levels: np.ndarray
    warm: float
    cool: float


def sampled_rows(height: int) -> np.ndarray:
    """Return the indices of the rows to read, evenly spaced, int64 (48,)."""
    return ((np.arange(ROWS) + 0.5) * height / ROWS).astype(np.intp)


def glance(image: np.ndarray) -> Glance:
    """Look at an image, uint8 RGB (H, W, 3)."""
    colour = image[sampled_rows(image.shape[0])]
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    digest = zlib.crc32(grey)
    if grey.shape[1] > _WIDTH:
        grey = resize_image(grey, (ROWS, _WIDTH))
    coarse = cv2.resize(grey, _COARSE, interpolation=cv2.INTER_AREA)
    (mean,), (deviation,) = (values.ravel() for values in cv2.meanStdDev(coarse))
    # Half a level is added so that black has no hue.
    red, green, blue = (value + 0.5 for value in cv2.mean(colour[::_HUE_STEP])[:3])
    counts = np.cumsum(_histogram(coarse))
    return Glance(digest, float(np.searchsorted(counts, 0.99 * counts[-1])), float(mean),
                  float(deviation), 1.0 - float(counts[_SATURATED - 1] / counts[-1]),
                  _sharpness(grey), _changes(coarse) > _DETAIL, _mean_of_cells(coarse), red / green,
                  blue / green)


def _sharpness(grey: np.ndarray) -> float:
    """Return the steepness of the strongest edges along the rows, as in ``Glance``."""
    if grey.shape[1] <= 2 * _EDGE_WIDTH:
        return float('nan')
    steps = cv2.absdiff(grey[:, 1:], grey[:, :-1])
    rises = cv2.absdiff(grey[:, _EDGE_WIDTH:], grey[:, :-_EDGE_WIDTH])
    counts = np.cumsum(_histogram(rises))
    least = max(_EDGE_RISE, int(np.searchsorted(counts, (1 - _EDGES) * counts[-1])))
    strong = np.flatnonzero(rises.ravel() >= least)
    if not len(strong):
        return float('nan')
    # The largest of the 8 steps of a rise.
    largest = cv2.dilate(steps, np.ones((1, _EDGE_WIDTH), np.uint8))
    middle = largest[:, _EDGE_WIDTH // 2:_EDGE_WIDTH // 2 + rises.shape[1]]
    at = middle[np.divmod(strong, rises.shape[1])].astype(np.float32)
    return float((at / rises.ravel()[strong]).mean())


def _changes(coarse: np.ndarray) -> np.ndarray:
    """Return each cell's mean difference between neighbouring pixels in grey levels, (12, 16)."""
    across = cv2.absdiff(coarse[:, 1:], coarse[:, :-1])
    down = cv2.absdiff(coarse[1:, 1:], coarse[:-1, 1:])
    cv2.max(across[1:], down, dst=across[1:])
    return _mean_of_cells(across)


def _mean_of_cells(values: np.ndarray) -> np.ndarray:
    return cv2.resize(values.astype(np.float32), _CELLS, interpolation=cv2.INTER_AREA)


def _histogram(values: np.ndarray) -> np.ndarray:
    return cv2.calcHist([values], [0], None, [256], [0, 256]).ravel()
