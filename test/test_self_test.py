# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint knows one of its answers, and a network that gives another is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from conftest import network_info, write_unhashed
from safetensors.torch import load_file

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.checkpoint_file import with_info
from fcn_seg_ros.resources import default_checkpoint
from fcn_seg_ros.training.calibrate import add_self_test


@pytest.fixture
def checkpoint(random_network, tmp_path):
    """Return the file of a random network with its self-test."""
    path = tmp_path / 'own.safetensors'
    save_checkpoint(path, random_network, network_info())
    add_self_test(path)
    return path


def test_what_is_stored_is_the_networks_answer(checkpoint):
    segmenter = RoadSegmenter(checkpoint, 'cpu', 'fp32')
    stored = segmenter.self_test
    assert stored.image.shape == (192, 640, 3) and stored.image.std() > 20
    again = segmenter.segment(stored.image).probability.astype(int)
    assert np.abs(again - stored.probability).max() <= 1
    assert self_test(segmenter) > 0.99


def test_metadata_keeps_it_and_weights_do_not_know_it(checkpoint):
    before = load_checkpoint(checkpoint)
    with_info(checkpoint, dataclasses.replace(before.info, threshold=0.25))
    after = load_checkpoint(checkpoint)
    assert np.array_equal(after.self_test.image, before.self_test.image)
    assert not any('self_test' in name for name in after.network.state_dict())


@pytest.mark.parametrize('fault', ['other weights', 'channel order', 'not finite'])
def test_another_answer_is_refused(checkpoint, fault):
    loaded = load_checkpoint(checkpoint)
    info = loaded.info
    if fault == 'other weights':
        torch.nn.init.normal_(loaded.network.decoder.score_pool3.weight, std=0.1)
        torch.nn.init.normal_(loaded.network.decoder.score_fr.weight, std=0.1)
    elif fault == 'channel order':
        info = dataclasses.replace(info, mean=(0.9, 0.5, 0.1))
    else:
        loaded.network.decoder.score_fr.bias.data[0] = float('nan')
    segmenter = RoadSegmenter(dataclasses.replace(loaded, info=info), 'cpu', 'fp32', test=False)
    with pytest.raises(InputError) as caught:
        self_test(segmenter)
    assert 'self-test' in str(caught.value) and str(checkpoint) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_another_height_is_not_compared(checkpoint):
    assert self_test(RoadSegmenter(checkpoint, 'cpu', 'fp32', network_height=64)) is None


def test_a_checkpoint_without_one_passes(random_checkpoint):
    assert self_test(RoadSegmenter(random_checkpoint, 'cpu', 'fp32')) is None


@pytest.mark.parametrize('change', ['image missing', 'other size', 'other type'])
def test_a_broken_one_is_one_line(checkpoint, tmp_path, change):
    tensors = load_file(checkpoint)
    if change == 'image missing':
        del tensors['self_test.image']
    elif change == 'other size':
        tensors['self_test.probability'] = tensors['self_test.probability'][:-1].clone()
    else:
        tensors['self_test.image'] = tensors['self_test.image'].float()
    path = tmp_path / 'broken.safetensors'
    write_unhashed(path, checkpoint, tensors=tensors)
    with pytest.raises(InputError, match='expected a self-test of an image') as caught:
        load_checkpoint(path)
    assert str(caught.value).startswith(f'{path}: ') and '\n' not in str(caught.value)


def test_the_packaged_network_has_one():
    segmenter = RoadSegmenter(default_checkpoint(), 'cpu')
    assert self_test(segmenter) > 0.98
