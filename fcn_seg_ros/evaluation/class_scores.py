# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Scores of the masks of several classes: the metrics of Long, Shelhamer, Darrell (CVPR 2015).

IoU per class, its mean, its mean weighted by frequency, and pixel accuracy, from one confusion
matrix over all images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.base import Classes
from fcn_seg_ros.datasets.class_file import ClassList
from fcn_seg_ros.datasets.class_labels import LabelCodes
from fcn_seg_ros.inference.overlap import intersection_over_union


@dataclass(frozen=True)
class ClassScores:
    """
    The confusion of N classes, int64 (N, N + 1): a row for the truth, a column for the mask.

    The last column is for unknown. Scores are fractions of one, NaN for a class without pixels in
    the truth, which means ignore. ``left_out`` are the dataset's classes that match no class of the
    network, or several.
    """

    names: tuple[str, ...]
    confusion: np.ndarray
    left_out: tuple[str, ...] = ()

    @property
    def pixels(self) -> np.ndarray:
        """Return the pixels of each class in the truth."""
        found: np.ndarray = self.confusion.sum(axis=1)
        return found

    @property
    def iou(self) -> np.ndarray:
        """Return the IoU of each class, float64 (N,)."""
        hits, number = np.diagonal(self.confusion), len(self.names)
        union = self.pixels + self.confusion[:, :number].sum(axis=0) - hits
        return np.where(self.pixels > 0, intersection_over_union(hits, union), np.nan)

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the classes without any pixel in the truth."""
        return tuple(name for name, pixels in zip(self.names, self.pixels, strict=True)
                     if not pixels)

    @property
    def mean_iou(self) -> float:
        """Return the mean IoU of the classes that occur."""
        return float(np.nanmean(self.iou))

    @property
    def frequency_weighted_iou(self) -> float:
        """Return the mean IoU, weighted by the classes' pixels in the truth."""
        return float(np.nansum(self.pixels * self.iou) / self.pixels.sum())

    @property
    def pixel_accuracy(self) -> float:
        """Return the share of labelled pixels whose class is right."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    def recall(self) -> np.ndarray:
        """Return the share of each class's pixels that are found (recall), float64 (N,)."""
        return _share(np.diagonal(self.confusion), self.pixels)

    def precision(self) -> np.ndarray:
        """Return the share of each class's mask pixels that are right (precision), float64 (N,)."""
        predicted = self.confusion[:, :len(self.names)].sum(axis=0)
        return _share(np.diagonal(self.confusion), predicted)

    def as_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints; scores in percent."""
        return {
            'mean_iou': _percent(self.mean_iou),
            'frequency_weighted_iou': _percent(self.frequency_weighted_iou),
            'pixel_accuracy': _percent(self.pixel_accuracy),
            'iou': dict(zip(self.names, map(_percent, self.iou), strict=True)),
            'absent': list(self.absent), 'left_out': list(self.left_out),
            'confusion': {'rows': 'truth', 'columns': [*self.names, 'unknown'],
                          'pixels': self.confusion.tolist()},
        }


class ClassCounts:
    """Counts of the pixels of masks by true and predicted class; ``a + b`` is that of both."""

    def __init__(self, classes: ClassList) -> None:
        self._codes = LabelCodes(classes)
        self._names = classes.names
        self._left_out: dict[str, None] = {}
        self.confusion: np.ndarray = np.zeros((len(self._names), len(self._names) + 1), np.int64)

    def __add__(self, other: ClassCounts) -> ClassCounts:
        """Return the counts of both."""
        summed = ClassCounts(self._codes.classes)
        summed.confusion = self.confusion + other.confusion
        summed._left_out = self._left_out | other._left_out
        return summed

    def update(self, mask: np.ndarray, truth: Classes) -> None:
        """Count one image: its mask, uint8 (H, W), class numbers or 255, and what it shows."""
        number = len(self._names)
        table = self._codes.of_names(truth.names)
        ignored = self._codes.classes.ignored.names
        self._left_out |= dict.fromkeys(
            truth.names[index] for index in np.unique(truth.ids).tolist()
            if index in truth.names and table[index] >= number
            and truth.names[index] not in ignored)
        self.update_codes(mask, table[truth.ids])

    def update_codes(self, mask: np.ndarray, codes: np.ndarray) -> None:
        """Count one image whose truth is given as codes, uint8 (H, W), see ``LabelCodes``."""
        number = len(self._names)
        counted = codes < number
        found = np.minimum(mask[counted], number).astype(np.int64)
        pairs = codes[counted] * np.int64(number + 1) + found
        self.confusion += np.bincount(pairs, minlength=self.confusion.size).reshape(
            self.confusion.shape)

    def compute(self) -> ClassScores | None:
        """Return the scores, None where no pixel was labelled with a class."""
        if not self.confusion.any():
            return None
        return ClassScores(self._names, self.confusion, tuple(self._left_out))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _percent(value: float) -> float | None:
    return round(100 * float(value), 3) if np.isfinite(value) else None
