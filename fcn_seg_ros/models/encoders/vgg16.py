# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""VGG16 (Simonyan, Zisserman, ICLR 2015), the encoder of the FCN paper."""

from __future__ import annotations

import torchvision
from torch import Tensor, nn

from fcn_seg_ros.models.encoders.base import Encoder
from fcn_seg_ros.models.encoders.weights import load_weights
from fcn_seg_ros.models.layers import convolutionalize, subsample_conv

# Where the blocks begin in torchvision's ``features``, and how many convolutions each has.
_BLOCKS = ((0, 2), (5, 2), (10, 3), (17, 3), (24, 3))


def build(state: dict[str, Tensor] | None, subsample: bool = False) -> Encoder:
    """
    Return VGG16 with fc6 and fc7 as convolutions, as in the FCN paper.

    ``state`` has torchvision's names or the Caffe model's (``conv1_1.weight``).
    """
    network = torchvision.models.vgg16(weights=None)
    if state is not None:
        if 'conv1_1.weight' in state:
            state = _from_caffe_names(state)
        load_weights(network, state, head='classifier.')
    head = convolutionalize(network.classifier[:6], window=7)
    fc6, fc7 = head[0], head[3]
    assert isinstance(fc6, nn.Conv2d) and isinstance(fc7, nn.Conv2d)
    if subsample:
        fc6, fc7 = subsample_conv(fc6, 3, 1, 4), subsample_conv(fc7, 1, 4, 4)
    # 'Same' padding for fc6 keeps the map's size; the paper pads the image by 100 pixels instead.
    fc6.padding = (3, 3)
    head[0], head[3] = fc6, fc7
    top = nn.Sequential(*network.features[24:], *head)
    return Encoder((network.features[:17], network.features[17:24], top),
                   (128, 256, 512, fc7.out_channels), 10)


def build_1024(state: dict[str, Tensor] | None) -> Encoder:
    """Return VGG16 with fc6 and fc7 cut to 1,024 channels, and fc6 to 3x3 (as in DeepLab)."""
    return build(state, subsample=True)


def _from_caffe_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename ``conv3_1.weight`` and so on to torchvision's names; drop weights that VGG16 lacks."""
    renamed = {}
    for block, (start, count) in enumerate(_BLOCKS, start=1):
        for conv in range(count):
            for part in ('weight', 'bias'):
                key = f'conv{block}_{conv + 1}.{part}'
                if key in state:
                    renamed[f'features.{start + 2 * conv}.{part}'] = state[key]
    return renamed
