# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Training: the loss, the regularisation, and a whole small run through the command line."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from conftest import network_info

from fcn_seg_ros.cli.train import build_parser, main
from fcn_seg_ros.cli.train_run import config_of
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.resources import share_file
from fcn_seg_ros.training.config import (
    TrainingConfig,
    read_config,
    with_values,
    write_config,
)
from fcn_seg_ros.training.losses import cross_entropy, dice_loss, lovasz_softmax
from fcn_seg_ros.training.schedules import go_on, make_optimiser, make_schedule, share
from fcn_seg_ros.training.start import inherit_metadata

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


def small_network():
    """Return what has an encoder, a convolution and a norm, and a decoder, a convolution."""
    network = torch.nn.Module()
    network.encoder = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    network.decoder = torch.nn.Conv2d(3, 2, 1)
    return network


@pytest.mark.parametrize('optimiser_name', ['adamw', 'sgd'])
def test_weight_decay_enters_the_update(optimiser_name):
    """Without any gradient a step shrinks the kernels by lr x decay, and nothing else."""
    network = small_network()
    optimiser = make_optimiser(network, TrainingConfig(
        optimiser=optimiser_name, weight_decay=0.1, learning_rate=0.5, momentum=0.0,
        encoder_rate=0.4))
    before = {name: value.clone() for name, value in network.named_parameters()}
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    for name, value in network.named_parameters():
        rate = {'encoder.0.weight': 0.4 * 0.5, 'decoder.weight': 0.5}.get(name, 0.0)
        factor = 1 - rate * 0.1
        torch.testing.assert_close(value, factor * before[name])


@pytest.mark.parametrize('schedule', ['cosine', 'poly', 'constant'])
def test_schedules_rise_and_fall(schedule):
    shares = [share(schedule, 0.1, 100, step) for step in range(101)]
    assert shares[0] == 0.1 and shares[9] == 1.0
    assert shares == sorted(shares[:10]) + sorted(shares[10:], reverse=True)
    assert shares[100] == (1.0 if schedule == 'constant' else 0.0)
    if schedule == 'poly':
        assert shares[55] == pytest.approx((1 - 45 / 90) ** 0.9)


def test_one_cycle_is_torchs():
    network = small_network()
    config = TrainingConfig(schedule='one_cycle', learning_rate=0.1, warmup=0.3)
    optimiser = make_optimiser(network, config)
    schedule = make_schedule(optimiser, config, 50)
    rates = []
    for _ in range(50):
        rates.append(optimiser.param_groups[0]['lr'])
        optimiser.step()
        schedule.step()
    assert max(rates) == pytest.approx(0.1) and rates.index(max(rates)) in (14, 15)
    assert rates[0] == pytest.approx(0.1 / 25) and rates[-1] < 1e-5


@pytest.mark.parametrize('steps', [1, 2, 3, 4, 10])
@pytest.mark.parametrize('warmup', [0.0, 0.05, 0.99])
def test_one_cycle_of_any_length(steps, warmup):
    network = small_network()
    config = TrainingConfig(schedule='one_cycle', learning_rate=0.1, warmup=warmup)
    optimiser = make_optimiser(network, config)
    schedule = make_schedule(optimiser, config, steps)
    for _ in range(steps):
        assert 0 < optimiser.param_groups[0]['lr'] <= 0.1
        optimiser.step()
        schedule.step()


@pytest.mark.parametrize('schedule', ['cosine', 'one_cycle', 'poly'])
def test_a_resumed_schedule_is_the_new_one_at_its_step(schedule):
    """Nothing is left of the run before: its rate, its length, its schedule."""
    network = small_network()
    old = TrainingConfig(schedule='constant', learning_rate=0.5, weight_decay=0.3)
    new = TrainingConfig(schedule=schedule, learning_rate=0.1)
    plans = []
    for config, steps in ((old, 10), (new, 30)):
        optimiser = make_optimiser(network, config)
        plans.append((optimiser, make_schedule(optimiser, config, steps)))
    (resumed, _), (whole, plan) = plans
    for _ in range(8):
        whole.step()
        plan.step()
    state = make_schedule(resumed, new, 30)
    go_on(resumed, state, network, new, 30, 8)
    for _ in range(22):
        for one, other in zip(resumed.param_groups, whole.param_groups, strict=True):
            assert {k: v for k, v in one.items() if k != 'params'} == {
                k: v for k, v in other.items() if k != 'params'}
        for optimiser, planned in ((resumed, state), (whole, plan)):
            optimiser.step()
            planned.step()


def test_class_weights_weigh_pixels():
    logits, labels = torch.randn(2, 2, 4, 5), torch.randint(0, 2, (2, 4, 5))
    expected = torch.nn.functional.cross_entropy(logits, labels, torch.tensor([1.0, 3.0]))
    torch.testing.assert_close(cross_entropy(logits, labels, (1.0, 3.0)), expected)


def test_dice_by_its_definition():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 2, 4, 5), torch.randint(0, 2, (2, 4, 5))
    labels[0, 0] = 255
    p, keep = logits.softmax(1), labels != 255
    scores = []
    for c in range(2):
        pc, tc = p[:, c][keep], (labels[keep] == c).float()
        scores.append(2 * (pc * tc).sum() / (pc.sum() + tc.sum()))
    torch.testing.assert_close(dice_loss(logits, labels), 1 - torch.stack(scores).mean())


def test_lovasz_is_the_jaccard_loss_of_hard_predictions():
    """At the corners of the cube the Lovasz extension equals 1 - IoU (Berman et al., 2018)."""
    labels = torch.randint(0, 2, (1, 6, 7), generator=torch.Generator().manual_seed(0))
    predicted = torch.randint(0, 2, (1, 6, 7), generator=torch.Generator().manual_seed(1))
    logits = 200.0 * torch.stack([predicted == 0, predicted == 1], 1).float()
    labels[0, 0] = 255
    keep = labels != 255
    losses = []
    for c in range(2):
        a, b = predicted[keep] == c, labels[keep] == c
        losses.append(1 - (a & b).sum() / (a | b).sum())
    torch.testing.assert_close(lovasz_softmax(logits, labels), torch.stack(losses).mean())


@pytest.mark.parametrize('loss', [dice_loss, lovasz_softmax])
def test_terms_fall_and_survive_emptiness(loss):
    logits = torch.zeros(1, 2, 8, 8, requires_grad=True)
    labels = (torch.arange(64).reshape(1, 8, 8) % 3 == 0).long()
    optimiser = torch.optim.SGD([logits], 5.0)
    first = loss(logits, labels).item()
    for _ in range(60):
        optimiser.zero_grad()
        loss(logits, labels).backward()
        optimiser.step()
    assert loss(logits, labels).item() < 0.3 * first
    empty = loss(logits, torch.full_like(labels, 255))
    empty.backward()
    assert empty.item() == 0


def test_configuration_file_and_command_line(tmp_path):
    path = tmp_path / 'c.yaml'
    config = TrainingConfig(train=('rendered',), epochs=3, skip_scales=(0.01, 0.0001))
    write_config(path, config)
    assert read_config(path) == config
    changed = with_values(config, {'crop': [64, 96], 'dice': 1, 'learning_rate': 1})
    assert changed.augmentation.crop == (64, 96) and changed.loss.dice == 1.0
    options = build_parser().parse_args(['--out', 'o', '--config', str(path), '--jpeg', '0.5',
                                         '--no-freeze-norm', '--train', 'rendered', 'kitti:x'])
    given = config_of(options)
    assert given.augmentation.jpeg == 0.5 and not given.freeze_norm and given.epochs == 3
    assert given.train == ('rendered', 'kitti:x')


def test_shipped_configuration_is_valid():
    config = read_config(share_file('config/train_kitti.yaml'))
    assert config.decoder == 'fcn8s' and len(config.train) == 2


@pytest.mark.parametrize(('text', 'message'), [
    ('epochs: many', "epochs: expected a value like 60, found 'many'"),
    ('epoch: 3', "unknown setting 'epoch'; did you mean epochs?"),
    ('augmentation: {jpg: 1}', "unknown setting 'jpg'; did you mean jpeg?"),
    ('- 1', 'expected settings by name, found list'),
    ('a: [', 'expected YAML'),
    ('optimiser: adam', 'optimiser: expected one of adamw, sgd'),
    ('loss: {cross_entropy: 0.0}', 'loss: expected weights from 0'),
    ('skip_scales: [1.0]', 'skip_scales: expected two numbers'),
])
def test_bad_configuration(tmp_path, text, message):
    path = tmp_path / 'c.yaml'
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert message in str(caught.value) and '\n' not in str(caught.value)


def data_of(folder, val=False):
    arguments = ['--train', f'kitti:{folder}?split=train.txt']
    return arguments + (['--val', f'kitti:{folder}?split=val.txt'] if val else [])


def test_a_run_learns_the_road(kitti_folder, tmp_path):
    """Seventy steps from random weights on six small frames separate road from the rest."""
    out = tmp_path / 'run'
    assert main([*data_of(kitti_folder, val=True), '--out', str(out), '--epochs', '35',
                 '--validate-every', '35', *SMALL]) == 0
    checkpoint = load_checkpoint(out / 'checkpoint.safetensors')
    info = checkpoint.info
    assert (info.encoder, info.network_height, info.classes) == (
        'mobilenet_v2', 96, ('not road', 'road'))
    assert info.scores['split'] == 'val.txt' and info.scores['view'] == 'perspective'
    assert info.threshold == info.scores['scores']['all']['threshold']
    assert 'KITTI Road, 6 images (train.txt)' in info.training_data
    assert 'non-commercial' in info.licence
    assert 0.05 < info.temperature < 20 and info.temperature != 1.0
    assert self_test(RoadSegmenter(checkpoint, 'cpu')) > 0.9
    segmenter = RoadSegmenter(checkpoint, 'cpu', 'fp32')
    dataset = KittiRoad(kitti_folder, 'train.txt')
    inter = union = 0
    for index in range(len(dataset)):
        sample = dataset[index]
        mask = segmenter.segment(sample.image).mask == 1
        inter += np.logical_and(mask, sample.labels == 1).sum()
        union += np.logical_or(mask, sample.labels == 1).sum()
    assert inter / union > 0.6
    assert 'loss' in (out / 'metrics' / 'metrics.csv').read_text().splitlines()[0]
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    board = EventAccumulator(str(out / 'tensorboard')).Reload()
    assert {'loss', 'val_max_f', 'val_iou'} <= set(board.Tags()['scalars'])
    assert 'validation/0' in board.Tags()['images']


def weights_of(path):
    return load_checkpoint(path / 'checkpoint.safetensors').network.state_dict()


def assert_same_weights(one, other, **tolerance):
    a, b = weights_of(one), weights_of(other)
    for name, value in a.items():
        torch.testing.assert_close(b[name], value, **(tolerance or {'rtol': 0, 'atol': 0}))


def test_killed_again_and_again_a_run_ends_with_the_same_weights(kitti_folder, tmp_path):
    """Twice SIGKILL at a random step, each time resumed: as if nothing had happened."""
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    # Each time it gets four epochs further, five with bad luck.
    arguments = [*data_of(kitti_folder), '--epochs', '12', *SMALL]
    # In a process of its own too: the number of threads decides the last bits.
    status, output, errors = run('train', *arguments, '--out', whole)
    assert status == 0, errors
    epoch_s = float(np.median([float(s) for s in re.findall(r'\(([0-9.]+) s, ', output)]))
    moments = random.Random(0)
    for _ in range(2):
        resume = ['--resume'] if (killed / 'last.ckpt').exists() else arguments
        process = subprocess.Popen(
            [sys.executable, '-m', 'fcn_seg_ros', 'train', *resume, '--out', str(killed)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        epochs = moments.randint(1, 3)
        for line in process.stdout:
            epochs -= line.startswith('epoch ')
            if not epochs:
                break
        time.sleep(moments.uniform(0, epoch_s))
        assert process.poll() is None, 'the run ended before it was killed'
        process.kill()
        process.wait()
        process.stdout.close()
        assert not (killed / 'checkpoint.safetensors').exists()
    status, _, errors = run('train', '--resume', '--out', killed)
    assert status == 0, errors
    assert_same_weights(whole, killed)


def test_two_processes_train_as_one(kitti_folder, tmp_path):
    """DDP over gloo with two processes equals one process with the same global batch."""
    arguments = [*data_of(kitti_folder, val=True), '--epochs', '3', '--validate-every', '3', *SMALL,
                 '--batch-size', '2', '--freeze-norm']
    one, two = tmp_path / 'one', tmp_path / 'two'
    assert run('train', *arguments, '--out', one)[0] == 0
    result = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
         '-m', 'fcn_seg_ros', 'train', *arguments, '--out', str(two)],
        capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    # The moving average of a short run is nearly its last weights, in which rounding shows most.
    assert_same_weights(one, two, rtol=1e-2, atol=5e-3)
    scores = [load_checkpoint(path / 'checkpoint.safetensors').info.scores['scores']['all']
              ['max_f'] for path in (one, two)]
    assert abs(scores[0] - scores[1]) < 1.0


def run(*arguments):
    result = subprocess.run([sys.executable, '-m', 'fcn_seg_ros', *map(str, arguments)],
                            capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


NONE = ['--encoder-weights', 'none']


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--train', 'kitti:{tmp}/nowhere', *NONE], 'nowhere: expected a KITTI Road folder'),
    (['--train', 'video:{data}', *NONE], "dataset: expected one of kitti, camvid"),
    (NONE, 'train: expected at least one dataset'),
    (['--train', 'kitti:{data}', '--encoder-weights', '{tmp}/no.pth'],
     'no.pth: expected a file with encoder weights, found none'),
    (['--resume'], 'expected the configuration of an interrupted run to resume, found none'),
    (['--train', 'kitti:{data}', *NONE, '--epochs', '0'],
     'epochs: expected at least 1, found 0'),
    (['--train', 'kitti:{data}', *NONE, '--precision', 'fp8'],
     "precision: expected one of 32-true, bf16-mixed, 16-mixed, found 'fp8'"),
    (['--train', 'kitti:{data}', *NONE, '--crop', 'big'], 'argument --crop: invalid int value'),
    (['--train', 'kitti:{data}', '--input-convention', 'tf'],
     "input_convention: expected torch for torchvision's weights, found tf"),
    (['--train', 'kitti:{data}?split=none.txt', *NONE], 'none.txt: expected a split file'),
    (['--config', '{tmp}/none.yaml'], 'none.yaml: expected a training configuration'),
])
def test_bad_training_input(kitti_folder, tmp_path, arguments, text):
    status, _, errors = run('train', '--out', tmp_path / 'run',
                            *(a.format(tmp=tmp_path, data=kitti_folder) for a in arguments))
    assert status == 2, errors
    lines = [line for line in errors.splitlines() if line.startswith('train: error: ')]
    assert len(lines) == 1 and text in lines[0] and 'Traceback' not in errors, errors
    assert not (tmp_path / 'run').exists()


def test_data_without_ground_truth(kitti_folder, tmp_path):
    data = tmp_path / 'data'
    shutil.copytree(kitti_folder, data)
    shutil.rmtree(data / 'training' / 'gt_image_2')
    status, _, errors = run('train', '--train', f'kitti:{data}', '--out', tmp_path / 'run')
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


def test_data_and_licences_of_the_start_are_carried_on():
    start = network_info(training_data='CamVid, 367 images (train)', licence='A; B')
    run = network_info(training_data='KITTI Road, 171 images', licence='C; B')
    info = inherit_metadata(run, start)
    assert info.training_data == ('KITTI Road, 171 images; started from a network trained on '
                                  'CamVid, 367 images (train)')
    assert info.licence == 'C; B; A'
