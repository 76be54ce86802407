# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What an encoder is: a network without its last layer, as a feature pyramid."""

from __future__ import annotations

from torch import Tensor, nn

# Features at strides 4, 8, 16 and 32, and how many channels each has.
Features = tuple[Tensor, Tensor, Tensor, Tensor]
Channels = tuple[int, int, int, int]


class Encoder(nn.Module):
    """
    Features at strides 4, 8, 16 and 32 of an image.

    ``channels`` are their channel counts in that order. ``forward`` takes a normalised image,
    float of shape (N, 3, H, W) with H and W multiples of 32, and returns four maps of shape
    (N, channels[i], H / stride, W / stride). ``stages`` lead from the image to stride 8, from there
    to 16 and to 32; the first ``stride4_layers`` layers of the first stage end at stride 4.
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
