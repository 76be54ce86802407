# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measure how much IoU a network loses on variants of an image, on the same pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.evaluation.predictors import Predictor
from fcn_seg_ros.evaluation.summary import f1_and_iou
from fcn_seg_ros.evaluation.variants import CORRUPTION, Variant
from fcn_seg_ros.inference.preprocess import resize_image

# Images per batch, which are kept in memory. Each variant is run on the whole batch before the next
# one, because each shape of the network's input needs a compilation.
_CHUNK = 64


@dataclass
class Comparison:
    """The counts for a variant, and for the unchanged images on the same pixels."""

    variant: Variant
    changed: RoadCounts = field(default_factory=RoadCounts)
    unchanged: RoadCounts = field(default_factory=RoadCounts)
    images: int = 0

    def ious(self, threshold: float) -> tuple[float, float]:
        """Return the IoU with and without the change; NaN if no image has the variant."""
        if not self.images:
            return float('nan'), float('nan')
        return (f1_and_iou(self.changed.histogram, threshold)[1],
                f1_and_iou(self.unchanged.histogram, threshold)[1])


@dataclass
class Robustness:
    """The comparisons of one network on one set, at its own threshold."""

    threshold: float
    comparisons: list[Comparison]

    def lost(self) -> dict[str, float]:
        """Return the IoU lost by each variant (a fraction); NaN if no image has it."""
        found = {}
        for comparison in self.comparisons:
            changed, unchanged = comparison.ious(self.threshold)
            found[comparison.variant.name] = unchanged - changed
        return found

    def mean_lost(self) -> float:
        """Return the mean IoU lost over the corruptions; NaN without any."""
        lost = self.lost()
        values = [lost[each.variant.name] for each in self.comparisons
                  if each.variant.group == CORRUPTION]
        return float(np.mean(values)) if values else float('nan')

    def as_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints; road IoU in percent at the own threshold."""
        variants = {}
        for each in self.comparisons:
            changed, unchanged = each.ious(self.threshold)
            variants[each.variant.name] = {
                'group': each.variant.group, 'images': each.images, 'iou': _percent(changed),
                'iou_unchanged': _percent(unchanged), 'iou_lost': _percent(unchanged - changed),
                'max_f': _percent(each.changed.compute().max_f if each.images else float('nan'))}
        return {'mean_iou_lost_to_corruptions': _percent(self.mean_lost()), 'variants': variants}


def compare(predictors: Sequence[Predictor], dataset: RoadDataset, variants: Sequence[Variant],
            indices: Sequence[int], done: Callable[[], object] = lambda: None
            ) -> list[Robustness]:
    """
    Return what each predictor loses by each variant on some images of a dataset.

    The probability for a scaled image is scaled back; that for a crop is compared with the same
    part of the full image's. ``done`` is called for each image, unchanged and in each variant.
    """
    results = [Robustness(predictor.threshold, [Comparison(variant) for variant in variants])
               for predictor in predictors]
    for start in range(0, len(indices), _CHUNK):
        samples = [dataset[index] for index in indices[start:start + _CHUNK]]
        before: list[list[np.ndarray]] = []
        for sample in samples:
            before.append([predictor(sample).probability for predictor in predictors])
            done()
        for number, variant in enumerate(variants):
            for sample, image, unchanged in zip(samples, _views(samples, variant), before,
                                                strict=True):
                for result, predictor, whole in zip(results, predictors, unchanged, strict=True):
                    _count(result.comparisons[number], predictor, sample, image, whole)
                done()
    return results


def _views(samples: Sequence[Sample], variant: Variant) -> Iterator[np.ndarray]:
    """Yield the variants of samples; the next one is computed while the network runs."""
    with ThreadPoolExecutor(1) as pool:
        waiting = [pool.submit(variant.view, sample) for sample in samples[:1]]
        for position in range(len(samples)):
            ready = waiting.pop()
            waiting += [pool.submit(variant.view, sample)
                        for sample in samples[position + 1:position + 2]]
            yield ready.result()


def _count(comparison: Comparison, predictor: Predictor, sample: Sample, image: np.ndarray,
           unchanged: np.ndarray) -> None:
    region = comparison.variant.region((sample.labels.shape[0], sample.labels.shape[1]))
    if region is None:
        return
    labels = sample.labels[region.slices()]
    probability = predictor(Sample(sample.name, image, labels)).probability
    comparison.changed.update(resize_image(probability, region.shape), labels)
    comparison.unchanged.update(unchanged[region.slices()], labels)
    comparison.images += 1


def _percent(value: float) -> float | None:
    return round(100 * value, 3) if np.isfinite(value) else None
