# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Compare every variant's masks with those of eager fp32 on real images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fcn_seg_ros.benchmark.variants import Variant
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.inference.overlap import intersection_and_union, intersection_over_union
from fcn_seg_ros.inference.segmenter import RoadSegmenter


def compare_masks(segmenters: Mapping[Variant, RoadSegmenter], reference: RoadSegmenter,
                  dataset: RoadDataset, done: Callable[[], object] = lambda: None
                  ) -> dict[Variant, dict[str, Any]]:
    """
    Compare the masks of each segmenter with the reference's on a dataset; return JSON values.

    ``iou`` is that of the road over all images and ``worst_iou`` that of the worst image, both in
    percent; ``largest`` is the largest difference of round(255 P(road)); ``max_f`` is the MaxF
    against the ground truth, in perspective.
    """
    overlaps: dict[Variant, list[tuple[int, int]]] = {variant: [] for variant in segmenters}
    largest = dict.fromkeys(segmenters, 0)
    counts = {variant: RoadCounts() for variant in segmenters}
    for index in range(len(dataset)):
        sample = dataset[index]
        wanted = reference.segment(sample.image)
        for variant, segmenter in segmenters.items():
            found = segmenter.segment(sample.image)
            overlaps[variant].append(intersection_and_union(found.road, wanted.road))
            difference = np.abs(found.probability.astype(np.int16) - wanted.probability)
            largest[variant] = max(largest[variant], int(difference.max()))
            counts[variant].update(found.probability, sample.labels)
        done()
    return {variant: {
        'images': len(rows), 'iou': round(100 * intersection_over_union(*np.sum(rows, axis=0)), 4),
        'worst_iou': round(100 * min(intersection_over_union(*row) for row in rows), 4),
        'largest': largest[variant],
        'max_f': round(100 * counts[variant].compute().max_f, 3)}
        for variant, rows in overlaps.items()}
