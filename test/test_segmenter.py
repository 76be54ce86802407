# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image in, mask out: sizes, backends, thresholds, overlay."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import network_info

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import make_backend
from fcn_seg_ros.inference.backends.torch_eager import TorchBackend
from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.inference.postprocess import draw_overlay, probability_to_mask
from fcn_seg_ros.inference.preprocess import network_size, resize_image
from fcn_seg_ros.inference.segmenter import RoadSegmenter, resolve_threshold
from fcn_seg_ros.models.checkpoint import Checkpoint, load_checkpoint


@pytest.mark.parametrize(('height', 'width', 'network_height', 'expected'), [
    (375, 1242, 384, (384, 1280)), (375, 1242, 192, (192, 640)), (480, 640, 384, (384, 512)),
    (1080, 1920, 384, (384, 672)), (600, 400, 100, (96, 64)), (32, 32, 32, (32, 32)),
    (1000, 10, 384, (384, 32))])
def test_network_size_keeps_the_aspect_ratio(height, width, network_height, expected):
    assert network_size(height, width, network_height) == expected


def test_absurd_shapes_are_refused():
    with pytest.raises(InputError, match='image of 16000x1'):
        network_size(1, 16000, 384)


def test_resizing_averages_when_it_shrinks_a_lot():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.unique(resize_image(stripes, (32, 32))).tolist() == [100]
    assert resize_image(stripes, (64, 64)) is stripes


def test_mask_is_where_the_probability_reaches_the_threshold():
    levels = np.arange(256, dtype=np.uint8)[None]
    for threshold in (0.0, 1 / 255, 0.3, 0.5, 128 / 255, 1.0):
        expected = (levels / 255 >= threshold - 1e-12).astype(np.uint8)
        assert np.array_equal(probability_to_mask(levels, threshold), expected), threshold


def test_overlay_tints_the_road_only():
    image = np.full((4, 6, 3), 100, np.uint8)
    mask = np.zeros((4, 6), np.uint8)
    mask[2:] = 1
    overlay = draw_overlay(image, mask, (0, 200, 80), 0.5)
    assert (overlay[:2] == 100).all() and (image == 100).all()
    assert np.unique(overlay[2:].reshape(-1, 3), axis=0).tolist() == [[50, 150, 90]]


def reference(checkpoint, image):
    """Return P(road) of an image at network size, in plain PyTorch, float."""
    info = checkpoint.info
    tensor = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    if info.channel_order == 'bgr':
        tensor = tensor[:, [2, 1, 0]]
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (info.mean, info.std))
    with torch.inference_mode():
        logits = checkpoint.network((tensor - mean) / std) / info.temperature
    return F.softmax(logits, 1)[0, list(info.road_ids)].sum(0).numpy()


@pytest.mark.parametrize('changes', [
    {}, {'channel_order': 'bgr', 'mean': (0.4, 0.45, 0.5), 'std': (0.2, 0.25, 0.3)},
    {'temperature': 2.0}, {'road_ids': (0,)}])
def test_graph_is_what_the_metadata_say(random_network, changes):
    checkpoint = Checkpoint(random_network, network_info(**changes))
    image = np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)
    with torch.inference_mode():
        levels = InferenceGraph(checkpoint).eval()(torch.from_numpy(image)[None])[0].numpy()
    assert np.abs(levels / 255 - reference(checkpoint, image)).max() < 0.51 / 255
    assert levels.std() > 5


def test_more_classes_sum_over_the_road_ones(random_network):
    torch.manual_seed(1)
    from fcn_seg_ros.models.fcn import make_network
    network = make_network('mobilenet_v2', 'fcn8s', 4).eval()
    torch.nn.init.normal_(network.decoder.score_pool3.weight)
    info = network_info(classes=('a', 'b', 'c', 'd'), road_ids=(1, 3), palette=((0, 0, 0),) * 4)
    checkpoint = Checkpoint(network, info)
    image = np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)
    levels = make_backend(checkpoint, 'cpu', 'fp32')(image[None])[0]
    assert np.abs(levels / 255 - reference(checkpoint, image)).max() < 1.01 / 255


def test_openvino_equals_torch(random_checkpoint):
    checkpoint = load_checkpoint(random_checkpoint)
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 160, 3), np.uint8)
    expected = TorchBackend(checkpoint, 'cpu', 'fp32')(images).astype(int)
    backend = make_backend(checkpoint, 'cpu', 'fp32')
    assert backend.name == 'openvino'
    assert np.abs(backend(images) - expected).max() <= 1


def test_openvino_keeps_a_few_shapes(random_checkpoint):
    backend = make_backend(load_checkpoint(random_checkpoint), 'cpu', 'fp32')
    for width in (32, 64, 96, 128, 160, 32):
        assert backend(np.zeros((1, 32, width, 3), np.uint8)).shape == (1, 32, width)


@pytest.mark.parametrize('size', [(96, 320), (37, 53), (375, 1242), (720, 405)])
def test_segmentation_has_the_images_size(random_checkpoint, size):
    segmenter = RoadSegmenter(random_checkpoint, device='cpu', precision='fp32')
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    result = segmenter.segment(image)
    assert result.mask.shape == result.probability.shape == size
    assert result.mask.dtype == result.probability.dtype == np.uint8
    assert np.array_equal(result.mask, (result.probability >= 128).astype(np.uint8))
    again = segmenter.segment(image, threshold=0.2)
    assert np.array_equal(again.mask, (again.probability >= 51).astype(np.uint8))
    assert np.array_equal(again.probability, result.probability)
    assert result.times.total > 0


def test_results_are_the_callers_to_keep(random_checkpoint):
    """The next call must not write into the arrays of the one before."""
    segmenter = RoadSegmenter(random_checkpoint, device='cpu', precision='fp32')
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 320, 3), np.uint8)
    first = segmenter.segment(images[0]).probability
    kept = first.copy()
    second = segmenter.segment(images[1]).probability
    assert np.array_equal(first, kept) and not np.array_equal(first, second)


def test_values_from_the_checkpoint_and_from_outside(random_checkpoint):
    checkpoint = load_checkpoint(random_checkpoint)
    checkpoint = dataclasses.replace(checkpoint, info=network_info(threshold=0.7))
    own = RoadSegmenter(checkpoint, 'cpu')
    assert (own.network_height, own.threshold) == (96, 0.7)
    given = RoadSegmenter(checkpoint, 'cpu', network_height=64, threshold=0.1)
    assert (given.network_height, given.threshold) == (64, 0.1)
    assert resolve_threshold(-1.0, 0.4) == 0.4


@pytest.mark.parametrize(('options', 'text'), [
    ({'device': 'tpu'}, "device: expected auto, cpu, cuda or cuda:N, found 'tpu'"),
    ({'device': 'cuda:x'}, "found 'cuda:x'"),
    ({'device': 'cuda:99'}, "found 'cuda:99'"),
    ({'precision': 'fp8'}, "precision: expected one of auto, fp32, bf16, fp16, found 'fp8'"),
    ({'device': 'cpu', 'precision': 'fp16'}, 'on a CPU, found fp16'),
    ({'threshold': 1.2}, 'threshold: expected -1'),
    ({'network_height': 8}, 'network_height: expected 0'),
])
def test_bad_options(random_checkpoint, options, text):
    with pytest.raises(InputError) as caught:
        RoadSegmenter(random_checkpoint, **options)
    assert text in str(caught.value)


@pytest.mark.parametrize('array', [
    np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32),
    np.zeros((0, 4, 3), np.uint8)])
def test_bad_arrays(random_checkpoint, array):
    with pytest.raises(InputError, match='image: expected a uint8 array'):
        RoadSegmenter(random_checkpoint, 'cpu').segment(array)


def test_nobody_is_contacted(random_checkpoint):
    """OpenVINO's converter would report to an analytics server; here no name is even looked up."""
    code = (
        'import socket\n'
        'asked = []\n'
        'def look_up(*args, **kwargs):\n'
        '    asked.append(args)\n'
        '    raise OSError("no network")\n'
        'socket.getaddrinfo = look_up\n'
        'import numpy as np\n'
        'from fcn_seg_ros.inference.segmenter import RoadSegmenter\n'
        f'segmenter = RoadSegmenter({str(random_checkpoint)!r}, "cpu")\n'
        'segmenter.segment(np.zeros((64, 64, 3), np.uint8))\n'
        'import time; time.sleep(1)\n'
        'print(segmenter.backend.name, asked)\n')
    environment = {key: value for key, value in os.environ.items() if key != 'CI'}
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                            env=environment)
    assert result.stdout.strip() == 'openvino []', result.stdout + result.stderr
