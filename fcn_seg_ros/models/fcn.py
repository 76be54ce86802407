# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Fully convolutional networks for semantic segmentation.

Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015;
layer names as in the reference implementation and pytorch-fcn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint_info import STRIDE
from fcn_seg_ros.models.encoder import Channels, Encoder, Features
from fcn_seg_ros.models.encoders import make_encoder
from fcn_seg_ros.models.layers import Upsample, score_layer
from fcn_seg_ros.models.prune import set_widths

# How many skip connections each decoder has: FCN-32s none, FCN-16s from stride 16, FCN-8s also
# from stride 8, FCN-4s also from stride 4.
DECODERS = {'fcn32s': 0, 'fcn16s': 1, 'fcn8s': 2, 'fcn4s': 3}
# "At once" training scales what VGG's pool4 and pool3 give, which is far larger than fc7's.
AT_ONCE_SCALES = (1e-2, 1e-4)


class FCNDecoder(nn.Module):
    """
    One head: scores at strides 32, 16, 8 and 4, upsampled and summed.

    ``skips`` is 0 to 3 (FCN-32s, -16s, -8s, -4s). ``skip_scales`` multiplies the features of
    strides 16 and 8 before they are scored. ``forward`` takes the encoder's four feature maps and
    returns (N, outputs, H, W) at the encoder's input size. Every score layer starts at zero and
    every upsampling as bilinear interpolation, so a decoder with one more skip starts as the one
    without.
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
        last = f'upscore{32 >> skips}'
        self.add_module(last, Upsample(outputs, stride=int(last.removeprefix('upscore'))))
        self._last = last

    def forward(self, features: Features) -> Tensor:
        """Return the scores of every pixel."""
        upsampled: Tensor = self.last(self.scores(features))
        return upsampled

    @property
    def last(self) -> Upsample:
        """Return the last upsampling, to the size of the encoder's input."""
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


class FCN(nn.Module):
    """
    An encoder and one decoder.

    ``forward`` takes a normalised image, float of shape (N, 3, H, W), any size from 32x32, and
    returns logits of shape (N, classes, H, W).
    """

    def __init__(self, encoder: Encoder, decoder: FCNDecoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of every pixel."""
        height, width = image.shape[-2:]
        logits: Tensor = self.decoder(self.encoder(pad_to_stride(image)))
        return logits[..., :height, :width]


class MultiTaskFCN(nn.Module):
    """
    Several heads (road, lanes, depth, ...) on the features of one encoder.

    ``forward`` returns a dictionary with the output of each, (N, outputs of that head, H, W).
    """

    def __init__(self, encoder: Encoder, decoders: Mapping[str, FCNDecoder]) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoders = nn.ModuleDict(decoders)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the output of every head; the encoder runs once."""
        height, width = image.shape[-2:]
        features = self.encoder(pad_to_stride(image))
        return {name: decoder(features)[..., :height, :width]
                for name, decoder in self.decoders.items()}


def pad_to_stride(image: Tensor) -> Tensor:
    """Repeat the last row and column until height and width are multiples of the stride."""
    height, width = image.shape[-2:]
    below, right = -height % STRIDE, -width % STRIDE
    if below or right:
        image = F.pad(image, (0, right, 0, below), mode='replicate')
    return image


def make_network(encoder: str, decoder: str, classes: int,
                 encoder_state: dict[str, Tensor] | None = None,
                 skip_scales: tuple[float, float] = (1.0, 1.0), widths: Sequence[int] = ()
                 ) -> FCN:
    """
    Return the network of an encoder and a decoder by name.

    ``widths`` are those of the encoder's hidden channels where it is thinner than its name says.
    Raises InputError for a name that is not in the tables, and widths that do not fit it.
    """
    if decoder not in DECODERS:
        raise InputError(f'decoder: expected one of {", ".join(DECODERS)}, found {decoder!r}')
    features = make_encoder(encoder, encoder_state)
    network = FCN(features, FCNDecoder(features.channels, classes, DECODERS[decoder], skip_scales))
    if widths:
        set_widths(network, widths)
    return network


def start_from(network: nn.Module, other: Mapping[str, Tensor]) -> list[str]:
    """
    Copy every weight that another network of the family has under the same name and shape.

    This is the staged training of the paper: FCN-32s starts FCN-16s, which starts FCN-8s. Returns
    the names that were not copied and keep their own start. Raises InputError where nothing fits.
    """
    own = network.state_dict()
    fitting = {name: value for name, value in other.items()
               if name in own and own[name].shape == value.shape}
    if not any(name.startswith('encoder.') for name in fitting):
        raise InputError('init_from: expected the checkpoint of a network with the same encoder, '
                         'found none of its weights')
    network.load_state_dict(fitting, strict=False)
    return [name for name in own if name not in fitting]
