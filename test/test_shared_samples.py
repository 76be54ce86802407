# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decoded samples that several processes keep together."""

from __future__ import annotations

import multiprocessing
import os

import numpy as np
import pytest

from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.shared_samples import SharedSamples
from fcn_seg_ros.errors import InputError


class Decoded(RoadDataset):
    """Samples of different sizes; the first pixel says which process decoded them."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        chance = np.random.default_rng(index)
        size = (3 + index, 5)
        image = chance.integers(0, 255, (*size, 3)).astype(np.uint8)
        image[0, 0] = os.getpid() % 251
        taught = chance.integers(0, 255, size).astype(np.uint8)
        return Sample(f'süd_{index}', image, chance.integers(0, 2, size).astype(np.uint8),
                      taught if index % 2 else None, taught // 2 if index == 3 else None)


def assert_same(found, expected):
    assert found.name == expected.name
    for name in ('image', 'labels', 'taught', 'codes'):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def in_a_fork(read):
    """Run a function in a forked process, as a loader's worker is."""
    context = multiprocessing.get_context('fork')
    process = context.Process(target=read)
    process.start()
    process.join()
    assert process.exitcode == 0


def test_what_one_process_decodes_the_others_have():
    shared = SharedSamples(Decoded(), 10**6)
    in_a_fork(lambda: [shared[index] for index in (1, 3)])
    own = Decoded()
    for index in range(4):
        found, expected = shared[index], own[index]
        decoded_here = bool((found.image[0, 0] == os.getpid() % 251).all())
        assert decoded_here == (index not in (1, 3))
        found.image[0, 0] = expected.image[0, 0]
        assert_same(found, expected)
        assert_same(shared[index], shared[index])


def test_what_does_not_fit_is_decoded_again():
    bytes_of_two = sum(Decoded()[i].image.size * 4 // 3 + len(Decoded()[i].name.encode())
                       for i in (0, 2))
    shared = SharedSamples(Decoded(), bytes_of_two)
    first = [shared[index].image for index in (0, 2, 1, 3)]
    again = [shared[index].image for index in (0, 2, 1, 3)]
    kept = [np.shares_memory(again[number], shared[index].image)
            for number, index in enumerate((0, 2, 1, 3))]
    assert kept == [True, True, False, False]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_more_than_there_is():
    with pytest.raises(InputError, match='image_memory: expected less than'):
        SharedSamples(Decoded(), 2**62)
