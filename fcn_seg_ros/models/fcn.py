# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Fully convolutional networks for semantic segmentation.

Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015;
layer names as in the reference implementation and pytorch-fcn.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.encoders import Encoder, make_encoder
from fcn_seg_ros.models.layers import Upsample, score_layer

STRIDE = 32


class FCN8s(nn.Module):
    """
    FCN-8s: stride-32 scores, upsampled and summed with those of strides 16 and 8.

    ``forward`` takes a normalised image, float of shape (N, 3, H, W), any size from 32x32, and
    returns logits of shape (N, classes, H, W).
    """

    def __init__(self, encoder: Encoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.classes = classes
        pool3, pool4, top = encoder.channels
        self.score_pool3 = score_layer(pool3, classes)
        self.score_pool4 = score_layer(pool4, classes)
        self.score_fr = score_layer(top, classes)
        self.upscore2 = Upsample(classes, stride=2)
        self.upscore_pool4 = Upsample(classes, stride=2)
        self.upscore8 = Upsample(classes, stride=8)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of every pixel."""
        height, width = image.shape[-2:]
        padded = pad_to_stride(image)
        pool3, pool4, top = self.encoder(padded)
        score = self.upscore2(self.score_fr(top)) + self.score_pool4(pool4)
        score = self.upscore_pool4(score) + self.score_pool3(pool3)
        logits: Tensor = self.upscore8(score)
        return logits[..., :height, :width]


def pad_to_stride(image: Tensor) -> Tensor:
    """Repeat the last row and column until height and width are multiples of the stride."""
    height, width = image.shape[-2:]
    below, right = -height % STRIDE, -width % STRIDE
    if below or right:
        image = F.pad(image, (0, right, 0, below), mode='replicate')
    return image


DECODERS = {'fcn8s': FCN8s}


def make_network(encoder: str, decoder: str, classes: int,
                 encoder_state: dict[str, Tensor] | None = None) -> nn.Module:
    """
    Return the network of an encoder and a decoder by name.

    Raises InputError for a name that is not in the tables.
    """
    if decoder not in DECODERS:
        raise InputError(f'decoder: expected one of {", ".join(DECODERS)}, found {decoder!r}')
    return DECODERS[decoder](make_encoder(encoder, encoder_state), classes)
