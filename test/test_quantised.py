# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's int8 version: when it runs, when it does not, and what it costs in accuracy."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from node_client import Client, image_message, running

from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED, RenderedRoad
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.export_checks import accuracy_loss
from fcn_seg_ros.inference import exported, openvino_library, seal
from fcn_seg_ros.inference.backends import hardware, registry, row
from fcn_seg_ros.inference.overlap import intersection_and_union, intersection_over_union
from fcn_seg_ros.inference.quantised import int8_file, load_int8
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.models.checkpoint_file import read_checkpoint, with_info
from fcn_seg_ros.resources import default_checkpoint, find_checkpoint

WITHOUT_BF16 = 'sse4_2 avx2 avx_vnni'


@pytest.fixture
def own(tmp_path) -> Path:
    """Return a copy of the packaged checkpoint with its int8 version, to be spoilt."""
    packaged = default_checkpoint()
    for path in (packaged, int8_file(packaged), int8_file(packaged).with_suffix('.bin')):
        shutil.copy(path, tmp_path)
    return tmp_path / packaged.name


@pytest.fixture
def flags(monkeypatch):
    """Return a function that makes this a CPU with the flags of /proc/cpuinfo that it is given."""
    def change(text: str) -> None:
        monkeypatch.setattr(hardware, 'describe_cpu', lambda: {'flags': text})
    monkeypatch.setattr(hardware, 'has_cuda_driver', lambda: False)
    return change


def test_the_packaged_one_is_that_of_the_packaged_checkpoint():
    segmenter = RoadSegmenter(default_checkpoint(), 'cpu', 'int8')
    backend = segmenter.backend
    assert (backend.name, backend.precision, backend.reason) == ('openvino', 'int8', 'asked for')
    checkpoint = read_checkpoint(default_checkpoint())
    assert segmenter.info == checkpoint.info
    assert self_test(segmenter) > 0.98
    exact = RoadSegmenter(checkpoint, 'cpu', 'fp32', backend='openvino')
    counts = np.zeros(2)
    held_out = RenderedRoad(6, 1, FIRST_HELD_OUT_SEED)
    for index in range(len(held_out)):
        image = held_out[index].image
        counts += intersection_and_union(*(s.segment(image).mask for s in (segmenter, exact)))
    print(f'int8 against fp32 on rendered drives: IoU {intersection_over_union(*counts):.4f}')
    assert intersection_over_union(*counts) > 0.98
    # Another network, or fp32 under its name, would not be quantised.
    assert int8_file(default_checkpoint()).read_text().count('element_type="i8"') > 30


def test_on_real_roads_it_costs_less_than_allowed(real_data):
    packaged = find_checkpoint('general')
    loss = accuracy_loss(read_checkpoint(packaged), int8_file(packaged),
                         KittiRoad(real_data / 'kitti_road', 'val.txt'), lambda: None)
    print(loss.as_dict())
    assert loss.before > 0.96 and loss.after > 0.96


@pytest.mark.parametrize(('found', 'precision'), [
    (WITHOUT_BF16, 'int8'), ('sse4_2 avx2 avx512f avx512_vnni', 'int8'), ('sse4_2 avx2', 'fp32'),
    ('avx2 avx512_vnni avx512_bf16', 'bf16')])
def test_auto_takes_it_where_the_cpu_has_no_bf16(flags, found, precision):
    if precision == 'bf16' and not hardware.cpu_has_bf16():
        pytest.skip('this CPU has no bfloat16 arithmetic to run it')
    flags(found)
    backend = RoadSegmenter(default_checkpoint()).backend
    assert (backend.name, backend.precision) == ('openvino', precision)
    assert ('without bfloat16' in backend.reason) == (precision == 'int8')


@pytest.mark.parametrize('choice', [{'backend': 'torch'}, {'precision': 'fp32'}])
def test_what_is_asked_for_comes_first(flags, choice):
    flags(WITHOUT_BF16)
    assert RoadSegmenter(default_checkpoint(), **choice).backend.precision == 'fp32'


def test_auto_does_without_openvino(flags, monkeypatch):
    flags(WITHOUT_BF16)
    real = row.importlib.util.find_spec
    monkeypatch.setattr(row.importlib.util, 'find_spec',
                        lambda name: None if name == 'openvino' else real(name))
    backend = RoadSegmenter(default_checkpoint()).backend
    assert backend.name != 'openvino' and backend.precision == 'fp32'


def other_weights(checkpoint: Path) -> None:
    info = read_checkpoint(checkpoint).info
    with_info(checkpoint, dataclasses.replace(info, temperature=2 * info.temperature))


def half_of_it(checkpoint: Path) -> None:
    text = int8_file(checkpoint).read_text()
    int8_file(checkpoint).write_text(text[:len(text) // 2])


def not_quantised(checkpoint: Path) -> None:
    path = int8_file(checkpoint)
    path.write_text(path.read_text().replace(f'{exported.PRECISION_KEY} value="int8"',
                                             f'{exported.PRECISION_KEY} value="fp32"'))
    seal.seal(path)


def of_an_older_version(checkpoint: Path) -> None:
    path = int8_file(checkpoint)
    path.write_text(path.read_text().replace(seal.NETWORK_KEY, 'other'))
    seal.seal(path)


@pytest.mark.parametrize(('spoil', 'text'), [
    (other_weights, 'made from weights or metadata other than those of'),
    (half_of_it, 'found a broken, foreign or older one'),
    (not_quantised, 'expected int8 weights, found fp32'),
    (of_an_older_version, 'made from weights or metadata other than those of')])
def test_a_wrong_one_is_never_trusted(own, flags, spoil, text):
    spoil(own)
    with pytest.raises(InputError, match=text) as caught:
        RoadSegmenter(own, 'cpu', 'int8')
    assert int8_file(own).name in str(caught.value) and '\n' not in str(caught.value)
    flags(WITHOUT_BF16)
    backend = RoadSegmenter(own).backend
    assert backend.precision == 'fp32' and 'not in int8: ' in backend.reason
    assert text in backend.reason


def test_a_new_threshold_is_no_other_network(own):
    info = read_checkpoint(own).info
    with_info(own, dataclasses.replace(info, threshold=0.25, network_height=192))
    segmenter = RoadSegmenter(own, 'cpu', 'int8')
    assert (segmenter.threshold, segmenter.network_height) == (0.25, 192)


def test_there_may_be_none(own, random_checkpoint):
    with pytest.raises(InputError, match=r'needs .*_int8\.xml, which does not exist'):
        RoadSegmenter(random_checkpoint, 'cpu', 'int8')
    in_memory = dataclasses.replace(load_checkpoint(own), path=None)
    with pytest.raises(InputError, match='this network has no file'):
        load_int8(in_memory)
    for choice in ({'backend': 'torch'}, {'backend': 'onnxruntime'}):
        with pytest.raises(InputError, match=r'precision: expected auto or .* found int8'):
            RoadSegmenter(own, 'cpu', 'int8', **choice)


def test_a_gpu_has_none(own, monkeypatch):
    monkeypatch.setattr(registry, 'resolve_device', lambda device: 'cuda:0')
    with pytest.raises(InputError, match=r'precision: expected auto or .* on cuda:0, found int8'):
        RoadSegmenter(own, precision='int8')


def test_a_node_runs_it_from_the_start_without_pytorch(tmp_path, monkeypatch, rendered_frames):
    """The cache is empty, but nothing has to be converted."""
    monkeypatch.setenv('FCN_SEG_CACHE', str(tmp_path))
    with running('-p', 'precision:=int8', '-p', 'device:=cpu') as node:
        client = Client(outputs=['mask'])
        try:
            client.connect()
            mask = client.exchange(image_message(rendered_frames[0].image, 5))['mask']
            client.until(lambda: client.status.get('precision') == 'int8')
        finally:
            client.close()
        maps = Path(f'/proc/{node.pid}/maps').read_text()
        assert 'openvino' in maps and 'libtorch' not in maps
    expected = RoadSegmenter(default_checkpoint(), 'cpu', 'int8').segment(rendered_frames[0].image)
    assert bytes(mask.data) == expected.mask.tobytes()


def test_all_networks_share_one_core(monkeypatch):
    """Each Core of its own would leave 4 MB behind with every network that is loaded."""
    openvino_library.core()
    monkeypatch.setattr(openvino_library.openvino, 'Core', None)
    segmenter = RoadSegmenter(default_checkpoint(), 'cpu', 'int8')
    assert segmenter.segment(np.zeros((96, 320, 3), np.uint8)).mask.shape == (96, 320)
    assert segmenter.backend.name == 'openvino'
    segmenter.close()
