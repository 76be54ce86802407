# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Pixel scores of the KITTI Road benchmark.

Re-implemented from the definitions in Fritsch, Kuehnl, Geiger (ITSC 2013): 256 thresholds, counts
summed over all images before dividing, MaxF the best F1 over thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.inference.overlap import intersection_over_union, mean_iou
from fcn_seg_ros.inference.postprocess import to_level

LEVELS = 256


@dataclass(frozen=True)
class RoadScores:
    """
    Scores as fractions of one, read at ``threshold`` (on P(road)), where F1 is best.

    ``iou`` is that of the road at the same threshold, ``mean_iou`` the mean of road and background
    (of those that occur in the truth or the prediction).
    """

    max_f: float
    ap: float
    precision: float
    recall: float
    fpr: float
    fnr: float
    iou: float
    mean_iou: float
    threshold: float


class RoadCounts:
    """
    Histograms of the 8-bit road probability of road and other pixels, summed over images.

    Like every metric here it has ``update`` and ``compute``, and ``a + b`` combines the counts of
    two processes. ``histogram`` is int64 (2, 256): row 0 for pixels that are not road, row 1 for
    road.
    """

    def __init__(self, histogram: np.ndarray | None = None) -> None:
        self.histogram = np.zeros((2, LEVELS), np.int64) if histogram is None else histogram

    def update(self, probability: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """
        Count one image and return its own histogram, int64 (2, 256).

        ``probability`` is round(255 P(road)) as uint8 (H, W), ``labels`` uint8 (H, W) with 0 not
        road, 1 road, 255 ignored. Raises ValueError if their shapes differ.
        """
        if probability.shape != labels.shape:
            raise ValueError(f'probability {probability.shape} and labels {labels.shape} differ')
        valid = labels != IGNORE
        index = probability[valid].astype(np.int64) + LEVELS * (labels[valid] == 1)
        counted = np.bincount(index, minlength=2 * LEVELS).reshape(2, LEVELS)
        self.histogram = self.histogram + counted
        return counted

    def __add__(self, other: RoadCounts) -> RoadCounts:
        """Return the counts of both."""
        return RoadCounts(self.histogram + other.histogram)

    def precision_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """Return precision and recall at the thresholds 0/255 to 255/255, float64 (256,) each."""
        tp, fp, fn, _ = _confusion(self.histogram)
        return _ratio(tp, tp + fp), _ratio(tp, tp + fn)

    def f1(self) -> np.ndarray:
        """Return F1 at the thresholds 0/255 to 255/255, float64 (256,); 0 without road."""
        tp, fp, fn, _ = _confusion(self.histogram)
        return _ratio(2 * tp, 2 * tp + fp + fn)

    def compute(self) -> RoadScores:
        """Return the scores of everything counted so far; without road pixels they are 0."""
        tp, fp, fn, tn = _confusion(self.histogram)
        precision, recall = self.precision_recall()
        f1 = self.f1()
        best = int(np.argmax(f1))
        return RoadScores(
            max_f=float(f1[best]), ap=average_precision(precision, recall),
            precision=float(precision[best]), recall=float(recall[best]),
            fpr=float(_ratio(fp, fp + tn)[best]), fnr=float(_ratio(fn, fn + tp)[best]),
            iou=intersection_over_union(tp[best], (tp + fp + fn)[best], empty=0.0),
            mean_iou=mean_iou_of(*(count[best] for count in (tp, fp, fn, tn))),
            threshold=best / (LEVELS - 1))


def average_precision(precision: np.ndarray, recall: np.ndarray) -> float:
    """Return the 11-point interpolated average precision (as in PASCAL VOC 2007)."""
    # Tenths by division: a recall of exactly 7/10 reaches 7 / 10, but not linspace's 0.7 + 1e-16.
    points = [precision[recall >= tenth / 10].max(initial=0.0) for tenth in range(11)]
    return float(np.mean(points))


def bootstrap_max_f(histograms: np.ndarray, draws: int = 1000, seed: int = 0
                    ) -> tuple[float, float]:
    """
    Return the 95 % interval of MaxF under resampling of images.

    ``histograms`` is int64 (images, 2, 256), one per image as ``RoadCounts.update`` gives them.
    """
    tp, fp, fn, _ = _confusion(_drawn(histograms, draws, seed))
    values = _ratio(2 * tp, 2 * tp + fp + fn).max(axis=1)
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_iou(histograms: np.ndarray, threshold: float, draws: int = 1000, seed: int = 0
                  ) -> tuple[float, float]:
    """
    Return the 95 % interval of the IoU at a threshold under resampling.

    ``histograms`` is int64 (units, 2, 256), one per image or per block of related images. A single
    unit gives an interval of zero width.
    """
    tp, fp, fn, _ = _confusion(_drawn(histograms, draws, seed))
    level = to_level(threshold)
    values = intersection_over_union(tp[:, level], (tp + fp + fn)[:, level], empty=0.0)
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def mean_iou_of(tp: float, fp: float, fn: float, tn: float) -> float:
    """Return the mean IoU of road and background, of those that occur; 0 where none does."""
    return mean_iou((tp, tn), (tp + fp + fn, tn + fp + fn), empty=0.0)


def _drawn(histograms: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return ``draws`` sums of histograms drawn with replacement, as many as there are."""
    rng = np.random.default_rng(seed)
    units = len(histograms)
    weights = np.stack([np.bincount(rng.integers(0, units, units), minlength=units)
                        for _ in range(draws)])
    # Counts stay far below 2^53, so floating point (and its fast product) is exact.
    drawn = weights.astype(np.float64) @ histograms.reshape(units, -1).astype(np.float64)
    return drawn.reshape(draws, 2, LEVELS)


def _confusion(histogram: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return TP, FP, FN, TN, float64 (..., 256), of histograms (..., 2, 256)."""
    # At threshold t, pixels with a level >= t are road.
    taken = np.cumsum(histogram[..., ::-1], axis=-1)[..., ::-1].astype(np.float64)
    total = taken[..., :1]
    fp, tp = taken[..., 0, :], taken[..., 1, :]
    return tp, fp, total[..., 1, :] - tp, total[..., 0, :] - fp


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator),
                     where=denominator > 0)
