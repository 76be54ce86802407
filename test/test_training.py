# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training: the loss, the regularisation, and a whole small run through the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from fcn_seg_ros.cli.train import main
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.module import cross_entropy, parameter_groups, warm_cosine

SMALL = ['--encoder-weights', 'none', '--height', '96', '--crop', '96', '160', '--batch-size', '3',
         '--precision', '32-true', '--workers', '0', '--scale', '0.8', '1.2',
         '--average-decay', '0.5', '--no-freeze-norm', '--learning-rate', '0.003']


def test_cross_entropy_leaves_out_unlabelled_pixels():
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    labels = torch.randint(0, 3, (2, 4, 5))
    labels[0, :2] = 255
    p = logits.softmax(1)
    rows = [-p[n, labels[n, y, x], y, x].log() for n in range(2) for y in range(4)
            for x in range(5) if labels[n, y, x] != 255]
    loss = cross_entropy(logits, labels)
    torch.testing.assert_close(loss, torch.stack(rows).mean())
    loss.backward()
    assert logits.grad[0, :, :2].abs().sum() == 0
    nothing = cross_entropy(logits, torch.full((2, 4, 5), 255))
    assert nothing.item() == 0 and nothing.isfinite()


def test_weight_decay_enters_the_update():
    """Without any gradient a step shrinks the kernels by lr x decay, and nothing else."""
    network = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    optimiser = torch.optim.AdamW(parameter_groups(network, weight_decay=0.1), lr=0.5)
    before = {name: value.clone() for name, value in network.named_parameters()}
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    for name, value in network.named_parameters():
        factor = 1 - 0.5 * 0.1 if name == '0.weight' else 1.0
        torch.testing.assert_close(value, factor * before[name])


def test_schedule_rises_and_falls_to_zero():
    shares = [warm_cosine(step, 100, 0.1) for step in range(101)]
    assert shares[0] == 0.1 and shares[9] == 1.0 and shares[100] == 0.0
    assert shares == sorted(shares[:10]) + sorted(shares[10:], reverse=True)


def test_a_run_learns_the_road(kitti_folder, tmp_path):
    """Seventy steps from random weights on six small frames separate road from the rest."""
    out = tmp_path / 'run'
    assert main([str(kitti_folder), '--out', str(out), '--split', 'train.txt', '--val-split',
                 'val.txt', '--epochs', '35', '--validate-every', '35', *SMALL]) == 0
    checkpoint = load_checkpoint(out / 'checkpoint.safetensors')
    info = checkpoint.info
    assert (info.encoder, info.network_height, info.classes) == (
        'mobilenet_v2', 96, ('not road', 'road'))
    assert info.scores['split'] == 'val.txt' and info.scores['view'] == 'perspective'
    assert info.threshold == info.scores['scores']['all']['threshold']
    assert 'KITTI Road, 6 images (train.txt)' in info.training_data
    assert 'non-commercial' in info.licence
    segmenter = RoadSegmenter(checkpoint, 'cpu', 'fp32')
    dataset = KittiRoad(kitti_folder, 'train.txt')
    inter = union = 0
    for index in range(len(dataset)):
        sample = dataset[index]
        mask = segmenter.segment(sample.image).mask == 1
        inter += np.logical_and(mask, sample.labels == 1).sum()
        union += np.logical_or(mask, sample.labels == 1).sum()
    assert inter / union > 0.6
    assert (out / 'metrics' / 'metrics.csv').read_text().startswith('epoch,')


def weights_of(path):
    return load_checkpoint(path / 'checkpoint.safetensors').network.state_dict()


def test_an_interrupted_run_ends_as_an_uninterrupted_one(kitti_folder, tmp_path):
    """Resumed after its second epoch of four, a run ends with the same weights."""
    arguments = [str(kitti_folder), '--split', 'train.txt', '--epochs', '4', *SMALL]
    whole, cut = tmp_path / 'whole', tmp_path / 'cut'
    assert main([*arguments, '--out', str(whole)]) == 0

    from fcn_seg_ros.training.data import RoadDataModule
    original = RoadDataModule.train_dataloader

    class Interrupt(Exception):
        pass

    def dies_in_epoch_three(self):
        loader = original(self)
        inner = loader.sampler

        class Dying(type(inner)):
            def __iter__(self):
                if self._epoch == 2:
                    raise Interrupt
                return super().__iter__()

        inner.__class__ = Dying
        return loader

    RoadDataModule.train_dataloader = dies_in_epoch_three
    try:
        with pytest.raises(Interrupt):
            main([*arguments, '--out', str(cut)])
    finally:
        RoadDataModule.train_dataloader = original
    assert not (cut / 'checkpoint.safetensors').exists()
    assert main([*arguments, '--out', str(cut), '--resume']) == 0
    expected, resumed = weights_of(whole), weights_of(cut)
    assert all(torch.equal(value, resumed[name]) for name, value in expected.items())


def run(*arguments):
    result = subprocess.run([sys.executable, '-m', 'fcn_seg_ros', *map(str, arguments)],
                            capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.parametrize(('arguments', 'text'), [
    (['{tmp}/nowhere', '--out', '{tmp}/run'], 'nowhere: expected a KITTI Road folder'),
    (['{data}', '--out', '{tmp}/run', '--encoder-weights', '{tmp}/no.pth'],
     'no.pth: expected a file with encoder weights, found none'),
    (['{data}', '--out', '{tmp}/run', '--resume'], 'expected the state of an interrupted run'),
    (['{data}', '--out', '{tmp}/run', '--encoder-weights', 'none', '--epochs', '0'],
     'epochs: expected at least 1, found 0'),
    (['{data}', '--out', '{tmp}/run', '--encoder-weights', 'none', '--precision', 'fp8'],
     "argument --precision: invalid choice: 'fp8'"),
    (['{data}', '--out', '{tmp}/run', '--encoder-weights', 'none', '--rendered-drives', '-1'],
     'rendered drives: expected at least one drive'),
    (['{data}', '--out', '{tmp}/run', '--input-convention', 'tf'],
     "--input-convention: expected torch for torchvision's weights, found tf"),
    (['{data}', '--out', '{tmp}/run', '--split', 'none.txt'], 'none.txt: expected a split file'),
])
def test_bad_training_input(kitti_folder, tmp_path, arguments, text):
    status, _, errors = run('train', *(a.format(tmp=tmp_path, data=kitti_folder)
                                       for a in arguments))
    assert status == 2, errors
    lines = [line for line in errors.splitlines() if line.startswith('train: error: ')]
    assert len(lines) == 1 and text in lines[0] and 'Traceback' not in errors, errors
    assert not (tmp_path / 'run').exists()


def test_data_without_ground_truth(kitti_folder, tmp_path):
    data = tmp_path / 'data'
    shutil.copytree(kitti_folder, data)
    shutil.rmtree(data / 'training' / 'gt_image_2')
    status, _, errors = run('train', data, '--out', tmp_path / 'run')
    assert status == 2 and 'training/gt_image_2, found none' in errors, errors


def test_evaluate_json(kitti_folder, random_checkpoint):
    status, output, errors = run('evaluate', kitti_folder, '--split', 'val.txt', '--checkpoint',
                                 random_checkpoint, '--json', '--precision', 'fp32')
    assert status == 0, errors
    result = json.loads(output)
    assert result['view'] == 'perspective' and result['images'] == {'uu': 2, 'all': 2}
    scores = result['scores']['all']
    assert 0 < scores['max_f'] <= 100 and scores['iou'] <= scores['max_f']
    low, high = result['max_f_interval_95']
    assert low <= high
    assert {row['image'] for row in result['worst']} == {'uu_000006', 'uu_000007'}
    status, output, _ = run('evaluate', kitti_folder, '--checkpoint', random_checkpoint)
    assert status == 0 and 'umm' in output and '95 % interval' in output


def test_evaluate_refuses_a_corrupt_checkpoint(kitti_folder, tmp_path):
    (tmp_path / 'x.safetensors').write_bytes(b'abc')
    status, _, errors = run('evaluate', kitti_folder, '--checkpoint', tmp_path / 'x.safetensors')
    assert status == 2 and len(errors.strip().splitlines()) == 1 and 'x.safetensors' in errors


def test_defaults_of_the_command_are_those_of_the_configuration():
    from fcn_seg_ros.cli.train import _config, _parser
    options = _parser().parse_args(['data', '--out', 'out'])
    assert _config(options) == TrainingConfig()
