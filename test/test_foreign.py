# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Foreign OpenVINO networks by their description, against the same arithmetic in NumPy."""

from __future__ import annotations

import cv2
import numpy as np
import openvino
import openvino.opset13 as ops
import pytest
import yaml

from fcn_seg_ros.datasets.base import Part
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import score
from fcn_seg_ros.evaluation.predictors import Foreign
from fcn_seg_ros.inference.foreign import (
    Description,
    ForeignNetwork,
    find_description,
    is_foreign,
    read_description,
)
from fcn_seg_ros.inference.quantised import int8_file
from fcn_seg_ros.resources import default_checkpoint, share_file

SIZE = (64, 32)
# Of three channels what each of four classes scores.
WEIGHTS = np.array([[3, 0, 1], [0, 2, -2], [-1, 1, 1], [0.5, -1, 2]], np.float32)
VALUES = {'name': 'tiny', 'licence': 'Apache-2.0', 'input_size': list(SIZE),
          'classes': ['sky', 'road', 'kerb', 'marking'], 'road': ['road', 'marking'],
          'output': 'logits', 'mean': [10, 20, 30], 'std': [100, 110, 120], 'threshold': 0.4}


def write_ir(path, softmax=False):
    """Write a network that weighs the channels of each pixel."""
    data = ops.parameter([1, 3, SIZE[1], SIZE[0]], np.float32, name='data')
    scores = ops.convolution(data, WEIGHTS[:, :, None, None], [1, 1], [0, 0], [0, 0], [1, 1])
    if softmax:
        scores = ops.softmax(scores, 1)
    openvino.save_model(openvino.Model([scores], [data], 'tiny'), path, compress_to_fp16=False)
    return path


@pytest.fixture
def network(tmp_path):
    """Return the IR with its description beside it."""
    path = write_ir(tmp_path / 'tiny.xml')
    path.with_suffix('.yaml').write_text(yaml.safe_dump(VALUES))
    return path


def expected(image, order='rgb', decision='sum'):
    """Return P(road) of an image of the network's size, float64 (H, W)."""
    pixels = image[..., ::-1] if order == 'bgr' else image
    given = (pixels.astype(np.float64) - VALUES['mean']) / VALUES['std']
    exponents = np.exp(given @ WEIGHTS.T.astype(np.float64))
    p = exponents / exponents.sum(-1, keepdims=True)
    if decision == 'sum':
        return p[..., 1] + p[..., 3]
    road, other = p[..., [1, 3]].max(-1), p[..., [0, 2]].max(-1)
    return road / (road + other)


def picture(size=SIZE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
@pytest.mark.parametrize('decision', ['sum', 'likeliest'])
def test_probability_is_that_of_the_description(tmp_path, order, decision):
    description = Description(**{key: tuple(value) if isinstance(value, list) else value
                                 for key, value in VALUES.items()},
                              channel_order=order, decision=decision)
    network = ForeignNetwork(write_ir(tmp_path / 'tiny.xml'), description, precision='fp32')
    image = picture()
    found = network.probability(image)
    assert found.dtype == np.uint8 and found.std() > 20
    assert np.abs(found - 255 * expected(image, order, decision)).max() <= 0.51
    network.close()


def test_probabilities_are_taken_as_they_are(tmp_path):
    path = write_ir(tmp_path / 'tiny.xml', softmax=True)
    path.with_suffix('.yaml').write_text(yaml.safe_dump(VALUES | {'output': 'probabilities'}))
    image = picture()
    found = ForeignNetwork(path, precision='fp32').probability(image)
    assert np.abs(found - 255 * expected(image)).max() <= 0.51


def test_images_are_squeezed(network):
    image = picture((60, 61))
    foreign = ForeignNetwork(network, precision='fp32')
    found, milliseconds = foreign.timed(image)
    assert found.shape == (61, 60) and milliseconds > 0 and foreign.threshold == 0.4
    wanted = cv2.resize(np.round(255 * expected(cv2.resize(image, SIZE))).astype(np.uint8),
                        (60, 61))
    assert np.abs(found.astype(int) - wanted).max() <= 2


def test_what_is_foreign(network, tmp_path):
    assert is_foreign(network)
    assert not is_foreign(default_checkpoint())
    assert not is_foreign(int8_file(default_checkpoint()))
    network.with_suffix('.yaml').unlink()
    with pytest.raises(InputError, match=r'not a network written by this package, and '
                                         r'tiny\.yaml, which would describe it, is missing'):
        ForeignNetwork(network)


def test_the_shipped_description():
    peer = read_description(share_file('config/road-segmentation-adas-0001.yaml'))
    assert peer.input_size == (896, 512) and peer.road_ids == [1, 3]
    assert peer.channel_order == 'bgr' and peer.threshold == 0.5


@pytest.mark.parametrize(('change', 'text'), [
    ({'channel_order': 'grb'}, "channel_order: 'grb' is not one of rgb, bgr"),
    ({'road': ['street']}, "road: ['street'] is not a proper subset of the classes"),
    ({'road': VALUES['classes']}, 'is not a proper subset of the classes'),
    ({'std': [1, 0, 1]}, 'std above 0'),
    ({'input_size': [0, 32]}, 'input_size: [0, 32] is not a width and height'),
    ({'threshold': 2}, 'threshold: 2 is not in 0 to 1'),
    ({'colour': 'bgr'}, 'unknown: colour'),
    ({'mean': 3}, 'the description of the network is not valid'),
    (None, 'not a mapping'),
])
def test_bad_descriptions(network, change, text):
    path = network.with_suffix('.yaml')
    path.write_text(yaml.safe_dump('words' if change is None else VALUES | change))
    with pytest.raises(InputError) as error:
        find_description(network)
    assert text in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize(('arguments', 'text'), [
    ({'device': 'cuda'}, 'expected the device auto or cpu|device'),
    ({'precision': 'int8'}, "found 'int8'"),
])
def test_bad_settings(network, arguments, text):
    with pytest.raises(InputError, match=text):
        ForeignNetwork(network, **arguments)


def test_another_size_than_described(network):
    network.with_suffix('.yaml').write_text(yaml.safe_dump(VALUES | {'input_size': [32, 32]}))
    with pytest.raises(InputError, match=r'expected one input \(1, 3, 32, 32\).*found \(1, 3, 32, '
                                         r'64\), \(1, 4, 32, 64\)'):
        ForeignNetwork(network)


def test_the_peer_on_real_images(real_data):
    """On CamVid val it is known to reach an IoU of 97."""
    path = real_data / 'weights' / 'road-segmentation-adas-0001-fp16.xml'
    if not path.is_file():
        pytest.skip(f'{path} is not there')
    dataset = open_dataset(parse_spec(f'camvid:{real_data}/camvid?split=val'))
    some = Part(dataset, range(0, len(dataset), 20))
    result = score(Foreign(ForeignNetwork(path)), some)
    assert result.summary.images == 6 and result.summary.iou > 0.96
    assert result.summary.threshold == 0.5
