# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Thinner networks: what leaves, what stays as it is, and what is trained from it."""

import dataclasses
import subprocess
import sys

import pytest
import torch
from conftest import network_info
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.benchmark.arithmetic import count_gmac
from fcn_seg_ros.cli.train import main
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.checkpoint_file import read_checkpoint, with_info
from fcn_seg_ros.models.fcn import make_network
from fcn_seg_ros.models.prune import hidden_channels, set_widths, thin, widths_of
from fcn_seg_ros.training import pruning
from fcn_seg_ros.training.pruning import VECTOR, choose, costs, importance

MOBILENET = (32, 96, 144, 144, 192, 192, 192, 384, 384, 384, 384, 576, 576, 576, 960, 960, 960,
             1280)
ENCODERS = ('mobilenet_v2', 'resnet18', 'resnet50', 'vgg16_1024')


def lively(encoder, decoder='fcn8s'):
    """Return a network all of whose layers give values that differ."""
    torch.manual_seed(0)
    network = make_network(encoder, decoder, 2).eval()
    for layer in network.encoder.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.normal_(layer.bias, std=0.5)
            torch.nn.init.normal_(layer.running_mean, std=0.1)
    for name, layer in network.decoder.named_children():
        if name.startswith('score'):
            torch.nn.init.normal_(layer.weight, std=0.1)
    return network


@pytest.mark.parametrize('decoder', ['fcn8s', 'fcn32s'])
@pytest.mark.parametrize('encoder', ENCODERS)
def test_channels_that_nobody_reads_leave_without_a_trace(encoder, decoder):
    network = lively(encoder, decoder)
    kept = []
    with torch.inference_mode():
        for group in hidden_channels(network):
            index = torch.randperm(group.width)[:max(1, group.width // 3)].sort().values
            gone = torch.ones(group.width, dtype=torch.bool)
            gone[index] = False
            for reader in group.readers:
                reader.weight[:, gone] = 0
            kept.append(index)
        image = torch.randn(1, 3, 64, 96)
        before, parameters = network(image), sum(p.numel() for p in network.parameters())
    assert before.std() > 1e-5
    thin(network, kept)
    assert sum(p.numel() for p in network.parameters()) < 0.75 * parameters
    with torch.inference_mode():
        features = network.encoder(image)
        torch.testing.assert_close(network(image), before, atol=1e-3 * float(before.std()),
                                   rtol=1e-3)
    assert [f.shape[1] for f in features] == list(network.encoder.channels)
    assert widths_of(network) == tuple(len(index) for index in kept)


def test_all_but_the_residual_sums_of_mobilenet_is_hidden():
    network = make_network('mobilenet_v2', 'fcn8s', 2)
    assert widths_of(network) == MOBILENET
    set_widths(network, [1] * len(MOBILENET))
    with torch.inference_mode():
        assert network.eval()(torch.zeros(1, 3, 40, 70)).shape == (1, 2, 40, 70)


def test_a_thinned_network_survives_its_file(tmp_path):
    network = lively('mobilenet_v2')
    thin(network, [torch.arange(0, width, 2) for width in MOBILENET])
    path = tmp_path / 'thin.safetensors'
    save_checkpoint(path, network, network_info(widths=widths_of(network)))
    again = load_checkpoint(path)
    assert again.info.widths == tuple(width // 2 for width in MOBILENET)
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(again.network(image), network(image), atol=2e-2, rtol=2e-2)
    for widths, message in (((), 'expected the weights of fcn8s on mobilenet_v2, found others'),
                            ((16, 48), 'widths: expected 18 numbers of channels'),
                            ((33, *MOBILENET[1:]), 'each at most that of 32 96')):
        with_info(path, dataclasses.replace(again.info, widths=widths))
        with pytest.raises(InputError, match=message):
            load_checkpoint(path)


def test_importance_is_what_the_loss_changes():
    """Beside finite differences, for channels of every kind."""
    network = lively('mobilenet_v2').double()
    images = [torch.rand(1, 3, 64, 64, dtype=torch.float64) for _ in range(2)]

    def loss(image):
        return network(image).square().mean()
    found = importance(network, (loss(image) for image in images))
    step = 1e-5
    for kind, group in enumerate(hidden_channels(network)):
        channel = group.width // 2
        expected = 0.0
        for image in images:
            values = []
            for factor in (1 + step, (1 - step) / (1 + step), 1 / (1 - step)):
                with torch.no_grad():
                    group.readers[0].weight[:, channel] *= factor
                    values.append(float(loss(image)))
            expected += ((values[0] - values[1]) / (2 * step)) ** 2
        assert float(found[kind][channel]) == pytest.approx(expected, rel=1e-3, abs=1e-12), kind
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize('encoder', ['mobilenet_v2', 'resnet18', 'vgg16_1024'])
def test_what_a_channel_costs_is_saved_without_it(encoder, monkeypatch):
    monkeypatch.setattr(pruning, '_MOVE', 0)
    size = (64, 96)
    network = make_network(encoder, 'fcn8s', 2).eval()
    prices, whole = costs(network, torch.zeros(1, 3, *size)), count_gmac(network, size)
    for kind in (0, len(prices) // 2, len(prices) - 1):
        thinner = make_network(encoder, 'fcn8s', 2).eval()
        thin(thinner, [torch.arange(group.width - (number == kind))
                       for number, group in enumerate(hidden_channels(thinner))])
        assert whole - count_gmac(thinner, size) == pytest.approx(prices[kind] / 1e9, rel=1e-4)


def test_the_cheapest_loss_leaves_first():
    """Two kinds of 32 channels: 16 of the second are worth less for what they cost."""
    first = torch.arange(32.) + 100
    second = torch.cat([torch.arange(16.) + 1000, torch.arange(16.)])
    kept = choose([first, second], [1.0, 1.0], 0.75)
    assert kept[0].tolist() == list(range(32)) and kept[1].tolist() == list(range(16))
    # Now the first ones are what costs.
    kept = choose([first, second], [1e6, 1.0], 0.75)
    assert kept[0].tolist() == list(range(16, 32)) and kept[1].tolist() == list(range(32))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 70), st.floats(0.1, 1e3)), min_size=1, max_size=5),
       st.floats(0.05, 1.0), st.integers(0, 100))
def test_choice_keeps_whole_vectors_of_what_matters(kinds, share, seed):
    torch.manual_seed(seed)
    values = [torch.rand(width, dtype=torch.float64) for width, _ in kinds]
    prices = [price for _, price in kinds]
    kept = choose(values, prices, share)
    paid = sum(len(index) * price for index, price in zip(kept, prices, strict=True))
    whole = sum(width * price for width, price in kinds)
    smallest = all(len(index) <= VECTOR for index in kept)
    assert paid <= share * whole * (1 + 1e-9) or smallest
    for index, value in zip(kept, values, strict=True):
        assert 0 < len(index) == len(value) or len(index) % VECTOR == 0
        gone = torch.ones(len(value), dtype=torch.bool)
        gone[index] = False
        assert not gone.any() or value[gone].max() <= value[index].min()
    if share == 1:
        assert paid == pytest.approx(whole)


SMALL = ['--height', '96', '--crop', '96', '160', '--batch-size', '3', '--workers', '0',
         '--no-freeze-norm', '--learning-rate', '1e-3']


def arguments_of(folder, start, out, *more):
    return ['--train', f'kitti:{folder}?split=train.txt', '--init-from', str(start), '--thin',
            '0.5', '--epochs', '4', *SMALL, '--out', str(out), *more]


def test_a_run_thins_and_goes_on_after_a_kill(kitti_folder, random_checkpoint, tmp_path):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    command = [sys.executable, '-m', 'fcn_seg_ros', 'train']
    result = subprocess.run([*command, *arguments_of(kitti_folder, random_checkpoint, whole)],
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert 'thinned to 50%: hidden channels 32 96 144' in result.stdout
    with subprocess.Popen([*command, *arguments_of(kitti_folder, random_checkpoint, killed)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            if line.startswith('epoch 2/4'):
                process.kill()
    assert not (killed / 'checkpoint.safetensors').exists()
    result = subprocess.run([*command, '--resume', '--out', str(killed)], capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stderr
    assert 'thinned to' not in result.stdout
    one, two = (load_checkpoint(path / 'checkpoint.safetensors') for path in (whole, killed))
    assert one.info.widths == two.info.widths == widths_of(one.network) < MOBILENET
    for name, value in one.network.state_dict().items():
        torch.testing.assert_close(two.network.state_dict()[name], value, rtol=0, atol=0)
    assert self_test(RoadSegmenter(one, 'cpu')) > 0.9
    # What is trained further from it is as thin.
    further = tmp_path / 'further'
    assert main(['--train', f'kitti:{kitti_folder}?split=train.txt', '--init-from',
                 str(whole / 'checkpoint.safetensors'), '--epochs', '1', *SMALL, '--out',
                 str(further)]) == 0
    assert read_checkpoint(further / 'checkpoint.safetensors').info.widths == one.info.widths


@pytest.mark.parametrize(('change', 'message'), [
    (['--thin', '0'], 'thin: expected more than 0'),
    (['--thin', '1.5'], 'thin: expected more than 0 and at most 1'),
    (['--init-from', ''], 'thin: expected init_from'),
    (['--encoder', 'resnet18'], 'widths: expected 8 numbers of channels'),
    (['--teacher', 'nowhere.safetensors'], 'nowhere.safetensors: expected a checkpoint file'),
    (['--teacher-weight', '-1'], 'teacher_weight: expected at least 0'),
])
def test_bad_thinning(kitti_folder, random_checkpoint, tmp_path, capsys, change, message):
    assert main(arguments_of(kitti_folder, random_checkpoint, tmp_path / 'run', *change)) == 2
    error, = capsys.readouterr().err.splitlines()[-1:]
    assert error.startswith('train: error: ') and message in error
