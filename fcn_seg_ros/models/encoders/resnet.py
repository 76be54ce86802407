# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""ResNet-18 and ResNet-50 (He et al., CVPR 2016)."""

from __future__ import annotations

import torchvision
from torch import Tensor, nn

from fcn_seg_ros.models.encoders.base import Channels, Encoder
from fcn_seg_ros.models.encoders.weights import load_weights


def build_resnet18(state: dict[str, Tensor] | None) -> Encoder:
    """Return ResNet-18, with a classifier's weights if given."""
    return _build('resnet18', (64, 128, 256, 512), state)


def build_resnet50(state: dict[str, Tensor] | None) -> Encoder:
    """Return ResNet-50, with a classifier's weights if given."""
    return _build('resnet50', (256, 512, 1024, 2048), state)


def _build(name: str, channels: Channels, state: dict[str, Tensor] | None) -> Encoder:
    network = torchvision.models.get_model(name, weights=None)
    if state is not None:
        load_weights(network, state, head='fc.')
    bottom = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool,
                           network.layer1, network.layer2)
    return Encoder((bottom, network.layer3, network.layer4), channels, 5)
