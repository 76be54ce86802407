# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base class of encoders, which are image classifiers without the last layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Features at strides 4, 8, 16 and 32, and the channels of each.
Features = tuple[Tensor, Tensor, Tensor, Tensor]
Channels = tuple[int, int, int, int]


class Encoder(nn.Module):
    """
    A feature pyramid: maps at strides 4, 8, 16 and 32 of an image.

    ``forward`` takes a normalised image, float (N, 3, H, W) with H and W multiples of 32, and
    returns four maps of shape (N, channels[i], H / stride, W / stride). The three ``stages`` lead
    from the image to stride 8, on to 16 and on to 32. The first ``stride4_layers`` layers of the
    first stage end at stride 4.
    """

    channels: Channels
    stride8: nn.Sequential

    def __init__(self, stages: tuple[nn.Sequential, nn.Module, nn.Module], channels: Channels,
                 stride4_layers: int) -> None:
        super().__init__()
        self.stride8, self.stride16, self.stride32 = stages
        self.channels = channels
        self.stride4_layers = stride4_layers

    def forward(self, image: Tensor) -> Features:
        """Return the features at strides 4, 8, 16 and 32."""
        pool2, pool3 = self.fine_features(image)
        pool4 = self.stride16(pool3)
        return pool2, pool3, pool4, self.stride32(pool4)

    def fine_features(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features at strides 4 and 8."""
        features = pool2 = image
        for number, layer in enumerate(self.stride8, start=1):
            features = layer(features)
            if number == self.stride4_layers:
                pool2 = features
        return pool2, features


def measure_channels(encoder: Encoder) -> Channels:
    """
    Return the channels of the four feature maps, as a forward pass gives them.

    Only shapes are computed. Raises RuntimeError if the layers do not fit one another.
    """
    shapes = {name: value.to('meta') for name, value in encoder.state_dict().items()}
    with torch.no_grad():
        features: Features = torch.func.functional_call(
            encoder, shapes, (torch.empty(1, 3, 64, 64, device='meta'),))
    pool2, pool3, pool4, top = (feature.shape[1] for feature in features)
    return pool2, pool3, pool4, top


def freeze_batch_norm(module: nn.Module) -> None:
    """Keep batch norm in eval mode, since small batches from one drive give poor statistics."""
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()
