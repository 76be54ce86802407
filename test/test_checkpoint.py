# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint file: what goes in comes out, and everything else is refused in one line."""

import json

import pytest
import torch
from conftest import network_info
from safetensors import safe_open
from safetensors.torch import save_file

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from fcn_seg_ros.models.checkpoint_file import read_checkpoint, with_info
from fcn_seg_ros.models.fcn import make_network


def test_round_trip(random_network, random_checkpoint):
    loaded = load_checkpoint(random_checkpoint)
    assert loaded.info == network_info()
    assert loaded.path == random_checkpoint
    assert not loaded.network.training
    for name, value in random_network.state_dict().items():
        own = loaded.network.state_dict()[name]
        assert own.dtype == value.dtype
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(own, expected), name


def test_metadata_alone_can_be_replaced(random_checkpoint, tmp_path):
    path = tmp_path / 'copy.safetensors'
    path.write_bytes(random_checkpoint.read_bytes())
    info = network_info(threshold=0.25, scores={'max_f': 95.0}, road_ids=(0, 1))
    with_info(path, info)
    before, after = load_checkpoint(random_checkpoint), load_checkpoint(path)
    assert after.info == info
    assert all(torch.equal(value, after.network.state_dict()[name])
               for name, value in before.network.state_dict().items())


def test_vgg16_can_be_saved_and_loaded(tmp_path):
    network = make_network('vgg16', 'fcn8s', 2)
    save_checkpoint(tmp_path / 'vgg.safetensors', network, network_info(encoder='vgg16'))
    loaded = load_checkpoint(tmp_path / 'vgg.safetensors').network
    assert torch.equal(loaded.decoder.upscore8.weight, network.decoder.upscore8.weight)


def test_a_file_and_its_network_have_one_hash(random_checkpoint, random_network, tmp_path):
    stored, loaded = read_checkpoint(random_checkpoint), load_checkpoint(random_checkpoint)
    assert stored.hash_weights() == loaded.hash_weights()
    assert stored.network is stored.network
    with torch.no_grad():
        loaded.network.decoder.score_fr.weight[0, 0] += 1
    assert stored.hash_weights() != loaded.hash_weights()
    # Half precision in the file, single in memory: of a network whose weights are not those.
    assert Checkpoint(random_network, stored.info).hash_weights() != stored.hash_weights()


def test_weights_of_another_type(random_checkpoint, tmp_path):
    with safe_open(str(random_checkpoint), 'pt') as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    tensors['decoder.score_fr.weight'] = tensors['decoder.score_fr.weight'].bfloat16()
    save_file(tensors, tmp_path / 'bfloat.safetensors', metadata)
    refuse(tmp_path / 'bfloat.safetensors', 'found decoder.score_fr.weight of BF16')


def refuse(path, text):
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and text in message and '\n' not in message, message


def test_missing_truncated_and_foreign_files(random_checkpoint, tmp_path):
    refuse(tmp_path / 'missing.safetensors', 'found nothing')
    refuse(tmp_path, 'found a folder')
    whole = random_checkpoint.read_bytes()
    for length in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        path = tmp_path / f'cut_{length}.safetensors'
        path.write_bytes(whole[:length])
        refuse(path, 'expected a whole safetensors file')
    (tmp_path / 'text.safetensors').write_text('This is no checkpoint. ' * 10)
    refuse(tmp_path / 'text.safetensors', 'expected a whole safetensors file')
    save_file({'x': torch.zeros(1)}, tmp_path / 'foreign.safetensors')
    refuse(tmp_path / 'foreign.safetensors', 'without it')


@pytest.mark.parametrize(('change', 'text'), [
    ({'format_version': 99}, 'expected checkpoint format 1, found 99'),
    ({'encoder': 'alexnet'}, "found 'alexnet'"),
    ({'encoder': 'vgg16'}, 'expected the weights of fcn8s on vgg16'),
    ({'road_ids': [2]}, 'road_ids'),
    ({'palette': []}, '0 colours for 2 classes'),
    ({'channel_order': 'yuv'}, 'neither rgb nor bgr'),
    ({'network_height': 0}, 'out of range'),
    ({'network_height': 'tall'}, 'a fault in it'),
    ({'threshold': 1.5}, 'out of range'),
    ({'classes': None}, 'a fault in it'),
])
def test_bad_metadata(random_checkpoint, tmp_path, change, text):
    with safe_open(str(random_checkpoint), 'pt') as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        values = json.loads(file.metadata()['fcn_seg_ros'])
    path = tmp_path / 'bad.safetensors'
    save_file(tensors, path, {'fcn_seg_ros': json.dumps(values | change)})
    refuse(path, text)


def test_incomplete_metadata(tmp_path):
    save_file({'x': torch.zeros(1)}, tmp_path / 'a.safetensors',
              {'fcn_seg_ros': '{"format_version": 1}'})
    refuse(tmp_path / 'a.safetensors', 'a fault in it')
    save_file({'x': torch.zeros(1)}, tmp_path / 'b.safetensors', {'fcn_seg_ros': 'not json'})
    refuse(tmp_path / 'b.safetensors', 'a fault in it')


def test_weights_that_half_precision_cannot_hold_are_not_written(tmp_path):
    network = make_network('mobilenet_v2', 'fcn8s', 2)
    with torch.no_grad():
        network.decoder.score_fr.weight[0, 0] = 1e6
    with pytest.raises(ValueError, match=r'score_fr\.weight is not finite'):
        save_checkpoint(tmp_path / 'x.safetensors', network, network_info())
    assert list(tmp_path.iterdir()) == []
