# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The scores against a reference that counts pixel by pixel."""

from statistics import mean

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fcn_seg_ros.evaluation.kitti_scores import RoadCounts, bootstrap_max_f
from fcn_seg_ros.evaluation.summary import f1_and_iou


def brute_force(probability, labels):
    """Return (max_f, ap, precision, recall, fpr, fnr, iou, mean_iou), slowly."""
    rows = []
    for threshold in range(256):
        tp = fp = fn = tn = 0
        for level, label in zip(probability.ravel().tolist(), labels.ravel().tolist(),
                                strict=True):
            if label == 255:
                continue
            predicted = level >= threshold
            tp += predicted and label == 1
            fp += predicted and label == 0
            fn += (not predicted) and label == 1
            tn += (not predicted) and label == 0
        pre = tp / (tp + fp) if tp + fp else 0.0
        rec = tp / (tp + fn) if tp + fn else 0.0
        f1 = 2 * pre * rec / (pre + rec) if pre + rec else 0.0
        rows.append((f1, pre, rec, fp / (fp + tn) if fp + tn else 0.0,
                     fn / (fn + tp) if fn + tp else 0.0,
                     tp / (tp + fp + fn) if tp + fp + fn else 0.0,
                     mean([n / (n + fp + fn) for n in (tp, tn) if n + fp + fn] or [0.0])))
    best = max(range(256), key=lambda t: (round(rows[t][0], 12), -t))
    ap = sum(max([r[1] for r in rows if r[2] >= level / 10], default=0.0)
             for level in range(11)) / 11
    f1, *others = rows[best]
    return f1, ap, *others


PAIRS = st.tuples(
    arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 100, 127, 128, 200, 254, 255])),
    arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 255])))


@given(PAIRS)
@example((np.zeros((4, 5), np.uint8), np.ones((4, 5), np.uint8)))  # nothing predicted
@example((np.full((4, 5), 255, np.uint8), np.ones((4, 5), np.uint8)))  # all road, all right
@example((np.full((4, 5), 255, np.uint8), np.zeros((4, 5), np.uint8)))  # all road, all wrong
@example((np.full((4, 5), 9, np.uint8), np.full((4, 5), 255, np.uint8)))  # nothing valid
def test_equals_the_reference(pair):
    probability, labels = pair
    counts = RoadCounts()
    counts.update(probability, labels)
    s = counts.compute()
    ours = (s.max_f, s.ap, s.precision, s.recall, s.fpr, s.fnr, s.iou, s.mean_iou)
    np.testing.assert_allclose(ours, brute_force(probability, labels), atol=1e-9)


@given(st.lists(PAIRS, min_size=2, max_size=4))
def test_counts_are_summed_before_dividing(pairs):
    together, whole = RoadCounts(), RoadCounts()
    parts = [together.update(*pair) for pair in pairs]
    added = RoadCounts()
    for part in parts:
        added += RoadCounts(part)
    assert added.compute() == together.compute()
    whole.update(np.concatenate([p for p, _ in pairs]), np.concatenate([t for _, t in pairs]))
    assert together.compute() == whole.compute()
    assert np.array_equal(sum(parts), whole.histogram)


def test_perfect_and_inverted():
    labels = np.array([[0, 0, 1, 1]], np.uint8)
    counts = RoadCounts()
    counts.update(labels * 255, labels)
    perfect = counts.compute()
    assert (perfect.max_f, perfect.ap, perfect.iou, perfect.fpr) == (1.0, 1.0, 1.0, 0.0)
    assert f1_and_iou(counts.histogram, 0.5) == (1.0, 1.0)
    inverted = RoadCounts()
    inverted.update(255 - labels * 255, labels)
    assert inverted.compute().max_f == pytest.approx(2 / 3)  # everything taken for road
    assert f1_and_iou(inverted.histogram, 0.5) == (0.0, 0.0)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match='differ'):
        RoadCounts().update(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8))


def test_bootstrap_interval_holds_the_score():
    rng = np.random.default_rng(0)
    histograms = []
    for _ in range(20):
        labels = rng.integers(0, 2, (30, 30)).astype(np.uint8)
        noisy = np.clip(labels * 120 + rng.normal(60, 60, (30, 30)), 0, 255).astype(np.uint8)
        histograms.append(RoadCounts().update(noisy, labels))
    stacked = np.stack(histograms)
    low, high = bootstrap_max_f(stacked, draws=200)
    assert low < RoadCounts(stacked.sum(0)).compute().max_f < high
    assert bootstrap_max_f(stacked[:1].repeat(5, 0), draws=20) == pytest.approx(
        (RoadCounts(stacked[0]).compute().max_f,) * 2)
