# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The last upsampling as a convolution: the numbers of the transposed one."""

from __future__ import annotations

import pytest
import torch

from fcn_seg_ros.inference.subpixel import arrange, to_subpixels
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
        cells = to_subpixels(upsample, weights)(scores)
    assert cells.shape == (2, stride * stride, 3, 5)
    found = arrange(cells.permute(0, 2, 3, 1), stride).permute(0, 3, 1, 2)
    assert found.shape == expected.shape == (2, 1, 3 * stride, 5 * stride)
    assert (found - expected).abs().max() < 1e-4
    assert expected.std() > 0.5


def test_arranging_is_a_pixel_shuffle():
    levels = torch.arange(2 * 9 * 4 * 5, dtype=torch.int64).reshape(2, 9, 4, 5).to(torch.uint8)
    found = arrange(levels.permute(0, 2, 3, 1), 3)
    assert torch.equal(found, torch.nn.functional.pixel_shuffle(levels, 3).permute(0, 2, 3, 1))
