# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Score a segmenter on a dataset: in perspective, in bird's-eye view, and for a planner."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, Classes, RoadDataset, Sample
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.calibration import BoundaryCounts, Calibration, calibrate
from fcn_seg_ros.evaluation.categories import categories_of
from fcn_seg_ros.evaluation.class_scores import ClassCounts, ClassScores
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts, RoadScores, bootstrap_max_f, mean_iou_of
from fcn_seg_ros.evaluation.planner import PlannerErrors, PlannerScores
from fcn_seg_ros.evaluation.predictors import Answer, Network, Predictor
from fcn_seg_ros.evaluation.road_users import RoadUsers
from fcn_seg_ros.evaluation.summary import (
    Summary,
    confusion_at,
    f1_and_iou,
    summarise,
)
from fcn_seg_ros.evaluation.truth import without_bottom_strip
from fcn_seg_ros.evaluation.views import BIRDS_EYE, PERSPECTIVE
from fcn_seg_ros.ground.birds_eye import BirdsEyeView
from fcn_seg_ros.inference.postprocess import classes_to_road, probability_to_mask
from fcn_seg_ros.inference.segmenter import RoadSegmenter

# Returns the homography of the road plane in the sample with a given name, None if unknown.
Geometry = Callable[[str], np.ndarray | None]

ALL = 'all'


@dataclass(frozen=True)
class ViewScores:
    """
    Scores in one view.

    They are by category (``um``, ``umm``, ``uu`` in KITTI Road; see ``categories_of``) and over all
    images (``all``, KITTI's URBAN_ROAD). ``intervals`` are the 95 % bootstrap intervals of
    MaxF over images; ``worst`` lists names and F1 (at the best threshold for all) of the images,
    worst first.
    """

    view: str
    counts: dict[str, RoadCounts]
    scores: dict[str, RoadScores]
    images: dict[str, int]
    intervals: dict[str, tuple[float, float]]
    worst: list[tuple[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints; scores in percent."""
        return {
            'view': self.view,
            'scores': {name: {key: value if key == 'threshold' else round(100 * value, 3)
                              for key, value in dataclasses.asdict(scores).items()}
                       for name, scores in self.scores.items()},
            'images': self.images,
            'max_f_interval_95': _percent(self.intervals[ALL]),
            'max_f_intervals_95': {name: _percent(ends) for name, ends in self.intervals.items()},
            'worst': [{'image': name, 'f1': round(100 * f1, 3)} for name, f1 in self.worst],
        }


@dataclass(frozen=True)
class Evaluation:
    """
    All scores of a predictor.

    ``iou_at_threshold`` and ``mean_iou_at_threshold`` are for the masks that the node would
    publish: at ``threshold``, or, where ``likeliest``, of the likeliest class. ``birds_eye`` and
    ``planner`` are None if the road plane is not known in any image. ``summary`` is the row of a
    table, ``users`` the scores on obstacles. ``segment_ms`` is the median time of a segmenter call,
    NaN for stored probabilities.
    """

    perspective: ViewScores
    birds_eye: ViewScores | None
    calibration: Calibration
    planner: PlannerScores | None
    summary: Summary
    users: RoadUsers
    iou_at_threshold: float
    mean_iou_at_threshold: float
    threshold: float
    segment_ms: float
    classes: ClassScores | None = None
    likeliest: bool = False

    @property
    def scores(self) -> dict[str, RoadScores]:
        """Return the scores in perspective by category."""
        return self.perspective.scores

    @property
    def worst(self) -> list[tuple[str, float]]:
        """Return name and F1 of the images in perspective, worst first."""
        return self.perspective.worst

    def as_dict(self) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints; scores in percent."""
        return self.perspective.as_dict() | {
            'mask': {'threshold': None if self.likeliest else self.threshold,
                     'iou': round(100 * self.iou_at_threshold, 3),
                     'mean_iou': round(100 * self.mean_iou_at_threshold, 3)},
            'summary': self.summary.as_dict(),
            'classes': self.classes.as_dict() if self.classes else None,
            'road_users': self.users.as_dict(self.threshold) if self.users.histograms else None,
            'segment_ms_p50': round(self.segment_ms, 2) if np.isfinite(self.segment_ms) else None,
            'birds_eye': self.birds_eye.as_dict() if self.birds_eye else None,
            'calibration': self.calibration.as_dict(),
            'planner': self.planner.as_dict() if self.planner else None,
        }


@dataclass
class Tally:
    """
    Counts so far, image by image; ``a + b`` is the tally of both.

    Histograms are those of RoadCounts and BoundaryCounts, by image name; ``masks`` are those of the
    masks. ``classes`` and ``road_ids`` are for networks of several classes.
    """

    threshold: float
    perspective: dict[str, np.ndarray] = field(default_factory=dict)
    birds_eye: dict[str, np.ndarray] = field(default_factory=dict)
    boundary: dict[str, np.ndarray] = field(default_factory=dict)
    users: RoadUsers = field(default_factory=RoadUsers)
    planner: PlannerErrors = field(default_factory=PlannerErrors)
    milliseconds: list[float] = field(default_factory=list)
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    classes: ClassCounts | None = None
    road_ids: tuple[int, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of both, which must not have an image in common."""
        if self.threshold != other.threshold or self.perspective.keys() & other.perspective.keys():
            raise ValueError('tallies of one threshold and of different images expected')
        return Tally(self.threshold, self.perspective | other.perspective,
                     self.birds_eye | other.birds_eye, self.boundary | other.boundary,
                     self.users + other.users, self.planner + other.planner,
                     self.milliseconds + other.milliseconds, self.masks | other.masks,
                     self.classes + other.classes if self.classes and other.classes else None,
                     self.road_ids)

    def update(self, sample: Sample, answer: Answer, homography: np.ndarray | None,
               classes: Classes | None = None) -> None:
        """
        Count one image.

        ``homography`` (3, 3) is that of the road plane (``ground_homography``). It and ``classes``,
        what the image shows, may be None.
        """
        name, probability = sample.name, answer.probability
        while name in self.perspective:  # two folders may contain the same name
            name += '+'
        self.perspective[name] = RoadCounts().update(probability, sample.labels)
        truth = without_bottom_strip(sample.labels)
        self.boundary[name] = BoundaryCounts().update(probability, truth)
        self.milliseconds.append(answer.milliseconds)
        # The mask of several classes as a probability of 0 or 1, which any threshold gives back.
        shown = (probability if answer.mask is None
                 else 255 * classes_to_road(answer.mask, self.road_ids))
        self.masks[name] = RoadCounts().update(shown, sample.labels)
        if classes is not None:
            self.users.update(name, sample.image, shown, classes, self.threshold)
            if self.classes is not None and answer.mask is not None:
                self.classes.update(answer.mask, classes)
        if homography is None:
            return
        # Scores use the benchmark's resampling, to be comparable; metres use exact geometry.
        devkit = BirdsEyeView(homography, sample.labels.shape, devkit=True)
        self.birds_eye[name] = RoadCounts().update(devkit.nearest(probability),
                                                   devkit.nearest(sample.labels, IGNORE))
        view = BirdsEyeView(homography, sample.labels.shape)
        above = np.round(view.bilinear(shown)).astype(np.uint8)
        road = (probability_to_mask(above, self.threshold) == 1) & view.inside
        self.planner.update(road, view.nearest(truth, IGNORE), view.grid)

    def compute(self) -> Evaluation:
        """Return the scores of everything counted; the order does not matter."""
        total = sum(self.perspective.values(), np.zeros((2, 256), np.int64))
        names = sorted(self.boundary)
        masks = sum(self.masks.values(), np.zeros((2, 256), np.int64))
        _, iou = f1_and_iou(masks, self.threshold)
        times = [t for t in self.milliseconds if np.isfinite(t)]
        return Evaluation(
            _view(PERSPECTIVE, self.perspective),
            _view(BIRDS_EYE, self.birds_eye) if self.birds_eye else None,
            calibrate(names, np.stack([self.boundary[name] for name in names]), total),
            self.planner.compute() if len(self.planner.rows) else None,
            summarise(self.perspective, self.masks, self.boundary, self.users, self.threshold),
            self.users, iou, mean_iou_of(*confusion_at(masks, self.threshold)), self.threshold,
            float(np.median(times)) if times else float('nan'),
            self.classes.compute() if self.classes else None, self.classes is not None)


def evaluate(segmenter: RoadSegmenter, dataset: RoadDataset,
             geometry: Geometry = lambda name: None) -> Evaluation:
    """Segment every image of a dataset and return the scores."""
    return score(Network(segmenter), dataset, geometry)


def score(predictor: Predictor, dataset: RoadDataset, geometry: Geometry = lambda name: None,
          done: Callable[[], object] | None = None) -> Evaluation:
    """
    Return the scores of a predictor on a dataset.

    ``geometry`` gives the road plane of an image, as ``RoadDataset.geometry`` does; without it
    there is no bird's-eye view. ``done`` is called after each image.
    """
    return score_all([predictor], dataset, geometry, done)[0]


def score_all(predictors: Sequence[Predictor], dataset: RoadDataset,
              geometry: Geometry = lambda name: None, done: Callable[[], object] | None = None,
              indices: Sequence[int] | None = None) -> list[Evaluation]:
    """Return the scores of several predictors as ``score`` does, on some or all of the images."""
    tallies = [_tally(predictor) for predictor in predictors]
    for index in range(len(dataset)) if indices is None else indices:
        sample, classes = dataset[index], dataset.classes(index)
        for predictor, tally in zip(predictors, tallies, strict=True):
            tally.update(sample, predictor(sample), geometry(sample.name), classes)
        if done is not None:
            done()
    if not any(histogram.any() for tally in tallies for histogram in tally.perspective.values()):
        raise InputError(f'{len(dataset)} images: expected labelled pixels to score on, found none')
    return [tally.compute() for tally in tallies]


def _tally(predictor: Predictor) -> Tally:
    classes = predictor.classes
    if classes is None:
        return Tally(predictor.threshold)
    # The road in masks of 0 and 1 (see ``Tally.update``) is 1, whatever the threshold.
    return Tally(max(predictor.threshold, 1 / 255), classes=ClassCounts(classes),
                 road_ids=classes.road_ids)


def _view(view: str, histograms: dict[str, np.ndarray]) -> ViewScores:
    names = sorted(histograms)
    stacked = np.stack([histograms[name] for name in names])
    categories = np.array(categories_of(names))
    groups = {str(name): stacked[categories == name] for name in np.unique(categories) if name}
    groups |= {ALL: stacked}
    counts = {name: RoadCounts(group.sum(axis=0)) for name, group in groups.items()}
    scores = {name: count.compute() for name, count in counts.items()}
    per_image = [f1_and_iou(histogram, scores[ALL].threshold)[0] for histogram in stacked]
    order = np.argsort(per_image, kind='stable')
    return ViewScores(view, counts, scores, {name: len(group) for name, group in groups.items()},
                      {name: bootstrap_max_f(group) for name, group in groups.items()},
                      [(names[index], per_image[index]) for index in order])


def _percent(ends: tuple[float, float]) -> list[float]:
    return [round(100 * end, 3) for end in ends]
