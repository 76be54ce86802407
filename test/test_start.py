# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a run takes from the checkpoint that it starts from."""

from __future__ import annotations

import pytest
import torch
import yaml

from fcn_seg_ros.cli.train import build_parser, main
from fcn_seg_ros.cli.train_run import config_of
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.fcn import make_network
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.module import SegmentationModule
from fcn_seg_ros.training.start import open_start, take_weights

SMALL = ['--crop', '64', '96', '--batch-size', '2', '--workers', '0', '--precision', '32-true',
         '--average-decay', '0', '--epochs', '1']


def config_from(*arguments):
    return config_of(build_parser().parse_args(['--out', 'o', *map(str, arguments)]))


@pytest.fixture(scope='module')
def start(tmp_path_factory, random_checkpoint):
    """Return MobileNetV2 under an input convention that is not its usual one."""
    path = tmp_path_factory.mktemp('start') / 'start.safetensors'
    checkpoint = load_checkpoint(random_checkpoint)
    info = {**vars(checkpoint.info), 'mean': (0.5,) * 3, 'std': (0.5,) * 3, 'network_height': 96}
    save_checkpoint(path, checkpoint.network, CheckpointInfo(**info))
    return path


def test_settings_that_are_not_given_come_from_the_checkpoint(start, tmp_path):
    config = config_from('--init-from', start)
    assert (config.encoder, config.decoder) == ('mobilenet_v2', 'fcn8s')
    assert config.resolved_convention == 'tf' and config.augmentation.height == 96
    packaged = config_from('--init-from', 'open')
    assert (packaged.encoder, packaged.decoder, packaged.augmentation.pixels) == (
        'road_adas', 'fcn4s', 260000)
    assert packaged.resolved_convention == 'bgr255'
    # The next stage of staged training; another size of the input.
    file = tmp_path / 'c.yaml'
    file.write_text('decoder: fcn16s\naugmentation: {height: 128}\n')
    given = config_from('--config', file, '--init-from', start, '--pixels', '9000')
    assert (given.decoder, given.augmentation.height, given.augmentation.pixels) == (
        'fcn16s', 128, 9000)
    assert open_start(given).info.network_height == 96


def test_classes_come_from_the_checkpoint(start, tmp_path):
    path = tmp_path / 'three.safetensors'
    network = make_network('mobilenet_v2', 'fcn8s', 3)
    info = {**vars(load_checkpoint(start).info), 'classes': ('road', 'car', 'sky'),
            'road_ids': (0,), 'palette': ((1, 2, 3), (4, 5, 6), (7, 8, 9))}
    save_checkpoint(path, network, CheckpointInfo(**info))
    classes = config_from('--init-from', path).class_list
    assert (classes.names, classes.road_ids, classes.palette) == (
        info['classes'], (0,), info['palette'])
    assert config_from('--init-from', 'open').classes == ''


@pytest.mark.parametrize(('arguments', 'message'), [
    (['--encoder', 'resnet18'], 'init_from: expected a network with the encoder resnet18, found '
                                'mobilenet_v2'),
    (['--input-convention', 'torch'],
     'input_convention: expected tf, with which init_from was trained, found torch'),
    (['--init-from', 'opne'], 'expected a file or one of the names'),
])
def test_contradictions_are_refused(kitti_folder, start, tmp_path, capsys, arguments, message):
    assert main(['--train', f'kitti:{kitti_folder}', '--init-from', str(start), *SMALL, '--out',
                 str(tmp_path / 'run'), *arguments]) == 2
    error, = capsys.readouterr().err.splitlines()
    assert message in error and not (tmp_path / 'run').exists()


def test_a_run_keeps_the_convention_and_says_what_starts_afresh(kitti_folder, start, tmp_path,
                                                                capsys):
    out = tmp_path / 'run'
    assert main(['--train', f'kitti:{kitti_folder}?split=train.txt', '--init-from', str(start),
                 '--decoder', 'fcn16s', '--encoder-rate', '0', *SMALL, '--out', str(out)]) == 0
    before, after = load_checkpoint(start), load_checkpoint(out / 'checkpoint.safetensors')
    assert (after.info.mean, after.info.network_height) == ((0.5,) * 3, 96)
    assert yaml.safe_load((out / 'config.yaml').read_text())['input_convention'] == 'tf'
    for name, value in before.network.encoder.state_dict().items():
        assert torch.equal(after.network.encoder.state_dict()[name], value), name
    assert not torch.equal(before.network.decoder.score_fr.weight,
                           after.network.decoder.score_fr.weight)
    assert 'start untrained' in capsys.readouterr().out


def test_layers_that_do_not_fit_are_listed(start, capsys):
    network = make_network('mobilenet_v2', 'fcn8s', 11)
    take_weights(network, TrainingConfig(init_from=str(start)), load_checkpoint(start))
    line = capsys.readouterr().out
    assert 'decoder.score_fr' in line and 'encoder.' not in line


def test_frozen_layers_keep_their_statistics_without_freeze_norm():
    network = make_network('mobilenet_v2', 'fcn8s', 2)
    module = SegmentationModule(network, TrainingConfig(frozen_layers=2, freeze_norm=False))
    module.train()
    module.on_train_epoch_start()
    frozen = list(network.encoder.stride8[:2].modules())
    norms = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    assert [layer.training for layer in norms] == [layer not in frozen for layer in norms]
    assert not any(p.requires_grad for p in network.encoder.stride8[:2].parameters())
    assert all(p.requires_grad for p in network.encoder.stride8[2:].parameters())
