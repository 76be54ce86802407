# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A mixture's epochs: how often each sample comes, and that nothing but seed and epoch matters."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.mixture import Mixture, mix_seed
from fcn_seg_ros.errors import InputError


class Numbered(RoadDataset):
    """A dataset of nothing but names."""

    def __init__(self, name, length):
        self._name, self._length = name, length

    def __len__(self):
        return self._length

    def __getitem__(self, index):
        if not 0 <= index < self._length:
            raise IndexError(index)
        return Sample(f'{self._name}{index}', np.zeros((1, 1, 3), np.uint8),
                      np.zeros((1, 1), np.uint8))


def test_samples_are_those_of_the_parts():
    mixture = Mixture([Numbered('a', 3), Numbered('b', 2)], [0.5, 2])
    assert [sample.name for sample in mixture] == ['a0', 'a1', 'a2', 'b0', 'b1']
    assert len(mixture) == 5 and mixture.epoch_length == 2 + 4
    assert mixture[3].name == 'b0'


def test_weights():
    mixture = Mixture([Numbered('a', 10), Numbered('b', 10), Numbered('c', 10)], [1, 0.5, 2])
    first, second = mixture.indices(0, 0), mixture.indices(0, 1)
    for epoch in (first, second):
        counts = Counter(epoch)
        assert all(counts[i] == 1 for i in range(10))
        assert sum(counts[i] for i in range(10, 20)) == 5
        assert all(counts[i] == 2 for i in range(20, 30))
    halves = [{i for i in epoch if 10 <= i < 20} for epoch in (first, second)]
    assert not halves[0] & halves[1] and len(halves[0] | halves[1]) == 10


def test_twice_in_an_epoch_is_told_apart():
    draws = Mixture([Numbered('a', 4)], [2.5]).draws(0, 3)
    assert len(draws) == len(set(draws)) == 10
    assert Counter(copy for _, copy in draws) == {0: 4, 1: 4, 2: 2}


parts = st.lists(st.tuples(st.integers(1, 40), st.sampled_from([0.1, 0.5, 0.75, 1, 1.3, 2, 3])),
                 min_size=1, max_size=4)


@settings(max_examples=50, deadline=None)
@given(parts, st.integers(0, 2**31), st.integers(1, 12))
def test_all_are_seen_equally_often(parts, seed, epochs):
    mixture = Mixture([Numbered('x', n) for n, _ in parts], [weight for _, weight in parts])
    seen = Counter()
    for epoch in range(epochs):
        indices = mixture.indices(seed, epoch)
        assert len(indices) == mixture.epoch_length and indices == mixture.indices(seed, epoch)
        seen.update(indices)
    start = 0
    for size, weight in parts:
        counts = [seen[i] for i in range(start, start + size)]
        assert max(counts) - min(counts) <= 1
        assert sum(counts) == epochs * max(1, round(weight * size))
        start += size


def test_order_depends_on_seed_and_epoch():
    mixture = Mixture([Numbered('a', 30)])
    orders = [mixture.indices(seed, epoch) for seed in range(4) for epoch in range(4)]
    assert all(sorted(order) == list(range(30)) for order in orders)
    assert len({tuple(order) for order in orders}) == 16


def test_no_two_views_share_a_seed():
    keys = itertools.product(range(8), range(30), range(200))
    assert len({mix_seed(*key) for key in keys}) == 8 * 30 * 200


@pytest.mark.parametrize('weights', [[0], [-1], [float('nan')], [1, 1]])
def test_bad_weights(weights):
    with pytest.raises(InputError, match='mixture: expected'):
        Mixture([Numbered('a', 3)], weights)
    with pytest.raises(InputError, match='at least one dataset'):
        Mixture([])


def test_samples_with_larger_factors_come_more_often():
    mixture = Mixture([Numbered('a', 4), Numbered('b', 3)], [1, 1], [[1, 2.5, 1, 1.5], [1, 1, 1]])
    assert mixture.epoch_length == 6 + 3
    counts = Counter(index for epoch in range(10) for index in mixture.indices(7, epoch))
    for index, factor in enumerate([1, 2.5, 1, 1.5, 1, 1, 1]):
        assert abs(counts[index] - 10 * factor) <= (2 if factor != 1 else 1)
    assert len(set(mixture.draws(7, 0))) == 9
