# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The layers of a fully convolutional network: 1x1 convolutions and upsampling."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def bilinear_kernel(size: int) -> Tensor:
    """
    Return the (size, size) float32 kernel of a transposed convolution that interpolates.

    As in Long, Shelhamer, Darrell (CVPR 2015) and pytorch-fcn's ``get_upsampling_weight``.
    """
    factor = (size + 1) // 2
    centre = factor - 1.0 if size % 2 == 1 else factor - 0.5
    ramp = 1.0 - (torch.arange(size, dtype=torch.float32) - centre).abs() / factor
    return torch.outer(ramp, ramp)


class Upsample(nn.ConvTranspose2d):
    """
    Learned upsampling by ``stride``: (N, C, h, w) to (N, C, stride*h, stride*w).

    A transposed convolution with a kernel of twice the stride that connects every class to every
    class. It starts as bilinear interpolation of each class separately.
    """

    def __init__(self, classes: int, stride: int) -> None:
        super().__init__(classes, classes, 2 * stride, stride=stride, padding=stride // 2,
                         bias=False)

    def reset_parameters(self) -> None:
        """Start as bilinear interpolation: the kernel on the diagonal, zero elsewhere."""
        with torch.no_grad():
            self.weight.zero_()
            diagonal = torch.arange(self.in_channels)
            self.weight[diagonal, diagonal] = bilinear_kernel(self.kernel_size[0])


def score_layer(channels: int, classes: int) -> nn.Conv2d:
    """Return the 1x1 convolution that scores each cell of a feature map, starting at zero."""
    layer = nn.Conv2d(channels, classes, kernel_size=1)
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def linear_to_conv(linear: nn.Linear, kernel_size: int) -> nn.Conv2d:
    """
    Return the convolution that applies ``linear`` at every position.

    ``linear`` must take a flattened (C, kernel_size, kernel_size) feature map. The convolution has
    no padding, so a map of exactly that size gives one position with the same values.
    """
    channels, rest = divmod(linear.in_features, kernel_size**2)
    if rest:
        raise ValueError(f'a Linear of {linear.in_features} inputs is not a '
                         f'{kernel_size}x{kernel_size} window of whole channels')
    conv = nn.Conv2d(channels, linear.out_features, kernel_size, bias=linear.bias is not None)
    with torch.no_grad():
        conv.weight.copy_(linear.weight.reshape(conv.weight.shape))
        if linear.bias is not None and conv.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv


def convolutionalize(classifier: nn.Sequential, window: int) -> nn.Sequential:
    """
    Return a classifier's fully connected part as convolutions (Long et al. 2015, section 3.1).

    The first Linear, which takes a flattened (C, window, window) map, becomes a window x window
    convolution (VGG16's fc6: 7x7), the others become 1x1 convolutions (fc7 and the score). The
    result equals the classifier's at every position of a map. Layers without weights (ReLU,
    Dropout) are kept.
    """
    layers: list[nn.Module] = []
    for layer in classifier:
        if isinstance(layer, nn.Linear):
            layers.append(linear_to_conv(layer, window))
            window = 1
        elif isinstance(layer, nn.Dropout):
            layers.append(nn.Dropout2d(layer.p))
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


def subsample_conv(conv: nn.Conv2d, kernel_step: int, in_step: int, out_step: int) -> nn.Conv2d:
    """
    Return a cheaper convolution made of every n-th weight of another along each axis.

    Every ``kernel_step``-th row and column of the kernel is kept, and the kernel is dilated by that
    step, so that it covers the same window; ``in_step`` and ``out_step`` subsample the channels, as
    in DeepLab's fc6 and fc7 of VGG16 (Chen et al., ICLR 2015, section 4.1).
    """
    weight = conv.weight[::out_step, ::in_step, ::kernel_step, ::kernel_step]
    size = weight.shape[2]
    small = nn.Conv2d(weight.shape[1], weight.shape[0], size,
                      dilation=kernel_step if size > 1 else 1, bias=conv.bias is not None)
    # Compensate for the sum over fewer inputs, or activations would shrink.
    gain = conv.weight[0].numel() / weight[0].numel()
    with torch.no_grad():
        small.weight.copy_(gain * weight)
        if conv.bias is not None and small.bias is not None:
            small.bias.copy_(conv.bias[::out_step])
    return small
