# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pruning: which channels go, what stays the same, and the training that follows."""

import subprocess
import sys

import pytest
import torch
from conftest import network_info
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from fcn_seg_ros.benchmark.arithmetic import count_gmac, count_parameters
from fcn_seg_ros.cli.train import main
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, to_json
from fcn_seg_ros.models.decoders import FCNDecoder
from fcn_seg_ros.models.encoders.base import Encoder
from fcn_seg_ros.models.fcn import FCN, make_network
from fcn_seg_ros.training import pruning
from fcn_seg_ros.training.pruning import (
    VECTOR,
    Pruner,
    check_prunable,
    choose,
    costs,
    importance,
)

MOBILENET_GROUPS = 25


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


@pytest.mark.parametrize(('encoder', 'decoder'), [
    ('mobilenet_v2', 'fcn8s'), ('resnet18', 'fcn4s'), ('resnet50', 'fcn32s'),
    ('efficientnet_lite0', 'fcn8s'),
    ('vgg16_1024', 'fcn8s'), ('road_adas', 'fcn32s')])
def test_channels_that_nobody_reads_leave_without_a_trace(encoder, decoder):
    network = lively(encoder, decoder)
    pruner = Pruner(network)
    kept = []
    with torch.no_grad():
        for group in pruner.groups:
            index = torch.randperm(group.width)[:max(1, group.width // 3)].sort().values
            gone = torch.ones(group.width, dtype=torch.bool)
            gone[index] = False
            for link in group.readers:
                link.layer.weight[:, link.axes[gone[link.channels]]] = 0
            kept.append(index)
        image = torch.randn(1, 3, 64, 96)
        before, parameters = network(image), count_parameters(network)
        assert before.std() > 1e-5
        pruner.prune(kept)
        assert count_parameters(network) < 0.5 * parameters
        torch.testing.assert_close(network(image), before, atol=1e-3 * float(before.std()),
                                   rtol=1e-3)
    assert [group.width for group in Pruner(network).groups] == [len(index) for index in kept]
    check_prunable(network, network_info(encoder=encoder, decoder=decoder))


def test_a_pruned_network_survives_its_file(tmp_path):
    network = lively('mobilenet_v2')
    pruner = Pruner(network)
    assert len(pruner.groups) == MOBILENET_GROUPS
    pruner.prune([torch.arange(0, group.width, 2) for group in pruner.groups])
    path = tmp_path / 'pruned.safetensors'
    save_checkpoint(path, network, network_info())
    again = load_checkpoint(path).network
    assert again.encoder.channels == (12, 16, 48, 640)
    assert [layer.extra_repr() for layer in again.modules()] == [
        layer.extra_repr() for layer in network.modules()]
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(again(image), network(image), atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize(('name', 'part', 'message'), [
    ('encoder.stride8.0.0.weight', slice(0, 7), 'expected the weights of a pruned mobilenet_v2'),
    ('encoder.stride8.0.1.bias', slice(0, 7), 'expected the weights of a pruned mobilenet_v2'),
    ('encoder.stride8.0.0.weight', (..., slice(0, 2)), 'weights of fcn8s on mobilenet_v2'),
    ('decoder.score_fr.weight', slice(0, 1), 'weights of fcn8s on mobilenet_v2'),
    ('encoder.stride32.18.1.weight', slice(0, 0), 'weights of fcn8s on mobilenet_v2')])
def test_shapes_that_do_not_fit(random_checkpoint, tmp_path, name, part, message):
    tensors = load_file(random_checkpoint)
    tensors[name] = tensors[name][part].contiguous()
    text = to_json(network_info()).replace('"format_version": 2', '"format_version": 1')
    save_file(tensors, tmp_path / 'x.safetensors', {METADATA_KEY: text})
    with pytest.raises(InputError, match=f'x.safetensors: expected.*{message[8:]}') as caught:
        load_checkpoint(tmp_path / 'x.safetensors')
    assert '\n' not in str(caught.value)


class Folded(nn.Module):
    """Folds channels into rows, which no dependency graph follows."""

    def forward(self, features):
        return features.view(len(features), -1, 4, *features.shape[2:]).sum(2).repeat(1, 4, 1, 1)


@pytest.mark.parametrize(('layer', 'width'), [(Folded(), 32), (nn.Identity(), 16)])
def test_what_cannot_be_pruned_is_one_line(layer, width):
    def conv(inputs):
        return nn.Conv2d(inputs, width, 3, 2, 1)
    encoder = Encoder((nn.Sequential(conv(3), conv(width), layer, conv(width)), conv(width),
                       conv(width)), (width,) * 4, 3)
    network = FCN(encoder, FCNDecoder(encoder.channels, 2, 2)).eval()
    with pytest.raises(InputError, match='prune: not available for') as caught:
        check_prunable(network, network_info())
    assert '\n' not in str(caught.value)


def test_importance_is_what_the_loss_changes():
    """Beside finite differences, for channels of every group."""
    network = lively('mobilenet_v2').double()
    groups = Pruner(network.float()).groups
    network.double()
    images = [torch.rand(1, 3, 64, 64, dtype=torch.float64) for _ in range(2)]

    def loss(image):
        return network(image).square().mean()
    found = importance(network, groups, (loss(image) for image in images))
    # So small that hardly any ReLU changes sides.
    step = 1e-6
    for kind, group in enumerate(groups):
        channel = group.width // 2
        expected = 0.0
        for image in images:
            values = []
            for factor in (1 + step, (1 - step) / (1 + step), 1 / (1 - step)):
                with torch.no_grad():
                    for link in group.readers:
                        link.layer.weight[:, link.axes[link.channels == channel]] *= factor
                    values.append(float(loss(image)))
            expected += ((values[0] - values[1]) / (2 * step)) ** 2
        assert float(found[kind][channel]) == pytest.approx(expected, rel=1e-3, abs=1e-12), kind
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize('encoder', [
    'mobilenet_v2', 'efficientnet_lite0', 'resnet18', 'vgg16_1024'])
def test_what_a_channel_costs_is_saved_without_it(encoder, monkeypatch):
    monkeypatch.setattr(pruning, '_MOVE', 0)
    size = (64, 96)
    network = make_network(encoder, 'fcn8s', 2).eval()
    prices = costs(network, Pruner(network).groups, torch.zeros(1, 3, *size))
    whole = count_gmac(network, size)
    for kind in (0, len(prices) // 2, len(prices) - 1):
        other = make_network(encoder, 'fcn8s', 2).eval()
        pruner = Pruner(other)
        pruner.prune([torch.arange(group.width - (number == kind))
                      for number, group in enumerate(pruner.groups)])
        assert whole - count_gmac(other, size) == pytest.approx(prices[kind] / 1e9, rel=1e-4)


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
    return ['--train', f'kitti:{folder}?split=train.txt', '--init-from', str(start), '--prune',
            '0.5', '--epochs', '4', *SMALL, '--out', str(out), *more]


def test_a_run_prunes_and_goes_on_after_a_kill(kitti_folder, random_checkpoint, tmp_path):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    command = [sys.executable, '-m', 'fcn_seg_ros', 'train']
    result = subprocess.run([*command, *arguments_of(kitti_folder, random_checkpoint, whole)],
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert 'pruned to 50% of the cost: 2.23 M parameters become' in result.stdout
    with subprocess.Popen([*command, *arguments_of(kitti_folder, random_checkpoint, killed)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            if line.startswith('epoch 2/4'):
                process.kill()
    assert not (killed / 'checkpoint.safetensors').exists()
    result = subprocess.run([*command, '--resume', '--out', str(killed)], capture_output=True,
                            text=True)
    assert result.returncode == 0, result.stderr
    assert 'pruned to' not in result.stdout
    one, two = (load_checkpoint(path / 'checkpoint.safetensors') for path in (whole, killed))
    assert count_parameters(one.network) < 0.8 * count_parameters(
        load_checkpoint(random_checkpoint).network)
    for name, value in one.network.state_dict().items():
        torch.testing.assert_close(two.network.state_dict()[name], value, rtol=0, atol=0)
    assert self_test(RoadSegmenter(one, 'cpu')) > 0.9
    # A run that starts from it is pruned as well.
    further = tmp_path / 'further'
    assert main(['--train', f'kitti:{kitti_folder}?split=train.txt', '--init-from',
                 str(whole / 'checkpoint.safetensors'), '--epochs', '1', *SMALL, '--out',
                 str(further)]) == 0
    assert count_parameters(load_checkpoint(further / 'checkpoint.safetensors').network) == \
        count_parameters(one.network)


@pytest.mark.parametrize(('change', 'message'), [
    (['--prune', '0'], 'prune: expected more than 0'),
    (['--prune', '1.5'], 'prune: expected more than 0 and at most 1'),
    (['--init-from', ''], 'prune: expected init_from'),
    (['--encoder', 'resnet18'],
     'init_from: expected a network with the encoder resnet18, found mobilenet_v2'),
    (['--teacher', 'nowhere.safetensors'], 'nowhere.safetensors: expected a checkpoint file'),
    (['--teacher-weight', '-1'], 'teacher_weight: expected at least 0'),
])
def test_bad_pruning(kitti_folder, random_checkpoint, tmp_path, capsys, change, message):
    assert main(arguments_of(kitti_folder, random_checkpoint, tmp_path / 'run', *change)) == 2
    error, = capsys.readouterr().err.splitlines()[-1:]
    assert error.startswith('train: error: ') and message in error
