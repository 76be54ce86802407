# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Augmentation moves image and labels together, and depends on nothing but its seed."""

import numpy as np
import pytest
import torch

from fcn_seg_ros.datasets.augmentation import Augmentation
from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.datasets.mixture import Mixture
from fcn_seg_ros.datasets.transforms import TrainingTransform, resize_all
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import AugmentedSamples, EpochBatches

SIZE = (96, 160)


def sample():
    """Return an image whose red channel is bright exactly where its labels are road."""
    rng = np.random.default_rng(0)
    labels = np.zeros((90, 200), np.uint8)
    labels[30:, 40:120] = 1
    image = rng.integers(60, 90, (90, 200, 3), np.uint8)
    image[labels == 1, 0] = 220
    return Sample('s', image, labels)


def geometry_only():
    return Augmentation(height=96, crop=SIZE, scale=(0.5, 1.5), brightness=0.0, contrast=0.0,
                        saturation=0.0, hue=0.0, blur=0.0)


def test_image_and_labels_move_together():
    transform = TrainingTransform(geometry_only())
    flips = 0
    for seed in range(30):
        torch.manual_seed(seed)
        image, labels = transform(sample())
        assert image.shape == (3, *SIZE) and image.dtype == torch.uint8
        assert labels.shape == SIZE and labels.dtype == torch.int64
        assert set(labels.unique().tolist()) <= {0, 1, 255}
        if image[0].eq(image[1]).all():  # random greyscale: nothing to compare
            continue
        bright, road, valid = image[0] > 150, labels == 1, labels != 255
        # Interpolation blurs the edges of the image but not those of the labels.
        agreement = (bright == road)[valid].float().mean()
        assert agreement > 0.96, (seed, agreement)
        assert (image[:, ~valid] == 127).all()
        columns = torch.where(road.any(0))[0].float()
        flips += int(len(columns) > 0 and columns.mean() > SIZE[1] / 2)
    assert 5 < flips < 25


def test_scale_keeps_the_aspect_ratio():
    image, (labels,) = resize_all(sample().image, [sample().labels], (45, 100))
    assert image.shape == (45, 100, 3) and labels.shape == (45, 100)
    assert abs((labels == 1).mean() - (sample().labels == 1).mean()) < 0.01


def test_colours_change_but_labels_do_not():
    photometric = Augmentation(height=90, crop=(90, 200), scale=(1.0, 1.0), flip=0.0)
    transform = TrainingTransform(photometric)
    images = []
    for seed in range(8):
        torch.manual_seed(seed)
        image, labels = transform(sample())
        assert torch.equal(labels, torch.from_numpy(sample().labels).long())
        images.append(image.float().mean().item())
    assert np.std(images) > 3


def test_augmentation_is_a_function_of_seed_epoch_and_index():
    transform = TrainingTransform(Augmentation(height=96, crop=SIZE))
    views = AugmentedSamples([sample(), sample()], transform, seed=3)
    again = AugmentedSamples([sample(), sample()], transform, seed=3)
    torch.manual_seed(1)
    first = views[(4, 1, 0)]
    state = torch.random.get_rng_state()
    views[(0, 0, 0)]
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again[(4, 1, 0)], strict=True))
    others = [views[(5, 1, 0)], views[(4, 0, 0)], views[(4, 1, 1)],
              AugmentedSamples([sample(), sample()], transform, seed=4)[(4, 1, 0)]]
    assert all(not torch.equal(first[0], other[0]) for other in others)


def test_batches_are_a_function_of_seed_and_epoch():
    mixture = Mixture([[sample()] * 10])
    batches = EpochBatches(mixture, batch_size=4, seed=0)
    batches.set_epoch(2)
    order = list(batches)
    assert len(batches) == len(order) == 2 and order == list(batches)
    keys = [key for batch in order for key in batch]
    assert len({index for _, index, _ in keys}) == 8 and {epoch for epoch, _, _ in keys} == {2}
    batches.set_epoch(3)
    assert [key[1] for batch in batches for key in batch] != [key[1] for key in keys]
    shares = [EpochBatches(mixture, 4, 0, rank, 2) for rank in (0, 1)]
    for share in shares:
        share.set_epoch(2)
    together = [sorted(a + b) for a, b in zip(*shares, strict=True)]
    assert together == [sorted(batch) for batch in order]
    with pytest.raises(InputError, match='multiple of the 3 processes'):
        EpochBatches(mixture, 4, 0, 0, 3)


def test_default_crops_fit_the_network():
    crop = TrainingConfig().augmentation.crop
    assert crop[0] % 32 == 0 and crop[1] % 32 == 0
