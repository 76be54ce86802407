# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Photometric augmentation: what each step does to pixels, and that labels stay in place."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from fcn_seg_ros.datasets.augmentation import Augmentation
from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.datasets.photometric import CastShadow, MotionBlur, SensorNoise, ToneCurve
from fcn_seg_ros.datasets.transforms import TrainingTransform, warp_all
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.training.config import read_config

STEPS = {'tone': ToneCurve(0.6, 0.2), 'motion': MotionBlur((3, 9)), 'noise': SensorNoise(20),
         'shadow': CastShadow(0.6)}


def image(value=128, size=(64, 96)):
    return tv_tensors.Image(torch.full((3, *size), value, dtype=torch.uint8))


def textured():
    generator = torch.Generator().manual_seed(0)
    return tv_tensors.Image(torch.randint(0, 256, (3, 64, 96), generator=generator,
                                          dtype=torch.uint8))


@pytest.mark.parametrize('name', STEPS)
def test_steps_depend_on_torchs_seed_alone_and_leave_labels(name):
    mask = tv_tensors.Mask(torch.randint(0, 2, (64, 96), dtype=torch.uint8))
    views = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed + len(views))
        view, labels = STEPS[name](textured(), mask)
        assert torch.equal(labels, mask) and view.dtype == torch.uint8
        assert isinstance(view, tv_tensors.Image) and view.shape == (3, 64, 96)
        views.append(view)
    assert torch.equal(views[0], views[1]) and not torch.equal(views[0], views[2])
    assert not torch.equal(views[0], textured())


def test_tone_curve_is_gamma_and_gains():
    torch.manual_seed(0)
    step = ToneCurve(1.0, 0.3)
    params = step.make_params([])
    assert 0.5 <= params['exponent'] <= 2 and params['gains'].min() == 1
    values = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, 2)
    curve = step.change(values, params)[0].astype(float)
    expected = 255 * (np.arange(256)[:, None] / 255) ** params['exponent'] * params['gains']
    assert np.abs(curve - expected.clip(0, 255)).max() <= 0.5
    assert (curve[255] == 255).all() and (curve[0] == 0).all()


def test_motion_blur_spreads_a_point_along_its_direction():
    point = np.zeros((21, 21, 3), np.uint8)
    point[10, 10] = 255
    step = MotionBlur((8, 8))
    flat = step.change(point, {'length': 8.0, 'angle': 0.0})
    assert (flat[10, 6:15] > 20).all() and flat[9].max() == 0 and flat[11].max() == 0
    assert abs(int(flat[..., 0].sum()) - 255) < 12
    upright = step.change(point, {'length': 8.0, 'angle': np.pi / 2})
    assert np.array_equal(upright, flat.transpose(1, 0, 2))


def test_noise_grows_with_the_light():
    torch.manual_seed(0)
    dark, bright = image(40, (200, 200)), image(200, (200, 200))
    params = SensorNoise(12).make_params([dark])
    deviations = [params['sigma'] * (0.5 + value / 255) ** 0.5 for value in (40, 200)]
    for view, value, sigma in zip((dark, bright), (40, 200), deviations, strict=True):
        changed = SensorNoise(12).transform(view, params).float()
        assert abs(changed.std().item() / sigma - 1) < 0.05
        assert abs(changed.mean().item() - value) < 0.5
    assert SensorNoise(12).transform(image(255), params | {
        'noise': np.full((64, 96, 3), 3, np.float32)}).min() == 255


def test_shadows_darken_part_of_the_road_and_never_the_sky():
    shares = []
    for seed in range(40):
        torch.manual_seed(seed)
        view = CastShadow(0.6)(image(200, (320, 832)))
        assert (view <= 201).all() and (view[:, :78] >= 199).all()
        # At most 0.6 of the light is gone.
        assert view.min() >= 200 * 0.4 - 3
        shaded = (view[0, 160:] < 170).float().mean().item()
        assert (view[2].int() >= view[0].int()).all()
        shares.append(shaded)
    assert 0.1 < np.mean(shares) < 0.6 and np.std(shares) > 0.1


def test_warp_moves_image_and_labels_together():
    labels = np.zeros((90, 200), np.uint8)
    labels[30:, 40:120] = 1
    pixels = np.where(labels[..., None] == 1, 220, 60).astype(np.uint8).repeat(3, 2)
    transform = TrainingTransform(replace(
        Augmentation(), height=90, crop=(90, 200), scale=(1, 1), rotation=5, perspective=0.05,
        brightness=0, contrast=0, saturation=0, hue=0, blur=0, greyscale=0))
    moved = 0
    for seed in range(10):
        torch.manual_seed(seed)
        view, mask = transform(Sample('s', pixels, labels))
        valid = mask != 255
        # Along the borders the image is mixed with the grey of the outside.
        assert ((view[0] > 140) == (mask == 1))[valid].float().mean() > 0.98
        moved += int((mask == 255).any())
    assert moved == 10
    same, (same_labels,) = warp_all(pixels, [labels], np.eye(3))
    assert np.array_equal(same, pixels) and np.array_equal(same_labels, labels)


def test_other_cameras_vary_more_than_the_default():
    labels = np.ones((90, 200), np.uint8)
    pixels = np.full((90, 200, 3), 120, np.uint8)
    general = read_config(Path(__file__).parent.parent / 'config/train_general.yaml').augmentation
    strong = TrainingTransform(replace(general, height=90, pixels=0, crop=(90, 200)))
    colours, textures = [], []
    for seed in range(60):
        torch.manual_seed(seed)
        view, mask = strong(Sample('s', pixels, labels))
        assert set(mask.unique().tolist()) <= {0, 1, 255}  # a bonnet is not road
        inside = view[:, 20:70, 40:160].float()
        colours.append(inside.mean((1, 2)))
        textures.append(inside.std((1, 2)).max().item())
    spread = torch.stack(colours)
    assert (spread.max(1).values - spread.min(1).values > 8).float().mean() > 0.4
    assert 0.3 < np.mean(np.array(textures) > 1) < 1


def test_a_step_that_never_happens_draws_nothing():
    """The default is what it was before there were these steps."""
    transform = TrainingTransform(Augmentation(height=64, crop=(64, 96)))
    torch.manual_seed(3)
    transform(Sample('s', np.zeros((64, 96, 3), np.uint8), np.zeros((64, 96), np.uint8)))
    names = [type(step).__name__ for step in transform._steps.transforms]
    assert names == ['RandomHorizontalFlip', 'RandomCrop', 'RandomApply', 'RandomGrayscale',
                     'RandomApply']


@pytest.mark.parametrize(('changes', 'text'), [
    ({'flip': 1.5}, 'flip: expected 0 to 1, found 1.5'),
    ({'gamma': -0.1}, 'gamma: expected 0 to 4, found -0.1'),
    ({'scale': (0.0, 1.0)}, 'scale: expected 0.01 to 100, found 0'),
    ({'scale': (2.0, 1.0)}, 'scale: expected the smaller number first, found 2.0 1.0'),
    ({'jpeg_quality': (0, 90)}, 'jpeg_quality: expected 1 to 100, found 0'),
    ({'shadow_depth': float('nan')}, 'shadow_depth: expected 0 to 1, found nan'),
    ({'brightness': -1.0}, 'brightness: expected 0 to 1, found -1'),
])
def test_bad_numbers(changes, text):
    with pytest.raises(InputError) as caught:
        Augmentation(**changes)
    assert str(caught.value) == text
