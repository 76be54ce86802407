# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Corrupted, scaled and cut pictures, and what is lost by them on the same pixels."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.evaluation.corruptions import CORRUPTIONS, corrupt
from fcn_seg_ros.evaluation.predictors import Answer
from fcn_seg_ros.evaluation.robustness import compare
from fcn_seg_ros.evaluation.robustness_table import mean_table, robustness_table
from fcn_seg_ros.evaluation.variants import Variant, corruptions, crop_to, geometry
from fcn_seg_ros.inference.region import Region


def scene(name='a', height=120, width=200):
    """Return a bright road below a dark rest, and its labels; the first column is unlabelled."""
    labels = np.zeros((height, width), np.uint8)
    labels[height // 2:, width // 4:-width // 4] = 1
    image = np.where(labels[..., None] == 1, 170, 40).astype(np.uint8).repeat(3, 2)
    labels[:, 0] = 255
    return Sample(name, image, labels)


class Brightness:
    """Take what is bright for road, and keep the shapes of the images seen."""

    threshold, classes = 0.5, None

    def __init__(self):
        self.shapes = []

    def __call__(self, sample):
        self.shapes.append(sample.image.shape[:2])
        return Answer(np.ascontiguousarray(sample.image[..., 1]))


def lost(variants, sample):
    predictor = Brightness()
    return compare([predictor], [sample], variants, [0])[0].lost(), predictor.shapes


@pytest.mark.parametrize('kind', CORRUPTIONS)
def test_corruptions_change_pictures_alike_each_time(kind):
    image = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    before = image.copy()
    first = corrupt(image, kind, 'a')
    assert first.shape == image.shape and first.dtype == np.uint8
    assert np.array_equal(first, corrupt(image, kind, 'a')) and np.array_equal(image, before)
    assert np.abs(first.astype(int) - image).mean() > 2


def test_corruptions_that_draw_differ_between_images():
    image = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    same = {kind for kind in CORRUPTIONS
            if np.array_equal(corrupt(image, kind, 'a'), corrupt(image, kind, 'b'))}
    assert same == {'jpeg', 'defocus_blur', 'overexposure', 'contrast', 'warm', 'cold'}


def test_strengths():
    """What a flat grey becomes, by the definitions."""
    grey = np.full((200, 300, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    assert CORRUPTIONS['gaussian_noise'](grey, rng).std() == pytest.approx(0.18 * 255, rel=0.05)
    assert CORRUPTIONS['shot_noise'](grey, rng).std() == pytest.approx(
        255 * (128 / 255 / 12) ** 0.5, rel=0.05)
    assert (CORRUPTIONS['overexposure'](grey, rng) == 128 + 76).all()
    assert CORRUPTIONS['dark'](grey, rng).mean() == pytest.approx(0.6 * 128 ** 2 / 255, abs=0.6)
    assert (CORRUPTIONS['warm'](grey, rng)[0, 0] == [154, 122, 77]).all()
    for kind in ('motion_blur', 'defocus_blur', 'jpeg', 'contrast'):
        assert np.abs(CORRUPTIONS[kind](grey, rng).astype(int) - 128).max() <= 1
    halves = grey.copy()
    halves[:, :150], halves[:, 150:] = 28, 228
    assert (CORRUPTIONS['contrast'](halves, rng)[0, [0, -1], 0] == [108, 148]).all()


@pytest.mark.parametrize('kind', ['motion_blur', 'defocus_blur'])
def test_blur_does_not_move_the_picture(kind):
    image = np.zeros((101, 101, 3), np.uint8)
    image[48:53, 48:53] = 255
    blurred = corrupt(image, kind, 'a')[..., 0].astype(float)
    rows, columns = np.mgrid[:101, :101]
    assert blurred.max() < 200
    for positions in (rows, columns):
        assert (blurred * positions).sum() / blurred.sum() == pytest.approx(50, abs=0.3)


@pytest.mark.parametrize(('size', 'shape', 'region'), [
    ((375, 1242), Fraction(4, 3), Region(371, 0, 500, 375)),
    ((375, 1242), Fraction(21, 9), Region(183, 0, 875, 375)),
    ((375, 1242), Fraction(3, 4), Region(480, 0, 281, 375)),
    ((360, 480), Fraction(4, 3), None),
    ((360, 480), Fraction(16, 9), Region(0, 90, 480, 270)),
    ((360, 480), Fraction(21, 9), Region(0, 90, 480, 206)),
    ((360, 480), Fraction(3, 4), Region(105, 0, 270, 360)),
])
def test_crops(size, shape, region):
    assert crop_to(*size, shape) == region


def test_geometry_of_a_predictor_that_does_not_care():
    found, shapes = lost(geometry(), scene())
    assert list(found) == ['0.5 x', '0.75 x', '1.5 x', '2 x', '4:3', '16:9', '21:9',
                           'portrait 3:4']
    assert shapes == [(120, 200), (60, 100), (90, 150), (180, 300), (240, 400), (120, 160),
                      (112, 200), (86, 200), (120, 90)]
    assert all(abs(value) < 0.03 for value in found.values())
    for name in ('4:3', '16:9', '21:9', 'portrait 3:4'):  # the same pixels
        assert found[name] == 0


def test_crops_are_compared_with_the_same_part():
    """A fault that is outside of the crop costs neither side anything; one inside costs both."""
    sample = scene()
    sample.image[100:, :10] = 255
    result = compare([Brightness()], [sample], geometry(), [0])[0].as_dict()['variants']
    assert result['portrait 3:4']['iou_unchanged'] == result['portrait 3:4']['iou'] == 100
    assert result['16:9']['iou_unchanged'] == result['16:9']['iou'] < 98
    assert result['2 x']['iou_unchanged'] == pytest.approx(
        100 * 60 * 100 / (60 * 100 + 20 * 9), abs=0.01)


def test_corruptions_cost_what_they_cost():
    found, _ = lost(corruptions(), scene())
    assert found['dark'] == 1 and abs(found['overexposure']) < 0.001
    assert 0 < found['defocus_blur'] < 0.1 and found['gaussian_noise'] > 0.02


def test_several_networks_and_images():
    samples = [scene(name, height, 200) for name, height in zip('abc', (120, 130, 140),
                                                                strict=True)]
    counted = []
    picked = [variant for variant in corruptions() if variant.name in ('dark', 'warm')]
    results = compare([Brightness(), Brightness()], samples, picked, [0, 2],
                      lambda: counted.append(1))
    assert len(counted) == 2 * 3 and results[0].lost() == results[1].lost()
    assert [each.images for each in results[0].comparisons] == [2, 2]
    assert results[0].mean_lost() == pytest.approx(
        (results[0].lost()['dark'] + results[0].lost()['warm']) / 2)
    table = robustness_table('mine', ['one', 'two'], results)
    assert table.columns == ('variant', 'one', 'two')
    assert table.rows[0] == ('dark', '100.00', '100.00')
    assert table.rows[-1][0] == 'mean of the corruptions'
    assert mean_table(['one'], [results]).rows[0] == ('dark', '100.00')


def test_a_variant_that_no_image_has():
    same = Variant('same', 'crop', lambda sample: sample.image, lambda shape: None)
    results = compare([Brightness()], [scene()], [same], [0])
    assert results[0].as_dict() == {
        'mean_iou_lost_to_corruptions': None,
        'variants': {'same': {'group': 'crop', 'images': 0, 'iou': None, 'iou_unchanged': None,
                              'iou_lost': None, 'max_f': None}}}
    assert robustness_table('mine', ['one'], results).rows == [('same', '-')]
