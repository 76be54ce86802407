# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A summary of one network on one set, a row of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fcn_seg_ros.evaluation.calibration import reliability
from fcn_seg_ros.evaluation.categories import categories_of
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts, bootstrap_iou
from fcn_seg_ros.evaluation.road_users import RoadUsers
from fcn_seg_ros.inference.overlap import intersection_over_union
from fcn_seg_ros.inference.postprocess import to_level

# Neighbouring frames are near copies, so the bootstrap draws blocks of this length.
BLOCK = 10


@dataclass(frozen=True)
class Summary:
    """
    Scores in perspective, fractions of one.

    ``iou``, ``f1``, ``precision`` and ``recall`` are at ``threshold``, the network's own;
    ``interval`` is the 95 % bootstrap interval of ``iou`` over blocks of consecutive images.
    ``best_iou`` and ``max_f`` are at ``best_threshold``. ``error`` is the expected calibration
    error over all pixels, ``error_near`` that near the road's boundary. ``as_road`` is the share of
    each of ``road_users.GROUPS`` predicted as road at ``threshold``, if the set labels them.
    """

    images: int
    threshold: float
    iou: float
    f1: float
    precision: float
    recall: float
    interval: tuple[float, float]
    best_threshold: float
    best_iou: float
    max_f: float
    best_precision: float
    best_recall: float
    error: float
    error_near: float
    as_road: dict[str, float]
    blocks: int

    def as_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints; scores in percent."""
        def percent(value: float) -> float | None:
            return round(100 * value, 3) if np.isfinite(value) else None
        return {
            'images': self.images, 'blocks': self.blocks, 'threshold': self.threshold,
            'iou': percent(self.iou), 'f1': percent(self.f1),
            'precision': percent(self.precision), 'recall': percent(self.recall),
            'iou_interval_95': [percent(end) for end in self.interval],
            'best_threshold': self.best_threshold, 'best_iou': percent(self.best_iou),
            'max_f': percent(self.max_f), 'best_precision': percent(self.best_precision),
            'best_recall': percent(self.best_recall), 'ece': percent(self.error),
            'ece_near_boundary': percent(self.error_near),
            'as_road': {group: percent(share) for group, share in self.as_road.items()},
        }


def summarise(histograms: dict[str, np.ndarray], masks: dict[str, np.ndarray],
              near: dict[str, np.ndarray], users: RoadUsers, threshold: float) -> Summary:
    """
    Return the summary of all counts.

    ``histograms`` and ``near`` are those of RoadCounts and BoundaryCounts, int64 (2, 256), by image
    name; ``masks`` are the same as ``histograms``, except for networks whose masks are not decided
    by the probability alone. The names of consecutive frames sort in order.
    """
    names = sorted(histograms)
    total = sum(histograms.values(), np.zeros((2, 256), np.int64))
    blocks = np.stack([sum((masks[name] for name in block), np.zeros((2, 256), np.int64))
                       for block in blocks_of(names)])
    best = RoadCounts(total).compute()
    tp, fp, fn, _ = confusion_at(blocks.sum(axis=0), threshold)
    f1, iou = f1_and_iou(blocks.sum(axis=0), threshold)
    return Summary(
        len(names), threshold, iou, f1, float(tp / (tp + fp)) if tp + fp else 0.0,
        float(tp / (tp + fn)) if tp + fn else 0.0, bootstrap_iou(blocks, threshold),
        best.threshold, best.iou, best.max_f, best.precision, best.recall,
        reliability(total).error, reliability(sum(near.values(), np.zeros_like(total))).error,
        users.shares(threshold), len(blocks))


def blocks_of(names: list[str], length: int = BLOCK) -> list[list[str]]:
    """
    Return sorted names in blocks of consecutive ones, at most ``length`` each.

    A block has a single category, since others are other places or drives.
    """
    blocks: list[list[str]] = []
    before = None
    for name, category in zip(names, categories_of(names), strict=True):
        if category == before and len(blocks[-1]) < length:
            blocks[-1].append(name)
        else:
            blocks.append([name])
        before = category
    return blocks


def f1_and_iou(histogram: np.ndarray, threshold: float) -> tuple[float, float]:
    """Return F1 and IoU of the road at one threshold, from a histogram (2, 256)."""
    tp, fp, fn, _ = confusion_at(histogram, threshold)
    union = tp + fp + fn
    return float(2 * tp / (tp + union)) if union else 1.0, intersection_over_union(tp, union)


def confusion_at(histogram: np.ndarray, threshold: float) -> tuple[float, float, float, float]:
    """Return the numbers of TP, FP, FN and TN at one threshold, from a histogram (2, 256)."""
    level = to_level(threshold)
    return (histogram[1, level:].sum(), histogram[0, level:].sum(), histogram[1, :level].sum(),
            histogram[0, :level].sum())
