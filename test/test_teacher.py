# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Distillation: what a teacher says, and what a network makes of it."""

import csv

import pytest
import torch
from conftest import make_random_network, network_info

from fcn_seg_ros.cli.train import main
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import save_checkpoint
from fcn_seg_ros.training.losses import distillation
from fcn_seg_ros.training.teacher import Teacher

SIZE = (96, 160)


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_a_teacher_says_what_its_segmenter_says(tmp_path, rendered_frames, order):
    path = tmp_path / 'teacher.safetensors'
    save_checkpoint(path, make_random_network(), network_info(
        channel_order=order, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3), temperature=1.7))
    image = rendered_frames[0].image[:SIZE[0], :SIZE[1]].copy()
    taught = Teacher(str(path))(torch.from_numpy(image).permute(2, 0, 1)[None])
    assert taught.shape == (1, 2, *SIZE)
    torch.testing.assert_close(taught.sum(dim=1), torch.ones(1, *SIZE))
    levels = (255 * taught[0, 1]).round().int()
    expected = RoadSegmenter(path, 'cpu', 'fp32', backend='torch').segment(image).probability
    assert expected.std() > 5
    assert (levels - torch.from_numpy(expected).int()).abs().max() <= 1


def test_distillation_by_its_definition():
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    taught = torch.randn(2, 3, 4, 5).softmax(dim=1)
    own = logits.softmax(dim=1)
    expected = (taught * (taught.log() - own.log())).sum(dim=1).mean()
    torch.testing.assert_close(distillation(logits, taught), expected)
    # A sure teacher, whose probabilities are 0 and 1, is cross entropy.
    sure = torch.zeros(2, 3, 4, 5)
    sure[:, 1] = 1
    torch.testing.assert_close(distillation(logits, sure), -own[:, 1].log().mean())
    # Nothing is left to learn where both say the same.
    gradient, = torch.autograd.grad(distillation(logits, own.detach()), logits)
    assert gradient.abs().max() < 1e-7


def test_a_network_learns_from_its_teacher(kitti_folder, random_checkpoint, tmp_path):
    """What nobody else could have said: the labels count for nearly nothing."""
    out = tmp_path / 'run'
    assert main(['--train', f'kitti:{kitti_folder}?split=train.txt', '--encoder-weights', 'none',
                 '--teacher', str(random_checkpoint), '--teacher-weight', '1000', '--epochs', '12',
                 '--height', '96', '--crop', *map(str, SIZE), '--batch-size', '3', '--workers',
                 '0', '--no-freeze-norm', '--precision', '32-true', '--out', str(out)]) == 0
    rows = list(csv.DictReader((out / 'metrics' / 'metrics.csv').open()))
    taught = [float(row['distillation']) for row in rows if row.get('distillation')]
    assert len(taught) >= 2 and taught[-1] < 0.7 * taught[0]
    state = torch.load(out / 'last.ckpt', weights_only=True)['state_dict']
    assert state and not any('teacher' in name for name in state)


def test_a_teacher_of_other_classes(tmp_path):
    path = tmp_path / 'other.safetensors'
    save_checkpoint(path, make_random_network(), network_info(classes=('road', 'lane')))
    with pytest.raises(InputError, match='teacher: expected the classes not road, road, found '
                                         'road, lane'):
        Teacher(str(path))
