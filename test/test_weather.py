# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Night, weather, dirt and a bonnet: what they do to pixels, and to labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from fcn_seg_ros.datasets.bonnet import Bonnet
from fcn_seg_ros.datasets.weather import DirtyLens, Fog, Glare, Night, Overexposure, Rain

HEIGHT, WIDTH = 96, 160


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    image = rng.integers(40, 200, (3, HEIGHT, WIDTH), np.uint8)
    labels = np.ones((HEIGHT, WIDTH), np.uint8)
    return tv_tensors.Image(torch.from_numpy(image)), tv_tensors.Mask(torch.from_numpy(labels))


def change(transform, pair, seed=0):
    torch.manual_seed(seed)
    image, labels = transform(*pair)
    assert image.shape == pair[0].shape and image.dtype == torch.uint8
    return image.float(), labels


@pytest.mark.parametrize('transform', [Night(), Overexposure(), Fog(), Glare(), Rain(),
                                       DirtyLens()])
def test_pictures_change_with_the_seed_and_labels_do_not(transform, pair):
    first, labels = change(transform, pair)
    again, _ = change(transform, pair)
    other, _ = change(transform, pair, seed=1)
    assert torch.equal(labels, pair[1])
    assert torch.equal(first, again)
    assert not torch.equal(first, pair[0].float()) and not torch.equal(first, other)


@pytest.mark.parametrize('seed', range(5))
def test_light_and_contrast(seed, pair):
    before = pair[0].float()
    assert change(Night(), pair, seed)[0].mean() < 0.5 * before.mean()
    assert change(Overexposure(), pair, seed)[0].mean() > 1.2 * before.mean()
    assert change(Glare(), pair, seed)[0].mean() > before.mean()
    assert change(Rain(), pair, seed)[0].std() < 1.2 * before.std()
    foggy = change(Fog(), pair, seed)[0]
    # Thickest at the horizon, thin just in front of the camera.
    assert foggy[:, 20:48].std() < 0.8 * before[:, 20:48].std()
    assert (foggy - before)[:, -1].abs().max() < 0.3 * (foggy - before)[:, 20:48].abs().max()
    assert (change(DirtyLens(), pair, seed)[0] - before).abs().max() > 20


@pytest.mark.parametrize('seed', range(8))
def test_a_bonnet_is_not_road(seed, pair):
    image, labels = change(Bonnet(), pair, seed)
    pasted = labels == 0
    assert 0.02 < pasted.float().mean() < 0.4
    assert pasted[-1].float().mean() > 0.4 and not pasted[: HEIGHT // 2].any()
    # Once a column is covered it stays so down to the edge.
    assert (pasted[1:] >= pasted[:-1]).all()
    above = (labels == 1)[: HEIGHT // 2]
    assert torch.equal(image[:, : HEIGHT // 2][:, above],
                       pair[0].float()[:, : HEIGHT // 2][:, above])
