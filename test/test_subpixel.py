# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The last upsampling as a convolution: the numbers of the transposed one."""

from __future__ import annotations

import pytest
import torch

from fcn_seg_ros.inference.subpixel import to_subpixels
from fcn_seg_ros.models.layers import Upsample


@pytest.mark.parametrize('stride', [2, 8, 16, 32])
@pytest.mark.parametrize('classes', [2, 3])
def test_is_the_weighted_sum_of_what_the_upsampling_gives(stride, classes):
    torch.manual_seed(stride)
    upsample = Upsample(classes, stride)
    torch.nn.init.normal_(upsample.weight)  # not symmetric, unlike the bilinear start
    weights = torch.randn(classes)
    scores = torch.randn(2, classes, 3, 5)
    with torch.no_grad():
        expected = (upsample(scores) * weights.reshape(1, -1, 1, 1)).sum(1, keepdim=True)
        found = to_subpixels(upsample, weights)(scores)
    assert found.shape == expected.shape == (2, 1, 3 * stride, 5 * stride)
    assert (found - expected).abs().max() < 1e-4
    assert expected.std() > 0.5
