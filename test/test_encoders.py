# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of encoders, and a foreign one that is trained, pruned, exported and run."""

from __future__ import annotations

import json
import subprocess
import sys
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from conftest import make_random_network, network_info

from fcn_seg_ros.benchmark.arithmetic import count_gmac, count_parameters
from fcn_seg_ros.cli import benchmark, export, train
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.encoders import (
    ENCODERS,
    EncoderRow,
    find_encoder,
    make_encoder,
    register_encoder,
    weights,
)
from fcn_seg_ros.models.encoders.base import Encoder, measure_channels


def build_efficientnet(state: dict[str, torch.Tensor] | None) -> Encoder:
    network = torchvision.models.efficientnet_b0(weights=None)
    if state is not None:
        network.load_state_dict(state)
    features = network.features
    return Encoder((features[:4], features[4:6], features[6:]), (24, 40, 112, 1280), 3)


EFFICIENTNET = EncoderRow('efficientnet_b0', build_efficientnet, 'efficientnet_b0', 'BSD-3-Clause',
                          'torch', 4.0, 3.7)


@pytest.fixture
def foreign_encoder(monkeypatch):
    """Register an encoder as a package outside does, for one test."""
    monkeypatch.setattr('fcn_seg_ros.models.encoders.ENCODERS', dict(ENCODERS))
    register_encoder(EFFICIENTNET)


@pytest.mark.parametrize('row', ENCODERS.values(), ids=lambda row: row.name)
def test_rows_tell_the_truth(row):
    with torch.device('meta'):
        encoder = make_encoder(row.name).eval()
    assert measure_channels(encoder) == encoder.channels
    assert count_parameters(encoder) / 1e6 == pytest.approx(row.parameters, abs=0.006)
    assert count_gmac(encoder, (384, 1248)) == pytest.approx(row.gmac, abs=0.006)
    assert row.licence


def test_a_foreign_encoder_from_training_to_every_backend(
        foreign_encoder, kitti_folder, rendered_frames, tmp_path, capsys):
    whole, run = tmp_path / 'whole.safetensors', tmp_path / 'run'
    network = make_random_network(encoder='efficientnet_b0')
    save_checkpoint(whole, network, network_info(encoder='efficientnet_b0'))
    assert train.main([
        '--train', f'kitti:{kitti_folder}?split=train.txt', '--encoder', 'efficientnet_b0',
        '--init-from', str(whole), '--prune', '0.4', '--epochs', '1', '--batch-size', '2',
        '--height', '96', '--crop', '64', '96', '--precision', '32-true', '--workers', '0',
        '--learning-rate', '1e-4', '--average-decay', '0', '--out', str(run)]) == 0
    path = run / 'checkpoint.safetensors'
    pruned = load_checkpoint(path).network
    assert count_parameters(pruned) < 0.7 * count_parameters(network)
    for kind, name in (('onnx', 'pruned.onnx'), ('openvino', 'pruned.xml')):
        capsys.readouterr()
        assert export.main([str(path), '--format', kind, '--out', str(tmp_path / name),
                            '--json']) == 0
        assert json.loads(capsys.readouterr().out)['parity_iou'] >= 0.999
    image = rendered_frames[0].image
    expected = RoadSegmenter(path, 'cpu', 'fp32', backend='torch').segment(image).probability
    assert expected.std() > 2
    for model, backend in ((tmp_path / 'pruned.xml', 'auto'), (path, 'openvino'),
                           (path, 'onnxruntime')):
        found = RoadSegmenter(model, 'cpu', 'fp32', backend=backend).segment(image).probability
        assert np.abs(found.astype(int) - expected).max() <= 1, (model, backend)
    assert benchmark.main([str(path), '--backends', 'torch', '--precisions', 'fp32', '--frames',
                           '1', '--no-peers', '--no-memory']) == 0
    assert 'fcn8s on efficientnet_b0' in capsys.readouterr().out


def test_encoders_of_installed_packages(tmp_path):
    """An entry point is enough, also for an executable in a process of its own."""
    (tmp_path / 'other.py').write_text(
        'from fcn_seg_ros.models.encoders import ENCODERS\nfrom dataclasses import replace\n'
        'ROW = replace(ENCODERS["resnet18"], name="another")\n')
    (tmp_path / 'other-1.dist-info').mkdir()
    (tmp_path / 'other-1.dist-info' / 'METADATA').write_text('Name: other\nVersion: 1\n')
    (tmp_path / 'other-1.dist-info' / 'entry_points.txt').write_text(
        '[fcn_seg_ros.encoders]\nanother = other:ROW\nbroken = other:NOTHING\n')
    code = (f'import sys; sys.path.append({str(tmp_path)!r})\n'
            'from fcn_seg_ros.models.encoders import find_encoder, list_encoders\n'
            'print(list_encoders()[-2:], find_encoder("another").weights, "torch" in sys.modules)\n'
            'find_encoder("broken")\n')
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert result.stdout == "['another', 'broken'] resnet18 False\n", result.stderr
    assert "InputError: encoder: 'broken' of the package 'other:NOTHING'" in result.stderr


def test_bad_rows(foreign_encoder):
    with pytest.raises(ValueError, match="'efficientnet_b0' is already registered"):
        register_encoder(EFFICIENTNET)
    with pytest.raises(ValueError, match="one of torch, tf, lite, bgr255, caffe, not 'grey'"):
        register_encoder(EncoderRow('other', 'nowhere:build', '', '', 'grey', 0, 0))
    with pytest.raises(InputError, match="road_adas, efficientnet_b0, found 'alexnet'"):
        find_encoder('alexnet')


def test_encoder_weights_that_cannot_be_downloaded_are_one_line(monkeypatch):
    class Unreachable:
        url = 'https://example.com/weights.pth'

        def get_state_dict(self, progress: bool) -> dict:
            raise URLError('no address')
    monkeypatch.setattr(weights.torchvision.models, 'get_model_weights',
                        lambda name: {'IMAGENET1K_V1': Unreachable()})
    with pytest.raises(InputError, match=r'weights.pth.*no address.*--encoder-weights'):
        weights.imagenet_state('resnet18')
