# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The encoder that starts from road-segmentation-adas-0001."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.encoders.road_adas import DilatedDepthwise, RoadAdasEncoder, read_weights


@pytest.mark.parametrize('dilation', [1, 2, 3, 8])
def test_training_computes_the_dilated_convolution(dilation):
    torch.manual_seed(0)
    layer, plain = DilatedDepthwise(5, dilation), torch.nn.Conv2d(
        5, 5, 3, padding=dilation, dilation=dilation, groups=5)
    plain.load_state_dict(layer.state_dict())
    image = torch.randn(2, 5, 11, 14)
    torch.testing.assert_close(layer.train()(image), plain(image))
    torch.testing.assert_close(layer.eval()(image), plain(image))
    layer.train()(image).square().sum().backward()
    plain(image).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, plain.weight.grad)


def test_gradients_are_finite_in_bf16():
    """PyTorch's own gradient of a dilated depthwise convolution is not."""
    torch.manual_seed(0)
    encoder = RoadAdasEncoder().train()
    image = torch.randn(2, 3, 96, 160).to(memory_format=torch.channels_last)
    with torch.autocast('cpu', torch.bfloat16):
        features = encoder.to(memory_format=torch.channels_last)(image)
    sum(feature.float().mean() for feature in features).backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() < 1e3, name


def test_weights_are_those_of_the_original():
    """Our encoder's features lead to the original's probabilities by its own last layers."""
    folder = os.environ.get('FCN_SEG_DATA')
    path = Path(folder or '', 'weights', 'road-segmentation-adas-0001-fp16.xml')
    if not folder or not path.is_file():
        pytest.skip('FCN_SEG_DATA has no weights/road-segmentation-adas-0001-fp16.xml')
    import openvino
    encoder = RoadAdasEncoder().eval()
    encoder.load_state_dict(read_weights(str(path)))
    model = openvino.Core().read_model(str(path))
    fused = next(op for op in model.get_ordered_ops()
                 if op.get_friendly_name().startswith('L0298_Add'))
    model.add_outputs(fused.output(0))
    model.reshape([1, 3, 128, 224])
    compiled = openvino.compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    image = 255 * torch.rand(1, 3, 128, 224, generator=torch.Generator().manual_seed(0))
    expected = torch.from_numpy(compiled([image.numpy()])[1]).float()
    with torch.no_grad():
        _, pool3, _, _ = encoder(image)
    # The original computes in half precision.
    assert (pool3 - expected).abs().mean() < 0.05 * expected.std()


def test_other_models_are_refused(tmp_path):
    path = tmp_path / 'other.xml'
    path.write_text('<net/>')
    with pytest.raises(InputError, match='not an OpenVINO model'):
        read_weights(str(path))
    import openvino
    from openvino import opset13
    data = opset13.parameter([1, 3, 8, 8], name='data')
    openvino.save_model(openvino.Model([opset13.relu(data)], [data], 'small'), str(path))
    with pytest.raises(InputError, match='not road-segmentation-adas-0001'):
        read_weights(str(path))
