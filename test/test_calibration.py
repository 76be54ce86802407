# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Calibration near the boundary: against references that go pixel by pixel."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.registry import parse_spec
from fcn_seg_ros.evaluation.calibration import (
    BoundaryCounts,
    calibrate,
    first_half,
    fit_temperature,
    near_boundary,
    negative_log_likelihood,
    reliability,
    sharpened,
)
from fcn_seg_ros.evaluation.evaluate import Tally
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.evaluation.predictors import Answer
from fcn_seg_ros.evaluation.report import tables
from fcn_seg_ros.evaluation.truth import without_bottom_strip
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.training import calibrate as after_training

LABELS = arrays(np.uint8, (6, 26), elements=st.sampled_from([0, 0, 0, 1, 255]))
HISTOGRAMS = arrays(np.int64, (2, 256), elements=st.integers(0, 5))


def near_reference(labels, distance):
    near = np.zeros(labels.shape, bool)
    for y, x in np.argwhere(labels != 255):
        for v, u in np.argwhere(labels == 1 - labels[y, x]):
            near[y, x] |= (y - v) ** 2 + (x - u) ** 2 <= distance ** 2
    return near


@settings(max_examples=50)
@given(LABELS)
@example(np.ones((6, 26), np.uint8))
@example(np.full((6, 26), 255, np.uint8))
def test_band_equals_the_reference(labels):
    for distance in (1.0, 5.0, 10.0):
        assert np.array_equal(near_boundary(labels, distance), near_reference(labels, distance))


def test_pixels_without_a_label_are_no_boundary():
    labels = np.zeros((3, 60), np.uint8)
    labels[:, 20:] = 255
    labels[:, 50:] = 1  # 31 pixels from the others
    assert not near_boundary(labels).any()
    labels[:, 25:] = 1
    assert near_boundary(labels)[0].nonzero()[0].tolist() == [*range(15, 20), *range(25, 30)]


def error_reference(probabilities, labels, bins):
    """Return the expected calibration error of single pixels."""
    members = [[] for _ in range(bins)]
    for p, label in zip(probabilities, labels, strict=True):
        members[min(bins - 1, math.floor(p * bins + 1e-12))].append((p, label))
    total = sum(map(len, members))
    return sum(abs(sum(p for p, _ in group) - sum(label for _, label in group))
               for group in members) / total if total else 0.0


def pixels_of(histogram, levels):
    for label in (0, 1):
        for level, count in zip(levels, histogram[label], strict=True):
            yield from [(float(level), label)] * int(count)


@settings(max_examples=25, deadline=None)
@given(HISTOGRAMS, st.sampled_from([1, 4, 15]), st.sampled_from([None, 0.5, 1.0, 3.0]))
@example(np.zeros((2, 256), np.int64), 15, None)
def test_error_and_loss_equal_the_references(histogram, bins, temperature):
    levels = (np.arange(256) / 255 if temperature is None else
              [1 / (1 + (1 / min(max(k / 255, 1 / 1020), 1 - 1 / 1020) - 1) ** (1 / temperature))
               for k in range(256)])
    pixels = list(pixels_of(histogram, levels))
    expected = error_reference([p for p, _ in pixels], [label for _, label in pixels], bins)
    assert reliability(histogram, temperature, bins).error == pytest.approx(expected, abs=1e-9)
    if temperature is not None:
        loss = [-math.log(p if label else 1 - p) for p, label in pixels]
        assert negative_log_likelihood(histogram, temperature) == pytest.approx(
            sum(loss) / max(1, len(loss)), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(HISTOGRAMS)
def test_fitted_temperature_is_the_best(histogram):
    best = fit_temperature(histogram)
    loss = negative_log_likelihood(histogram, best)
    for other in np.geomspace(0.02, 50, 40):
        assert loss <= negative_log_likelihood(histogram, other) + 1e-9


def test_temperature_of_labels_drawn_with_it_is_found_again():
    share = sharpened(1.7)
    pixels = np.full(256, 1e6)
    histogram = np.round(np.stack([pixels * (1 - share), pixels * share])).astype(np.int64)
    assert fit_temperature(histogram) == pytest.approx(1.7, abs=1e-3)
    assert reliability(histogram).error > 0.05
    assert reliability(histogram, 1.7).error < 1e-4
    assert fit_temperature(np.zeros((2, 256), np.int64)) == 1.0
    sure = np.zeros((2, 256), np.int64)
    sure[0, 0] = sure[1, 255] = 9
    assert fit_temperature(sure) == pytest.approx(0.02)  # always right: as sharp as allowed


def test_halves_keep_neighbours_together():
    names = [f'um_{n:06d}' for n in (5, 4, 7, 6)] + [f'uu_{n:06d}' for n in range(3)]
    assert first_half(names).tolist() == [True, True, False, False, True, True, False]


def test_cross_fitting_judges_a_temperature_on_the_other_half():
    rng = np.random.default_rng(0)
    names = [f'um_{n:06d}' for n in range(4)]
    histograms = rng.integers(0, 50, (4, 2, 256))
    histograms[2:, 1] += np.arange(256)  # the second half is another kind of image
    whole = rng.integers(0, 50, (2, 256))
    found = calibrate(names, histograms, whole)
    first, second = histograms[:2].sum(0), histograms[2:].sum(0)
    t1, t2 = fit_temperature(first), fit_temperature(second)
    assert found.fitted == (t1, t2) and abs(t1 - t2) > 0.1
    parts = [*pixels_of(first, sharpened(t2)), *pixels_of(second, sharpened(t1))]
    expected = error_reference([p for p, _ in parts], [label for _, label in parts], 15)
    assert found.error_after == pytest.approx(expected, abs=1e-9)
    assert found.loss_after == pytest.approx(
        np.mean([-math.log(p if label else 1 - p) for p, label in parts]), abs=1e-9)
    assert found.error_before == reliability(first + second).error
    assert found.error_whole_image == reliability(whole).error != found.error_before
    one = calibrate(names[:1], histograms[:1], whole)
    assert one.fitted[1] == 1.0 and np.isfinite(one.error_after)


def test_counts_near_the_boundary_add_up():
    rng = np.random.default_rng(1)
    whole, parts = BoundaryCounts(), RoadCounts()
    for _ in range(3):
        labels = np.where(np.arange(80) < rng.integers(20, 60), 1, 0).astype(np.uint8)
        labels = np.tile(labels, (5, 1))
        probability = rng.integers(0, 256, labels.shape).astype(np.uint8)
        whole.update(probability, labels)
        part = BoundaryCounts()
        part.update(probability, labels)
        assert part.histogram.sum() == 5 * 20
        parts += part
    assert np.array_equal(whole.histogram, parts.histogram)


def test_strip_below_the_annotation_is_left_out():
    labels = np.ones((40, 6), np.uint8)
    labels[-5:, 0] = 0  # the strip
    labels[-13:, 1] = 0  # too high for it
    labels[:, 2] = 0  # no road on it
    labels[-5:-2, 3] = 0  # not at the foot
    labels[-6:, 4], labels[-3:, 4] = 0, 255
    cleaned = without_bottom_strip(labels)
    expected = labels.copy()
    expected[-5:, 0] = 255
    assert np.array_equal(cleaned, expected)
    assert labels[-1, 0] == 0  # the labels given stay as they are
    assert np.array_equal(without_bottom_strip(np.zeros((4, 3), np.uint8)), np.zeros((4, 3)))


def test_any_labelled_images_are_scored_for_calibration_near_the_boundary_and_everywhere():
    labels = np.tile((np.arange(100) >= 50).astype(np.uint8), (4, 1))
    # Right and sure but for a stretch of road far from the boundary, which is denied.
    probability = np.where(np.arange(100) < 50, 0, 255).astype(np.uint8)
    probability[80:] = 0
    tally = Tally(0.5)
    tally.update(Sample('street_0001', np.zeros((4, 100, 3), np.uint8), labels),
                 Answer(np.tile(probability, (4, 1))), None)
    evaluation = tally.compute()
    found = evaluation.as_dict()['calibration']
    assert found['ece'] == 0.0 and found['pixels'] == 4 * 20
    assert found['ece_whole_image'] == pytest.approx(20.0)
    notes = [note for table in tables(evaluation, 'both') for note in table.notes]
    assert 'ECE over all labelled pixels: 20.00 %' in notes


class Opposite(RoadDataset):
    """A scene whose road is where a network sees least of it."""

    def __init__(self, image, probability):
        labels = (probability < np.median(probability)).astype(np.uint8)
        self.sample = Sample('opposite', image, labels)

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.sample


def test_a_temperature_that_would_flatten_the_probability_is_left(
        random_checkpoint, rendered_frames, tmp_path, monkeypatch, capsys):
    """All pixels would get the probability 128 / 255, and the threshold could only be 0."""
    path = shutil.copy(random_checkpoint, tmp_path)
    image = rendered_frames[0].image
    before = RoadSegmenter(path, 'cpu', test=False).segment(image).probability
    monkeypatch.setattr(after_training, 'open_dataset', lambda spec: Opposite(image, before))
    after_training.calibrate_and_score(path, [parse_spec('rendered')])
    assert read_checkpoint(path).info.temperature == read_checkpoint(
        random_checkpoint).info.temperature
    assert 'temperature: left at 1, since' in capsys.readouterr().out
