# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of decoders, which turn an encoder's features into scores for every pixel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from fcn_seg_ros.models.encoders.base import Channels, Features
from fcn_seg_ros.models.layers import Upsample, score_layer


class Decoder(nn.Module):
    """
    The base class of decoders.

    ``scores`` turns the encoder's features into scores (N, outputs, h, w) at some stride; ``last``
    is the layer that upsamples these to the size of the encoder's input.
    """

    @property
    def last(self) -> Upsample:
        """Return the last upsampling layer."""
        raise NotImplementedError

    def scores(self, features: Features) -> Tensor:
        """Return the scores before the last upsampling."""
        raise NotImplementedError

    def forward(self, features: Features) -> Tensor:
        """Return the scores for every pixel."""
        upsampled: Tensor = self.last(self.scores(features))
        return upsampled


class FCNDecoder(Decoder):
    """
    The decoder of Long et al.: scores at strides 32, 16, 8 and 4, upsampled and summed.

    ``skips`` is 0 to 3 (FCN-32s, -16s, -8s, -4s). ``skip_scales`` multiplies the features at
    strides 16 and 8 before they are scored. Score layers start at zero and upsampling layers as
    bilinear interpolation, so a decoder starts with the output of the one with one skip less.
    """

    def __init__(self, channels: Channels, outputs: int, skips: int,
                 skip_scales: tuple[float, float] = (1.0, 1.0)) -> None:
        super().__init__()
        self.skips = skips
        self.scale_pool4, self.scale_pool3 = skip_scales
        self.score_fr = score_layer(channels[3], outputs)
        if skips >= 1:
            self.upscore2 = Upsample(outputs, stride=2)
            self.score_pool4 = score_layer(channels[2], outputs)
        if skips >= 2:
            self.upscore_pool4 = Upsample(outputs, stride=2)
            self.score_pool3 = score_layer(channels[1], outputs)
        if skips == 3:
            self.upscore_pool3 = Upsample(outputs, stride=2)
            self.score_pool2 = score_layer(channels[0], outputs)
        stride = 32 >> skips
        self._last = f'upscore{stride}'
        self.add_module(self._last, Upsample(outputs, stride))

    @property
    def last(self) -> Upsample:
        """Return the last upsampling layer."""
        layer: Upsample = getattr(self, self._last)
        return layer

    def scores(self, features: Features) -> Tensor:
        """Return the scores before the last upsampling, at its stride."""
        pool2, pool3, pool4, top = features
        score: Tensor = self.score_fr(top)
        if self.skips >= 1:
            score = self.upscore2(score) + self.score_pool4(self.scale_pool4 * pool4)
        if self.skips >= 2:
            score = self.upscore_pool4(score) + self.score_pool3(self.scale_pool3 * pool3)
        if self.skips == 3:
            score = self.upscore_pool3(score) + self.score_pool2(pool2)
        return score


# Each takes the encoder's channels, the number of outputs and the keyword ``skip_scales``. Another
# package adds its own by assignment.
DECODERS: dict[str, Callable[..., Decoder]] = {
    'fcn32s': partial(FCNDecoder, skips=0),
    'fcn16s': partial(FCNDecoder, skips=1),
    'fcn8s': partial(FCNDecoder, skips=2),
    'fcn4s': partial(FCNDecoder, skips=3),
}
