# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Distillation: what a teacher says, and what a network makes of it."""

import csv

import numpy as np
import torch
from conftest import make_random_network, network_info

from fcn_seg_ros.cli.train import main
from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.evaluation.predictors import Network
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import save_checkpoint
from fcn_seg_ros.training.losses import distillation
from fcn_seg_ros.training.teacher import Taught, Untaught

SIZE = (96, 160)


def test_a_teacher_says_what_its_segmenter_says(tmp_path, rendered_frames):
    path = tmp_path / 'teacher.safetensors'
    save_checkpoint(path, make_random_network(), network_info())
    segmenter = RoadSegmenter(path, 'cpu')
    frame = rendered_frames[0]
    sample = Sample('frame', frame.image, np.zeros(frame.image.shape[:2], np.uint8))
    taught = Taught([sample], Network(segmenter))[0].taught
    mirrored = segmenter.segment(np.ascontiguousarray(sample.image[:, ::-1])).probability[:, ::-1]
    both = (segmenter.segment(sample.image).probability.astype(float) + mirrored) / 2
    assert both.std() > 5
    assert np.abs(taught / 254 - both / 255).max() <= 0.5 / 254 + 1e-6
    assert (Untaught([sample])[0].taught == 255).all()


def test_distillation_by_its_definition():
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 4, 5, requires_grad=True)
    taught = torch.randint(1, 254, (2, 4, 5), dtype=torch.uint8)
    taught[:, 0] = 255
    road = taught / 254
    target, own = torch.stack([1 - road, road], 1), logits.softmax(dim=1)
    expected = (target * (target.log() - own.log())).sum(dim=1)[:, 1:].mean()
    torch.testing.assert_close(distillation(logits, taught), expected)
    # A sure teacher, whose probabilities are 0 and 1, is cross entropy.
    sure = torch.full((2, 4, 5), 254, dtype=torch.uint8)
    torch.testing.assert_close(distillation(logits, sure), -own[:, 1].log().mean())
    assert distillation(logits, torch.full_like(taught, 255)).item() == 0


def test_a_network_learns_from_its_teacher(kitti_folder, random_checkpoint, tmp_path):
    """What nobody else could have said: the labels count for nearly nothing."""
    out = tmp_path / 'run'
    assert main(['--train', f'kitti:{kitti_folder}?split=train.txt', '--encoder-weights', 'none',
                 '--teacher', str(random_checkpoint), '--teacher-weight', '1000', '--epochs', '24',
                 '--learning-rate', '3e-3',
                 '--height', '96', '--crop', *map(str, SIZE), '--batch-size', '3', '--workers',
                 '0', '--no-freeze-norm', '--precision', '32-true', '--out', str(out)]) == 0
    rows = list(csv.DictReader((out / 'metrics' / 'metrics.csv').open()))
    taught = [float(row['distillation']) for row in rows if row.get('distillation')]
    assert len(taught) >= 2 and taught[-1] < 0.7 * taught[0]
    state = torch.load(out / 'last.ckpt', weights_only=True)['state_dict']
    assert state and not any('teacher' in name for name in state)
