# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The last upsampling as a sub-pixel convolution.

Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
Convolutional Neural Network", CVPR 2016: a transposed convolution of stride s equals a convolution
to s * s times the channels, one for each of the s * s sub-pixels, followed by a rearrangement. CPUs
run this several times as fast, and one linear combination of the K outputs costs only a K-th of
computing them all.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fcn_seg_ros.models.layers import Upsample


def to_subpixels(upsample: Upsample, combination: Tensor) -> nn.Conv2d:
    """
    Return a convolution that upsamples and sums the channels with weights ``combination``, (C,).

    It takes (N, C, h, w) and returns the sub-pixels, (N, stride * stride, h, w), float32;
    ``arrange`` puts them in place.
    """
    stride = upsample.stride[0]
    # (C in, C out, 2 stride, 2 stride) to (C in, 2 stride, 2 stride).
    kernel = torch.einsum('ioyx,o->iyx', upsample.weight.detach().float(), combination)
    taps = torch.zeros(stride, stride, len(kernel), 3, 3)
    for row in range(stride):
        for column in range(stride):
            # A sub-pixel depends on 3 x 3 cells, ``stride`` kernel elements apart; elements outside
            # the kernel are zero.
            y, x = (_taps(offset, stride) for offset in (row, column))
            for tap_y, kernel_y in y:
                for tap_x, kernel_x in x:
                    taps[row, column, :, tap_y, tap_x] = kernel[:, kernel_y, kernel_x]
    conv = nn.Conv2d(len(kernel), stride * stride, 3, padding=1, bias=False)
    conv.weight = nn.Parameter(taps.flatten(0, 1))
    return conv


def arrange(cells: Tensor, stride: int) -> Tensor:
    """
    Arrange sub-pixels (N, h, w, stride * stride), of any type, as (N, stride * h, stride * w, 1).

    This is a pixel shuffle with channels last, which moves whole rows of a cell.
    """
    rows = cells.unflatten(3, (stride, stride)).transpose(2, 3)
    return rows.flatten(3, 4).flatten(1, 2).unsqueeze(3)


def _taps(offset: int, stride: int) -> list[tuple[int, int]]:
    """Return (3-tap kernel element, transposed kernel element) pairs for one sub-pixel."""
    pairs = [(tap, offset + stride // 2 - stride * (tap - 1)) for tap in range(3)]
    return [(tap, element) for tap, element in pairs if 0 <= element < 2 * stride]
