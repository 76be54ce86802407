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
from fcn_seg_ros.inference.backends.cuda_graph import CudaGraphBackend
from fcn_seg_ros.inference.backends.torch_eager import TorchBackend
from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.inference.postprocess import (
    classes_to_road,
    draw_overlay,
    most_likely,
    probability_to_confidence,
    probability_to_mask,
    sum_classes,
)
from fcn_seg_ros.inference.preprocess import network_size, resize_image
from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmentation import optional_threshold, resolve_threshold
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.models.checkpoint import Checkpoint, load_checkpoint
from fcn_seg_ros.models.fcn import make_network, start_from

_OPENCV_WAIT = 'OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER'


@pytest.mark.parametrize(('height', 'width', 'network_height', 'expected'), [
    (375, 1242, 384, (384, 1280)), (375, 1242, 192, (192, 640)), (480, 640, 384, (384, 512)),
    (1080, 1920, 384, (384, 672)), (600, 400, 100, (96, 64)), (32, 32, 32, (32, 32)),
    (1000, 10, 384, (384, 32))])
def test_network_size_keeps_the_aspect_ratio(height, width, network_height, expected):
    assert network_size(height, width, network_height) == expected


def test_absurd_shapes_are_refused():
    for height, width, network_height in ((1, 16000, 384), (10, 1100, 384), (2000, 4000, 4096)):
        with pytest.raises(InputError, match=f'image of {width}x{height}: expected a shape'):
            network_size(height, width, network_height)
    assert network_size(2160, 3840, 2160) == (2176, 3840)


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


@pytest.mark.parametrize('threshold', [0.0, 0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize('unknown_below', [0.0, 0.4, 0.5, 0.6, 0.9, 1.0])
def test_mask_and_confidence_of_two_classes(threshold, unknown_below):
    """The tables against the definition, for every level there is."""
    levels = np.arange(256, dtype=np.uint8)[None]
    p = levels / 255
    unknown = np.maximum(p, 1 - p) < unknown_below - 1e-12
    road = p >= threshold - 1e-12
    mask = probability_to_mask(levels, threshold, unknown_below)
    assert np.array_equal(mask, np.where(unknown, 255, road)) and mask.dtype == np.uint8
    confidence = probability_to_confidence(levels, threshold, unknown_below)
    expected = np.where(unknown, 0, np.where(road, levels, 255 - levels))
    assert np.array_equal(confidence, expected) and confidence.dtype == np.uint8


@pytest.mark.parametrize('unknown_below', [0.0, 0.3, 0.6])
def test_most_likely_of_many_classes(unknown_below):
    planes = np.random.default_rng(0).integers(0, 200, (5, 30, 40), np.uint8)
    planes[3] = planes[1]  # of equals the first counts
    best = planes.max(0)
    unknown = best / 255 < unknown_below
    mask, confidence = most_likely(list(planes), unknown_below)
    assert np.array_equal(mask, np.where(unknown, 255, planes.argmax(0)))
    assert np.array_equal(confidence, np.where(unknown, 0, best))
    assert unknown.any() == (unknown_below > 0)
    total = sum_classes(list(planes), (0, 2, 4))
    assert np.array_equal(total, np.minimum(planes[[0, 2, 4]].astype(int).sum(0), 255))
    road = classes_to_road(mask, (1, 4))
    assert np.array_equal(road, np.isin(mask, (1, 4)).astype(np.uint8))


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
        graph = InferenceGraph(checkpoint.network, checkpoint.info).eval()
        levels = graph(torch.from_numpy(image)[None]).numpy()
    assert levels.shape == (1, 96, 160, 1)
    levels = levels[0, ..., 0]
    assert np.abs(levels / 255 - reference(checkpoint, image)).max() < 0.51 / 255
    assert levels.std() > 5


@pytest.fixture(scope='module')
def four_classes(random_network):
    """Return a checkpoint of four classes, two of them road, with scores that vary."""
    torch.manual_seed(1)
    network = make_network('mobilenet_v2', 'fcn8s', 4).eval()
    start_from(network, random_network.state_dict())
    for name in ('score_fr', 'score_pool4', 'score_pool3'):
        torch.nn.init.normal_(getattr(network.decoder, name).weight, std=0.1)
    return Checkpoint(network, network_info(classes=('a', 'b', 'c', 'd'), road_ids=(1, 3),
                                            palette=((0, 0, 0),) * 4))


def test_more_classes_each_have_a_channel(four_classes):
    image = np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)
    levels = make_backend(four_classes, 'cpu', 'fp32')(image[None])[0]
    assert levels.shape == (96, 160, 4)
    road = levels[..., 1] / 255 + levels[..., 3] / 255
    assert np.abs(road - reference(four_classes, image)).max() < 1.01 / 255


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
        assert backend(np.zeros((1, 32, width, 3), np.uint8)).shape == (1, 32, width, 1)


@pytest.mark.parametrize('size', [(96, 320), (37, 53), (375, 1242), (720, 405)])
def test_segmentation_has_the_images_size(random_checkpoint, size):
    segmenter = RoadSegmenter(random_checkpoint, device='cpu', precision='fp32')
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    result = segmenter.segment(image)
    assert result.mask.shape == result.probability.shape == size
    assert result.mask.dtype == result.probability.dtype == np.uint8
    assert np.array_equal(result.mask, (result.probability >= 128).astype(np.uint8))
    again = segmenter.segment(image, SegmentOptions(threshold=0.2))
    assert np.array_equal(again.mask, (again.probability >= 51).astype(np.uint8))
    assert np.array_equal(again.probability, result.probability)
    assert result.times.total > 0


def test_results_are_the_callers_to_keep(random_checkpoint):
    """No later call may write into the arrays of the one before, of whatever size."""
    segmenter = RoadSegmenter(random_checkpoint, device='cpu', precision='fp32')
    for size in ((96, 320), (60, 201)):  # as the network's, and resized
        images = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
        first = segmenter.segment(images[0])
        kept = [getattr(first, name).copy() for name in ('mask', 'probability', 'confidence')]
        second = segmenter.segment(images[1])
        assert not np.array_equal(first.probability, second.probability)
        for name, copy in zip(('mask', 'probability', 'confidence'), kept, strict=True):
            assert np.array_equal(getattr(first, name), copy), name


def test_confidence_is_computed_when_asked_for(random_checkpoint):
    segmenter = RoadSegmenter(random_checkpoint, device='cpu', precision='fp32')
    image = np.random.default_rng(0).integers(0, 256, (60, 201, 3), np.uint8)
    result = segmenter.segment(image, SegmentOptions(unknown_below=0.6))
    assert 'confidence' not in vars(result)
    expected = np.where(result.mask == 1, result.probability, 255 - result.probability)
    expected[result.mask == 255] = 0
    assert np.array_equal(result.confidence, expected) and result.confidence is result.confidence
    assert 0 < (result.mask == 255).sum() < result.mask.size
    assert np.array_equal(result.road, (result.mask == 1).astype(np.uint8))


def test_many_classes_give_the_likeliest(four_classes):
    """Argmax of the classes at the image's size; road is the sum of its classes."""
    segmenter = RoadSegmenter(four_classes, 'cpu', 'fp32')
    image = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
    small = segmenter.backend(resize_image(image, segmenter.network_shape(image.shape))[None])[0]
    planes = [resize_image(small[..., number], (60, 100)) for number in range(4)]
    unknown_below = float(np.median(np.max(planes, 0)) / 255)
    result = segmenter.segment(image, SegmentOptions(threshold=0.9, unknown_below=unknown_below))
    mask, confidence = most_likely(planes, unknown_below)
    assert np.array_equal(np.unique(mask), [0, 1, 2, 3, 255])
    assert np.array_equal(result.mask, mask) and np.array_equal(result.confidence, confidence)
    total = planes[1].astype(int) + planes[3]
    assert np.array_equal(result.probability, np.minimum(total, 255))
    assert np.array_equal(result.road, np.isin(mask, (1, 3)).astype(np.uint8))


def test_a_batch_is_its_images_one_by_one(random_checkpoint):
    """Images of two sizes whose network's input is one, each with options of its own."""
    segmenter = RoadSegmenter(random_checkpoint, device='cpu', precision='fp32')
    images = [np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
              for seed, size in enumerate([(96, 320), (75, 249), (192, 640)])]
    options = [SegmentOptions(), SegmentOptions(threshold=0.2, unknown_below=0.7),
               SegmentOptions(region=Region(0, 10, 640, 182))]
    assert [segmenter.network_shape(image.shape, own.region)
            for image, own in zip(images, options, strict=True)] == [(96, 320)] * 3
    for given in (options, SegmentOptions(unknown_below=0.8)):
        batch = segmenter.segment_batch(images, given)
        each = given if isinstance(given, list) else [given] * 3
        for image, own, together in zip(images, each, batch, strict=True):
            alone = segmenter.segment(image, own)
            assert together.times.forward == batch[0].times.forward > 0
            difference = together.probability.astype(int) - alone.probability
            assert np.abs(difference).max() <= 1  # rounding
            same = together.probability == alone.probability
            assert np.array_equal(together.mask[same], alone.mask[same])
            assert np.array_equal(together.confidence[same], alone.confidence[same])


class StandInScaling:
    """A backend that scales and decides by itself, as those of a GPU do, and notes the shapes."""

    def __init__(self, backend):
        self.backend, self.calls = backend, []

    def __call__(self, images):
        self.calls.append(images.shape)
        return self.backend(images)

    def run_scaled(self, images, size, tables):
        self.calls.append([image.shape for image in images])
        outputs = self.backend(np.stack([resize_image(image, size) for image in images]))
        scaled = [resize_image(output[..., 0], image.shape[:2])
                  for output, image in zip(outputs, images, strict=True)]
        return np.stack([[table[one] for table, one in zip(tables, scaled, strict=True)], scaled])


def test_a_backend_that_scales_gets_the_windows(random_checkpoint, monkeypatch):
    """Images of one shape go to the device as they are; the result is that of the other way."""
    plain = RoadSegmenter(random_checkpoint, 'cpu', 'fp32')
    backend = StandInScaling(plain.backend)
    monkeypatch.setattr('fcn_seg_ros.inference.segmenter.make_backend', lambda *args: backend)
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', test=False)
    images = np.random.default_rng(0).integers(0, 256, (2, 75, 249, 3), np.uint8)
    # 50 of 75 rows are 64 of the network's 96; the window has the same scale.
    options = [SegmentOptions(threshold, 0.7, Region(0, 20, 249, 50)) for threshold in (0.4, 0.5)]
    ours, theirs = (s.segment_batch(images, options) for s in (segmenter, plain))
    assert backend.calls == [[(50, 249, 3)] * 2]
    for one, other in zip(ours, theirs, strict=True):
        for name in ('mask', 'probability', 'confidence'):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
    # Of two shapes there is no one window, so the segmenter scales.
    segmenter.segment_batch([images[0], np.zeros((96, 320, 3), np.uint8)])
    assert backend.calls[1:] == [(2, 96, 320, 3)]


@pytest.mark.parametrize('kind', ['binary', 'four classes'])
def test_the_device_decides_as_the_cpu_does(random_checkpoint, four_classes, monkeypatch, kind):
    """Of the backend that captures CUDA graphs, with everything but the capture."""
    checkpoint = load_checkpoint(random_checkpoint) if kind == 'binary' else four_classes
    plain = RoadSegmenter(checkpoint, 'cpu', 'fp32', backend='torch')
    monkeypatch.setattr('fcn_seg_ros.inference.segmenter.make_backend',
                        lambda *args: CudaGraphBackend(checkpoint, 'cpu', 'fp32'))
    segmenter = RoadSegmenter(checkpoint, 'cpu', 'fp32')
    # At the network's own scale, as OpenCV and PyTorch scale with different rounding.
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 320, 3), np.uint8)
    options = [SegmentOptions(threshold, unknown_below, Region(70, 40, 180, 50))
               for threshold, unknown_below in ((0.4, 0.3), (0.6, 0.55))]
    ours, theirs = (s.segment_batch(images, options) for s in (segmenter, plain))
    for one, other in zip(ours, theirs, strict=True):
        for name in ('mask', 'probability', 'confidence'):
            found, expected = getattr(one, name), getattr(other, name)
            assert found.dtype == np.uint8 and found.shape == expected.shape == (96, 320)
            assert (np.abs(found.astype(int) - expected) <= 1).mean() > 0.99, name
        inside = one.mask[40:90, 70:250]
        assert len(np.unique(inside)) > 1 and (one.mask == 255).sum() >= 96 * 320 - inside.size


def test_batches_of_several_shapes_are_refused(random_checkpoint):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32')
    images = [np.zeros((96, 320, 3), np.uint8), np.zeros((96, 96, 3), np.uint8)]
    with pytest.raises(InputError, match=r'expected the same size .* found 96x96, 320x96'):
        segmenter.segment_batch(images)
    with pytest.raises(InputError, match='found no image'):
        segmenter.segment_batch([])


def test_many_sizes_do_not_fill_the_memory(random_checkpoint):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32')
    for width in (96, 128, 160, 192, 224, 256, 96):
        image = np.random.default_rng(width).integers(0, 256, (96, width, 3), np.uint8)
        assert segmenter.segment(image).mask.shape == (96, width)
    assert len(segmenter._inputs) <= 4


@pytest.mark.parametrize(('options', 'text'), [
    ({'threshold': 1.5}, 'threshold: expected -1 (from the checkpoint) or 0 to 1, found 1.5'),
    ({'threshold': float('nan')}, 'threshold: expected -1'),
    ({'unknown_below': -0.1}, 'unknown_below: expected 0 to 1, found -0.1'),
    ({'unknown_below': float('nan')}, 'unknown_below: expected 0 to 1, found nan'),
])
def test_bad_segment_options(options, text):
    with pytest.raises(InputError) as caught:
        SegmentOptions(**options)
    assert text in str(caught.value)


def test_class_ids_fit_beside_unknown(random_network):
    classes = tuple(map(str, range(256)))
    info = network_info(classes=classes, palette=((0, 0, 0),) * 256)
    with pytest.raises(InputError, match=r'expected at most 255 classes, .* found 256'):
        RoadSegmenter(Checkpoint(random_network, info), 'cpu')


def test_values_from_the_checkpoint_and_from_outside(random_checkpoint):
    checkpoint = load_checkpoint(random_checkpoint)
    checkpoint = dataclasses.replace(checkpoint, info=network_info(threshold=0.7))
    own = RoadSegmenter(checkpoint, 'cpu')
    assert (own.network_height, own.threshold) == (96, 0.7)
    given = RoadSegmenter(checkpoint, 'cpu', network_height=64, threshold=0.1)
    assert (given.network_height, given.threshold) == (64, 0.1)
    assert resolve_threshold(optional_threshold(-1.0), 0.4) == 0.4


@pytest.mark.parametrize(('options', 'text'), [
    ({'device': 'tpu'}, "device: expected auto, cpu, cuda or cuda:N, found 'tpu'"),
    ({'device': 'cuda:x'}, "found 'cuda:x'"),
    ({'device': 'cuda:99'}, "found 'cuda:99'"),
    ({'precision': 'fp8'}, "precision: expected one of auto, fp32, bf16, fp16, int8, found 'fp8'"),
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


@pytest.mark.parametrize(('given', 'expected'), [({}, '0'), ({_OPENCV_WAIT: '7'}, '7')])
def test_opencv_is_told_not_to_spin_before_it_is_imported(given, expected):
    code = ('import os, sys, fcn_seg_ros\n'
            f'print("cv2" in sys.modules, os.environ[{_OPENCV_WAIT!r}])')
    environ = {key: value for key, value in os.environ.items() if key != _OPENCV_WAIT}
    environ |= {'PYTHONPATH': ':'.join(sys.path)}
    found = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                           check=True, env=environ | given)
    assert found.stdout.split() == ['False', expected]


def test_an_absurd_height_is_named(random_checkpoint):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', network_height=20_000, test=False)
    with pytest.raises(InputError, match=r'^network_height 20000: image of 1242x375'):
        segmenter.network_shape((375, 1242))
