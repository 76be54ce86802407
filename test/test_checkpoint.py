# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint file: what goes in comes out, and everything else is refused in one line."""

import pytest
import torch
from conftest import network_info, write_unhashed
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
    assert len(message) < 2200 and message.isprintable()
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
    refuse(tmp_path / 'foreign.safetensors', 'it lacks the metadata')


@pytest.mark.parametrize(('change', 'text'), [
    ({'format_version': 99}, 'expected checkpoint format 1 or 2, found 99'),
    ({'encoder': 'alexnet'}, "found 'alexnet'"),
    ({'encoder': 'vgg16'}, 'expected the weights of fcn8s on vgg16'),
    ({'road_ids': [2]}, 'road_ids'),
    ({'palette': []}, 'found 0 colours for 2 classes'),
    ({'road_ids': [True]}, 'expected road_ids to be numbers of classes, found (True,)'),
    ({'palette': [[0, 0, 0], [0, 200, 256]]}, 'colours of three values from 0 to 255'),
    ({'palette': [[0, 0, 0], [0, 200]]}, 'colours of three values from 0 to 255'),
    ({'palette': [[0, 0, 0], 'green']}, 'colours of three values from 0 to 255'),
    ({'palette': 'grey'}, "found 'grey'"),
    ({'channel_order': 'yuv'}, "expected channel_order to be rgb or bgr, found 'yuv'"),
    ({'channel_order': ['rgb']}, 'expected channel_order to be rgb or bgr'),
    ({'network_height': 0}, 'network_height to be an integer from 32 to 4096, found 0'),
    ({'network_height': 'tall'}, "network_height to be an integer from 32 to 4096, found 'tall'"),
    ({'network_height': float('nan')}, 'from 32 to 4096, found nan'),
    ({'network_height': 384.5}, 'found 384.5'),
    ({'network_height': 10**400}, 'expected network_height to be an integer'),
    ({'network_height': True}, 'found True'),
    ({'threshold': 1.5}, 'threshold to be a number from 0 to 1, found 1.5'),
    ({'threshold': float('nan')}, 'found nan'),
    ({'temperature': 0}, 'temperature to be a number greater than 0, found 0'),
    ({'temperature': float('inf')}, 'found inf'),
    ({'mean': [0.5, 0.5]}, 'mean to be three numbers, found (0.5, 0.5)'),
    ({'std': [0.5, 0.5, 0]}, 'std to be three numbers greater than 0'),
    ({'std': [0.5, 0.5, float('nan')]}, 'std to be three numbers greater than 0'),
    ({'skip_scales': [1, float('inf')]}, 'skip_scales to be two numbers'),
    ({'network_pixels': 5}, 'network_pixels to be 0 or an integer from 1024 to'),
    ({'scores': []}, 'scores to be a table'),
    ({'licence': None}, 'licence to be a text, found None'),
    ({'licence': '\ud800'}, 'licence to be a text'),
    ({'classes': None}, 'classes to be names'),
    ({'classes': ['road\n', 'b']}, 'classes to be names'),
    ({'classes': ['x' * 2**19, 'b']}, 'classes to be names'),
    ({'encoder': 'x' * 2**19}, 'encoder to be a name'),
    ({'encoder': 7}, 'encoder to be a name, found 7'),
    ({'training_data': 'x' * 2**21}, 'expected metadata of at most 1048576 characters'),
    ({'scores': {'a': [[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]}}, 'more than 20 levels'),
    ({'format_version': True}, 'found True'),
    ({'format_version': [2]}, 'found [2]'),
    ({'format_version': 2}, 'the hash of weights and metadata is missing'),
    ({'sha256': '0' * 64}, 'do not match the hash: the file is damaged'),
    ({'sha256': 7}, 'do not match the hash: the file is damaged'),
])
def test_bad_metadata(random_checkpoint, tmp_path, change, text):
    path = tmp_path / 'bad.safetensors'
    write_unhashed(path, random_checkpoint, change)
    refuse(path, text)


def test_incomplete_metadata(tmp_path):
    save_file({'x': torch.zeros(1)}, tmp_path / 'a.safetensors',
              {'fcn_seg_ros': '{"format_version": 1}'})
    refuse(tmp_path / 'a.safetensors', 'is faulty or incomplete')
    for number, text in enumerate(('not json', '[' * 10**5, '{"a":' * 10**5, '1' * 5000)):
        path = tmp_path / f'{number}.safetensors'
        save_file({'x': torch.zeros(1)}, path, {'fcn_seg_ros': text})
        refuse(path, 'is faulty or incomplete')
    for number, text in enumerate(('[]', '7', 'null', '"text"', 'NaN')):
        path = tmp_path / f'{number}.safetensors'
        save_file({'x': torch.zeros(1)}, path, {'fcn_seg_ros': text})
        refuse(path, 'expected metadata that is a table')


def test_weights_that_half_precision_cannot_hold_are_not_written(tmp_path):
    network = make_network('mobilenet_v2', 'fcn8s', 2)
    with torch.no_grad():
        network.decoder.score_fr.weight[0, 0] = 1e6
    with pytest.raises(ValueError, match=r'score_fr\.weight is not finite'):
        save_checkpoint(tmp_path / 'x.safetensors', network, network_info())
    assert list(tmp_path.iterdir()) == []
