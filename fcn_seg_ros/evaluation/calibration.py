# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Calibration of the road probability near the road's boundary, and temperature scaling.

Expected calibration error and temperature scaling after Guo, Pleiss, Sun, Weinberger, "On
Calibration of Modern Neural Networks", ICML 2017, for P(road). Far from the boundary nearly every
pixel is correct and certain; including those would hide the errors that matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.evaluation.categories import categories_of
from fcn_seg_ros.evaluation.kitti_scores import LEVELS, RoadCounts

BAND = 10.0
BINS = 15
# An 8-bit 0 stands for probabilities up to half a step; its logit must be finite.
_EDGE = 0.25 / 255
_BETA = (0.02, 50.0)


def near_boundary(labels: np.ndarray, distance: float = BAND) -> np.ndarray:
    """
    Return where a pixel lies within ``distance`` pixels of the road's boundary, bool (H, W).

    ``labels`` is uint8 (H, W): 0 not road, 1 road, 255 not labelled. A pixel is near if a pixel of
    the other class is within the distance (centre to centre). Unlabelled pixels are neither near
    nor a boundary.
    """
    near = np.zeros(labels.shape, bool)
    for label, other in ((0, 1), (1, 0)):
        # The distance to the nearest zero, which must exist.
        if (labels == other).any():
            away = cv2.distanceTransform((labels != other).astype(np.uint8), cv2.DIST_L2,
                                         cv2.DIST_MASK_PRECISE)
            # The tolerance is for float32; squared distances are integers.
            near |= (labels == label) & (away <= distance + 1e-4)
    return near


class BoundaryCounts(RoadCounts):
    """RoadCounts of the pixels within BAND of the road's boundary."""

    def update(self, probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Count one image's pixels near the boundary; see ``RoadCounts.update``."""
        return super().update(probability, np.where(near_boundary(labels), labels,
                                                    IGNORE).astype(np.uint8))


@dataclass(frozen=True)
class Reliability:
    """Per bin of P(road), float64 (bins,): number of pixels, mean P(road), share of road."""

    pixels: np.ndarray
    mean: np.ndarray
    road: np.ndarray

    @property
    def error(self) -> float:
        """Return the expected calibration error: the mean over pixels of |mean P - share|."""
        total = self.pixels.sum()
        gaps = self.pixels * np.abs(self.mean - self.road)
        return float(gaps.sum() / total) if total else 0.0


def reliability(histogram: np.ndarray, temperature: float | None = None, bins: int = BINS
                ) -> Reliability:
    """
    Return the reliability diagram: the share of road by predicted probability.

    ``histogram`` is (2, 256) as in RoadCounts; the bins are equally wide, the last one closed. The
    ``temperature`` is applied to the probabilities first, as in ``sharpened``.
    """
    p = np.arange(LEVELS) / (LEVELS - 1) if temperature is None else sharpened(temperature)
    which = np.minimum(np.floor(p * bins + 1e-12).astype(np.intp), bins - 1)
    other, road = histogram.astype(np.float64)
    pixels = np.bincount(which, other + road, bins)
    count = np.maximum(pixels, 1)
    return Reliability(pixels, np.bincount(which, (other + road) * p, bins) / count,
                       np.bincount(which, road, bins) / count)


def sharpened(temperature: float) -> np.ndarray:
    """Return sigmoid(logit(P) / temperature) of the 256 levels of P, float64 (256,)."""
    return 1 / (1 + np.exp(-_logits() / temperature))


def negative_log_likelihood(histogram: np.ndarray, temperature: float) -> float:
    """Return the mean over pixels of -log P(true class) at a temperature; 0 without pixels."""
    logits = _logits() / temperature
    other, road = histogram
    total = int(histogram.sum())
    loss = (other * np.logaddexp(0, logits)).sum() + (road * np.logaddexp(0, -logits)).sum()
    return float(loss / total) if total else 0.0


def fit_temperature(histogram: np.ndarray) -> float:
    """
    Return the temperature that maximises the likelihood of the labels in a histogram (2, 256).

    For two classes softmax(logits / T) is sigmoid(logit(P) / T), so the histogram suffices; the
    loss is convex in 1 / T. The result is between 0.02 and 50, and 1 without pixels.
    """
    logits = _logits()
    other, road = histogram.astype(np.float64)
    if other.sum() + road.sum() == 0:
        return 1.0
    low, high = np.log(_BETA)
    for _ in range(80):
        beta = np.exp((low + high) / 2)
        p = 1 / (1 + np.exp(-beta * logits))
        if (other * logits * p - road * logits * (1 - p)).sum() > 0:
            high = np.log(beta)
        else:
            low = np.log(beta)
    return float(np.exp(-(low + high) / 2))


@dataclass(frozen=True)
class Calibration:
    """
    The calibration near the boundary, as scored and with a cross-fitted temperature.

    ``histogram`` is int64 (2, 256). ``fitted`` holds the temperature of each half, which is applied
    to the *other* half for ``error_after``; ``temperature`` is fitted to all. They act on the
    scored probability, so multiply them with the checkpoint's own temperature.
    ``error_whole_image`` is the error over all labelled pixels: on an unfamiliar scene a network
    may be certain and wrong far from any boundary.
    """

    histogram: np.ndarray
    error_before: float
    error_after: float
    loss_before: float
    loss_after: float
    fitted: tuple[float, float]
    temperature: float
    error_whole_image: float

    def as_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints; errors in percent."""
        return {
            'band_px': BAND, 'bins': BINS, 'pixels': int(self.histogram.sum()),
            'ece': round(100 * self.error_before, 3),
            'ece_whole_image': round(100 * self.error_whole_image, 3),
            'ece_cross_fitted': round(100 * self.error_after, 3),
            'nll': round(self.loss_before, 5), 'nll_cross_fitted': round(self.loss_after, 5),
            'temperature_halves': [round(value, 4) for value in self.fitted],
            'temperature': round(self.temperature, 4),
        }


def calibrate(names: list[str], histograms: np.ndarray, whole: np.ndarray) -> Calibration:
    """
    Return the calibration of images with histograms (images, 2, 256), cross-fitted over halves.

    ``whole`` is the histogram (2, 256) of all labelled pixels of all images. The temperature of
    each half is evaluated on the other; without images it is 1.
    """
    first = first_half(names)
    halves = [histograms[first].sum(axis=0), histograms[~first].sum(axis=0)]
    total = halves[0] + halves[1]
    fitted = (fit_temperature(halves[0]), fit_temperature(halves[1]))
    crossed = [(halves[0], fitted[1]), (halves[1], fitted[0])]
    return Calibration(total, reliability(total).error, _joint_error(crossed),
                       negative_log_likelihood(total, 1.0),
                       sum(negative_log_likelihood(half, t) * half.sum() for half, t in crossed)
                       / max(1, int(total.sum())),
                       fitted, fit_temperature(total), reliability(whole).error)


def first_half(names: list[str]) -> np.ndarray:
    """
    Return which images belong to the first half, bool (images,).

    It holds the earlier half of the frames of each category. Neighbouring frames are near copies,
    so they stay together, except at the one cut in each category.
    """
    first = np.zeros(len(names), bool)
    categories = np.array(categories_of(names))
    for category in np.unique(categories):
        members = sorted(np.flatnonzero(categories == category), key=lambda index: names[index])
        first[members[:(len(members) + 1) // 2]] = True
    return first


def _joint_error(parts: list[tuple[np.ndarray, float]]) -> float:
    """Return the error over several histograms, each with its own temperature."""
    found = [reliability(histogram, temperature) for histogram, temperature in parts]
    pixels = sum(r.pixels for r in found)
    count = np.maximum(pixels, 1)
    mean = sum(r.pixels * r.mean for r in found) / count
    road = sum(r.pixels * r.road for r in found) / count
    return Reliability(np.asarray(pixels), mean, road).error


def _logits() -> np.ndarray:
    p = np.clip(np.arange(LEVELS) / (LEVELS - 1), _EDGE, 1 - _EDGE)
    return np.log(p / (1 - p))
