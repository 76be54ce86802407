# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Networks on disk that were damaged, or never worked: refused in one line, whatever it was."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import make_random_network, network_info, write_unhashed
from measure_damaged_checkpoints import DAMAGES, damage
from safetensors.torch import load_file

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import read_file
from fcn_seg_ros.inference.export import export
from fcn_seg_ros.inference.exported import load_exported
from fcn_seg_ros.inference.quantised import int8_file
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.inference.self_test import drawn_scene
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.resources import default_checkpoint

PACKAGED = default_checkpoint()
READERS = {'.safetensors': read_checkpoint, '.xml': load_exported, '.bin': load_exported}


def refused(call, *arguments) -> str:
    """Return the one line that a call refuses its arguments with."""
    with pytest.raises(InputError) as caught:
        call(*arguments)
    line = str(caught.value)
    assert line.isprintable() and len(line) <= 2000, line
    return line


@pytest.fixture
def copies(tmp_path) -> dict[str, Path]:
    """Return copies of the packaged files by their suffix."""
    own = int8_file(PACKAGED)
    return {path.suffix: Path(shutil.copy(path, tmp_path))
            for path in (PACKAGED, own, own.with_suffix('.bin'))}


@pytest.mark.parametrize('suffix', list(READERS))
@pytest.mark.parametrize('kind', list(DAMAGES))
def test_every_damage_is_noticed(copies, suffix, kind):
    path = copies[suffix]
    whole, source = path.read_bytes(), random.Random(f'{suffix} {kind}')
    for _ in range(5):
        path.write_bytes(damage(whole, kind, source))
        line = refused(READERS[suffix], path.with_suffix('.xml') if suffix == '.bin' else path)
        assert line.startswith(str(path)), line


@pytest.mark.parametrize('suffix', list(READERS))
def test_a_single_bit_is_noticed_wherever_it_is(copies, suffix):
    path = copies[suffix]
    whole, source = path.read_bytes(), random.Random(suffix)
    places = [0, 8, 9, len(whole) - 1, *(source.randrange(len(whole)) for _ in range(30))]
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << source.randrange(8)
        path.write_bytes(flipped)
        refused(READERS[suffix], path.with_suffix('.xml') if suffix == '.bin' else path)


def test_files_of_two_models_do_not_go_together(copies, random_checkpoint, tmp_path):
    other = tmp_path / 'other.xml'
    export(load_checkpoint(random_checkpoint), 'openvino', other,
           frames=[np.zeros((1, 64, 64, 3), np.uint8)])
    shutil.copy(other.with_suffix('.bin'), copies['.bin'])
    assert 'the file is damaged, or belongs to another model' in refused(
        load_exported, copies['.xml'])


def test_an_exported_model_needs_its_hashes_and_its_self_test(copies):
    path = copies['.xml']
    whole = path.read_bytes()
    for key in (b'fcn_seg_ros_bin_sha256', b'fcn_seg_ros_xml_sha256'):
        path.write_bytes(whole.replace(key, key[:-1] + b'7'))
        assert 'with the hashes that `export` writes, found a broken' in refused(
            load_exported, path)
    # Whoever changes it and makes the hashes anew still needs a self-test.
    from fcn_seg_ros.inference import seal
    path.write_bytes(whole.replace(b'fcn_seg_ros_self_test', b'fcn_seg_ros_self_tesu'))
    seal.seal(path)
    assert 'no valid self-test' in refused(
        load_exported, path)


def test_an_exported_model_that_answers_otherwise_is_refused(copies):
    """A model that was changed, hashes and all: its weights are not those of its answer."""
    from fcn_seg_ros.inference import seal
    weights = np.frombuffer(copies['.bin'].read_bytes(), np.uint8).copy()
    weights[1000:60000] ^= 0x55
    copies['.bin'].write_bytes(weights.tobytes())
    seal.seal(copies['.xml'])
    load_exported(copies['.xml'])
    assert 'self-test' in refused(RoadSegmenter, copies['.xml'])


@pytest.mark.parametrize(('fault', 'text'), [
    ('zeros', 'self-test'), ('NaN', 'NaN or infinity among the weights of'),
    ('infinity', 'NaN or infinity among the weights of'),
    ('wrong sign', 'self-test'), ('other weights', 'self-test')])
def test_old_files_without_a_hash(tmp_path, fault, text):
    """Of those that run, the self-test in the file decides."""
    tensors = load_file(PACKAGED)
    name = 'encoder.stride8.0.weight'
    if fault == 'zeros':
        tensors = {key: value if 'self_test' in key else value * 0
                   for key, value in tensors.items()}
    elif fault == 'wrong sign':
        tensors = {key: -value if key.startswith('encoder.stride8.5.') else value
                   for key, value in tensors.items()}
    elif fault == 'other weights':
        tensors[name] = tensors[name].flip(0).contiguous()
    else:
        tensors[name][0, 0] = float('nan' if fault == 'NaN' else 'inf')
    path = tmp_path / 'old.safetensors'
    write_unhashed(path, PACKAGED, tensors=tensors)
    assert text in refused(RoadSegmenter, path, 'cpu', 'fp32')


def test_old_files_without_a_hash_work(tmp_path):
    path = tmp_path / 'old.safetensors'
    write_unhashed(path, PACKAGED)
    own, packaged = read_checkpoint(path), read_checkpoint(PACKAGED)
    assert (own.info.format_version, packaged.info.format_version) == (1, 2)
    assert own.hash_weights() == packaged.hash_weights()
    assert RoadSegmenter(path, 'cpu').segment(drawn_scene()).mask.any()


def test_metadata_of_earlier_versions_is_ignored(tmp_path):
    """Such as how images were resized, which is no choice any more."""
    path = tmp_path / 'earlier.safetensors'
    write_unhashed(path, PACKAGED, {'resize_policy': 'keep_aspect'})
    assert dataclasses.replace(read_checkpoint(path).info, format_version=2) == \
        read_checkpoint(PACKAGED).info


@pytest.mark.parametrize('weights', ['zero', 'constant', 'NaN in the middle'])
def test_a_network_that_says_the_same_everywhere_is_refused(tmp_path, weights):
    """There is no self-test to compare with, and the hash is right."""
    network = make_random_network()
    path = tmp_path / 'dead.safetensors'
    with torch.no_grad():
        if weights == 'zero':
            for value in network.state_dict().values():
                value.zero_()
        elif weights == 'constant':
            for name in ('score_fr', 'score_pool4', 'score_pool3'):
                getattr(network.decoder, name).weight.zero_()
            network.decoder.score_fr.bias[1] = 9.0
        else:
            next(module for module in network.modules()
                 if isinstance(module, torch.nn.BatchNorm2d)).running_var.fill_(-9.0)
    save_checkpoint(path, network, network_info())
    line = refused(RoadSegmenter, path, 'cpu', 'fp32', 0, None, 1, 'torch')
    assert 'the probability does not depend on the image' in line and str(path) in line


def test_classes_that_never_vary_are_refused(tmp_path):
    network = make_random_network(classes=3)
    with torch.no_grad():
        for value in network.state_dict().values():
            value.zero_()
    path = tmp_path / 'three.safetensors'
    save_checkpoint(path, network, network_info(
        classes=('a', 'b', 'c'), palette=((0, 0, 0),) * 3, road_ids=(1, 2)))
    assert '(mean 170/255)' in refused(RoadSegmenter, path, 'cpu', 'fp32')


@pytest.mark.parametrize('kind', ['fifo', 'socket', 'device', 'loop', 'dangling', 'folder',
                                  'sparse', 'long name', 'zero byte', 'parent is a file'])
def test_what_is_no_file_is_said_at_once(tmp_path, kind):
    path, text = tmp_path / f'{kind}.safetensors', 'not a regular file'
    if kind == 'fifo':
        os.mkfifo(path)
    elif kind == 'socket':
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
        text = 'cannot be read (No such device or address)'
    elif kind == 'device':
        path = Path('/dev/zero')
    elif kind == 'loop':
        path.symlink_to(path)
        text = 'Too many levels of symbolic links'
    elif kind == 'dangling':
        path.symlink_to(tmp_path / 'nowhere')
        text = 'found a link to nothing'
    elif kind == 'folder':
        path.mkdir()
        text = 'found a folder'
    elif kind == 'sparse':
        path.touch()
        os.truncate(path, 2**40)
        text = f'of at most {2**31} bytes, found {2**40}'
    elif kind == 'long name':
        path, text = tmp_path / ('x' * 5000), 'File name too long'
    elif kind == 'zero byte':
        path, text = Path('a\0b.safetensors'), 'embedded null byte'
    else:
        (tmp_path / 'file').touch()
        path, text = tmp_path / 'file' / 'x.safetensors', 'Not a directory'
    assert text in refused(read_checkpoint, path)


def test_unreadable_is_not_missing(tmp_path, monkeypatch):
    """As root nothing is unreadable, so the system's refusal is played."""
    path = tmp_path / 'secret.safetensors'
    path.touch()

    def refuse(*args, **named):
        raise PermissionError(13, 'Permission denied')
    monkeypatch.setattr(os, 'open', refuse)
    assert refused(read_checkpoint, path).endswith(
        'expected a checkpoint file (.safetensors), found one that cannot be read (Permission '
        'denied)')


def test_a_line_stays_a_line():
    assert str(InputError('a\nb\x1b[31m\u2028\ud800')) == r'a\nb\x1b[31m\u2028\ud800'
    long = str(InputError('begin ' + 'x' * 2_000_000 + ' end'))
    assert len(long) <= 2000 and long.startswith('begin ') and long.endswith(' end')


def test_read_is_the_whole_file(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'before')
    content = read_file(path, 'a file', 6)
    path.write_bytes(b'')
    assert content == b'before'
    assert refused(read_file, tmp_path / 'none', 'a file', 6).endswith('found nothing')
    path.write_bytes(b'7 bytes')
    assert 'expected a file of at most 6 bytes, found 7' in refused(read_file, path, 'a file', 6)
