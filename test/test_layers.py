# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Upsampling and the turning of fully connected layers into convolutions."""

import pytest
import torch
import torch.nn.functional as F

from fcn_seg_ros.models.layers import Upsample, bilinear_kernel, linear_to_conv, score_layer


@pytest.mark.parametrize('stride', [2, 4, 8])
def test_upsampling_starts_as_bilinear_interpolation(stride):
    scores = torch.randn(2, 3, 7, 9)
    upsampled = Upsample(3, stride)(scores)
    expected = F.interpolate(scores, scale_factor=stride, mode='bilinear', align_corners=False)
    assert upsampled.shape == expected.shape == (2, 3, 7 * stride, 9 * stride)
    inner = slice(stride, -stride)
    # At the border interpolation repeats the outermost cell, the convolution sees zeros.
    torch.testing.assert_close(upsampled[..., inner, inner], expected[..., inner, inner])


def test_upsampling_is_learned_and_mixes_classes():
    layer = Upsample(2, 2)
    assert layer.weight.requires_grad
    assert layer.weight.shape == (2, 2, 4, 4)
    assert layer.weight[0, 1].abs().sum() == 0
    layer(torch.ones(1, 2, 3, 3)).sum().backward()
    assert layer.weight.grad is not None and layer.weight.grad[0, 1].abs().sum() > 0


def test_kernel_of_the_paper():
    row = torch.tensor([0.25, 0.75, 0.75, 0.25])
    torch.testing.assert_close(bilinear_kernel(4), torch.outer(row, row))
    odd = torch.tensor([0.5, 1.0, 0.5])
    torch.testing.assert_close(bilinear_kernel(3), torch.outer(odd, odd))


def test_score_layer_is_a_1x1_convolution():
    layer = score_layer(5, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.randn_like(layer.weight))
        layer.bias.copy_(torch.randn(3))
    features = torch.randn(2, 5, 4, 6)
    expected = torch.einsum('nchw,kc->nkhw', features, layer.weight[:, :, 0, 0])
    torch.testing.assert_close(layer(features), expected + layer.bias.reshape(1, 3, 1, 1))


def test_fully_connected_layer_as_convolution():
    linear = torch.nn.Linear(4 * 7 * 7, 10)
    conv = linear_to_conv(linear, kernel_size=7)
    features = torch.randn(2, 4, 9, 11)
    crop = features[..., :7, :7]
    torch.testing.assert_close(conv(crop)[..., 0, 0], linear(crop.flatten(1)))
    everywhere = conv(features)
    assert everywhere.shape == (2, 10, 3, 5)
    for y in range(3):
        for x in range(5):
            window = features[..., y:y + 7, x:x + 7]
            torch.testing.assert_close(everywhere[..., y, x], linear(window.flatten(1)))


def test_linear_of_another_shape_is_refused():
    with pytest.raises(ValueError, match='7x7 window'):
        linear_to_conv(torch.nn.Linear(100, 10), kernel_size=7)
