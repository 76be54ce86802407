# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""MobileNetV2 (Sandler et al., CVPR 2018)."""

from __future__ import annotations

import torchvision
from torch import Tensor

from fcn_seg_ros.models.encoders.base import Encoder
from fcn_seg_ros.models.encoders.weights import load_weights


def build(state: dict[str, Tensor] | None) -> Encoder:
    """Return the encoder, with a classifier's weights if given."""
    network = torchvision.models.mobilenet_v2(weights=None)
    if state is not None:
        load_weights(network, state, head='classifier.1.')
    features = network.features
    return Encoder((features[:7], features[7:14], features[14:]), (24, 32, 96, 1280), 4)
