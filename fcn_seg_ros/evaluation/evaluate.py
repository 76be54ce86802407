# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Score a segmenter on a dataset, in perspective view."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts, RoadScores, bootstrap_max_f
from fcn_seg_ros.inference.segmenter import RoadSegmenter

ALL = 'all'


@dataclass(frozen=True)
class Evaluation:
    """
    Scores in perspective view.

    ``scores`` per category (what a sample's name begins with: ``um``, ``umm``, ``uu`` in KITTI
    Road) and over all images (``all``, KITTI's URBAN_ROAD); ``interval`` is the 95 % bootstrap
    interval over images of MaxF; ``iou_at_threshold`` the road IoU of the masks that the node
    would publish; ``worst`` the names and F1 (at the best threshold of all) of the images, worst
    first; ``segment_ms`` the median of a segmenter call.
    """

    scores: dict[str, RoadScores]
    images: dict[str, int]
    interval: tuple[float, float]
    iou_at_threshold: float
    threshold: float
    worst: list[tuple[str, float]]
    segment_ms: float

    def as_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints; scores in percent."""
        return {
            'view': 'perspective',
            'scores': {name: {key: value if key == 'threshold' else round(100 * value, 3)
                              for key, value in dataclasses.asdict(scores).items()}
                       for name, scores in self.scores.items()},
            'images': self.images,
            'max_f_interval_95': [round(100 * bound, 3) for bound in self.interval],
            'mask': {'threshold': self.threshold, 'iou': round(100 * self.iou_at_threshold, 3)},
            'worst': [{'image': name, 'f1': round(100 * f1, 3)} for name, f1 in self.worst],
            'segment_ms_p50': round(self.segment_ms, 2),
        }


def evaluate(segmenter: RoadSegmenter, dataset: RoadDataset) -> Evaluation:
    """Segment every image of a dataset and return the scores."""
    names, histograms, milliseconds = [], [], []
    for index in range(len(dataset)):
        sample = dataset[index]
        result = segmenter.segment(sample.image)
        names.append(sample.name)
        histograms.append(RoadCounts().update(result.probability, sample.labels))
        milliseconds.append(result.times.total)
    stacked = np.stack(histograms)
    categories = np.array([name.split('_')[0] for name in names])
    groups = {str(name): stacked[categories == name] for name in np.unique(categories)}
    groups |= {ALL: stacked}
    scores = {name: RoadCounts(group.sum(axis=0)).compute() for name, group in groups.items()}
    level = scores[ALL].threshold
    per_image = [f1_and_iou(histogram, level)[0] for histogram in stacked]
    order = np.argsort(per_image, kind='stable')
    return Evaluation(
        scores, {name: len(group) for name, group in groups.items()}, bootstrap_max_f(stacked),
        f1_and_iou(stacked.sum(axis=0), segmenter.threshold)[1], segmenter.threshold,
        [(names[index], per_image[index]) for index in order],
        float(np.median(milliseconds)))


def f1_and_iou(histogram: np.ndarray, threshold: float) -> tuple[float, float]:
    """Return F1 and IoU of the road at one threshold, from a histogram (2, 256)."""
    level = int(np.ceil(threshold * 255 - 1e-9))
    tp, fp = histogram[1, level:].sum(), histogram[0, level:].sum()
    fn = histogram[1, :level].sum()
    if tp + fp + fn == 0:
        return 1.0, 1.0
    return float(2 * tp / (2 * tp + fp + fn)), float(tp / (tp + fp + fn))
