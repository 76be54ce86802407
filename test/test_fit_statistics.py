# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The statistics of the training data: fitted, kept in the checkpoint, compared with."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest

from fcn_seg_ros.cli.fit_statistics import main
from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.statistics import fit_statistics
from fcn_seg_ros.inference.familiar import distance, figures, fit
from fcn_seg_ros.inference.picture import glance
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint_file import read_checkpoint, with_info
from fcn_seg_ros.resources import default_checkpoint

NAMES = {'brightness', 'contrast', 'sharpness', 'detail', 'warm', 'cool', 'confidence',
         'undecided', 'road'}


class Shades:
    """Images of noise around a grey level each."""

    def __init__(self, levels: list[int]) -> None:
        self.levels = levels
        self.taken: list[int] = []

    def __len__(self) -> int:
        return len(self.levels)

    def __getitem__(self, index: int) -> Sample:
        self.taken.append(index)
        noise = np.random.default_rng(index).integers(0, 20, (96, 160, 3))
        return Sample(str(index), (self.levels[index] + noise).astype(np.uint8),
                      np.zeros((96, 160), np.uint8))


@pytest.fixture
def checkpoint(random_checkpoint, tmp_path):
    """Return a copy of the random network's file."""
    return shutil.copy(random_checkpoint, tmp_path / 'own.safetensors')


def test_the_self_test_stays(tmp_path):
    path = shutil.copy(default_checkpoint(), tmp_path / 'own.safetensors')
    before = read_checkpoint(path).self_test
    fit_statistics(path, [Shades([90, 120])])
    after = read_checkpoint(path).self_test
    assert before is not None and after is not None
    assert (after.probability == before.probability).all()


def test_ranges_hold_nearly_all_frames_and_are_never_narrow():
    seen = [{'brightness': float(value), 'warm': 1.0, 'sharpness': float('nan')}
            for value in range(1001)]
    ranges = fit(seen)
    assert ranges == {'brightness': (5.0, 500.0, 995.0), 'warm': (0.9, 1.0, 1.1)}
    assert distance({'brightness': 500.0, 'warm': 1.0}, ranges) == (0.0, '')
    assert distance({'brightness': 5.0, 'warm': 1.05}, ranges) == (1.0, 'brightness')
    far, by = distance({'brightness': 600.0, 'warm': 0.7, 'sharpness': float('nan')}, ranges)
    assert (far, by) == (pytest.approx(3.0), 'warm')
    assert distance({'brightness': float('nan')}, ranges) == (0.0, '')
    assert distance({'brightness': 1e9}, {}) == (0.0, '')


def test_figures_of_what_the_network_says(random_checkpoint, rendered_frames):
    image = rendered_frames[0].image
    result = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', backend='torch').segment(image)
    probability = np.where(np.arange(image.shape[1]) < image.shape[1] // 2, 153, 12)
    result = dataclasses.replace(result, probability=np.broadcast_to(
        probability.astype(np.uint8), image.shape[:2]))
    found = figures(glance(image), result)
    assert set(found) == NAMES
    assert found['road'] == found['undecided'] == 0.5
    assert found['confidence'] == pytest.approx((153 + 243) / 2 / 255, abs=1e-3)


def test_statistics_are_fitted_to_some_images_of_each_set_and_kept(checkpoint):
    before = read_checkpoint(checkpoint)
    dark, bright = Shades([40] * 30), Shades([200] * 5)
    ranges = fit_statistics(checkpoint, [dark, bright], images=10)
    assert len(dark.taken) == 10 and {0, 29} <= set(dark.taken) and bright.taken == [*range(5)]
    after = read_checkpoint(checkpoint)
    assert set(ranges) == NAMES
    assert ranges == {name: tuple(ends) for name, ends in after.info.statistics.items()}
    assert ranges['brightness'][0] < 50 < 205 < ranges['brightness'][2]
    assert after.hash_weights() == before.hash_weights()
    assert dataclasses.replace(after.info, statistics={}) == before.info
    assert len(json.dumps(ranges)) < 600


def test_without_images_nothing_is_written(checkpoint):
    with pytest.raises(InputError, match='expected at least one image'):
        fit_statistics(checkpoint, [Shades([])])
    assert read_checkpoint(checkpoint).info.statistics == {}


@pytest.mark.parametrize('ends', [(1.0, 2.0), (2.0, 1.0, 3.0), (0.0, 1.0, float('inf')), 'abc',
                                  (0.0, 1.0, 1.0)])
def test_statistics_that_make_no_sense_are_refused(checkpoint, ends):
    info = read_checkpoint(checkpoint).info
    with_info(checkpoint, dataclasses.replace(info, statistics={'brightness': ends}))
    with pytest.raises(InputError, match='statistics to be a table of three rising numbers'):
        read_checkpoint(checkpoint)


def test_command(checkpoint, kitti_folder, capsys):
    assert main([str(checkpoint), f'kitti:{kitti_folder}', '--images', '3']) == 0
    assert set(capsys.readouterr().out.split()) >= NAMES
    assert set(read_checkpoint(checkpoint).info.statistics) == NAMES
    assert main([str(checkpoint), 'nothing:here']) == 2
    assert "expected one of" in capsys.readouterr().err
