# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The encoder of Open Model Zoo's road-segmentation-adas-0001.

That network (Intel, Apache-2.0, 0.18 M parameters) was trained on road scenes from many cameras, so
its features also work for cameras missing from this project's data. The encoder consists of its
layers up to stride 8 and the two pooled levels that give them context. Its decoder is replaced by
an FCN's.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.models.encoders import weights
from fcn_seg_ros.models.encoders.base import Encoder, Features

# Residual blocks at strides 2, 4 and 8 as (hidden channels, output channels, dilation).
_STRIDE2 = ((8, 16, 1), (8, 24, 1), (8, 24, 1), (8, 32, 1), (8, 32, 1))
_STRIDE4 = tuple((16, 48, dilation) for dilation in (1, 1, 1, 2, 3, 1, 2, 3, 1))
_STRIDE8 = (
    *((32, 64, 1),) * 4,
    *((40, 80, dilation) for dilation in (2, 3, 4, 1, 1, 2, 3, 4, 1, 1, 2)),
    (32, 64, 4), (32, 64, 6), (32, 64, 8), (32, 56, 1), (32, 56, 1), (32, 56, 2),
    (24, 48, 4), (24, 48, 6), (24, 48, 8), (24, 48, 1))
# Channels of the two pooled levels.
_POOLED = 16


class DilatedDepthwise(nn.Conv2d):
    """
    A dilated 3x3 depthwise convolution with a fast and correct gradient on a CPU.

    PyTorch's gradient of a dilated depthwise convolution takes ten times as long as that of a dense
    one, and in bf16 it returned infinite values. In training the map is therefore split into
    ``dilation`` x ``dilation`` interleaved maps, which are convolved without dilation.
    """

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__(channels, channels, 3, padding=dilation, dilation=dilation,
                         groups=channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return the convolved features."""
        step = self.dilation[0]
        if step == 1 or not self.training:
            return super().forward(features)
        height, width = features.shape[-2:]
        padded = F.pad(features, (0, -width % step, 0, -height % step))
        count, channels = padded.shape[:2]
        rows, columns = padded.shape[2] // step, padded.shape[3] // step
        # Channels stay last in memory.
        parts = (padded.permute(0, 2, 3, 1).reshape(count, rows, step, columns, step, channels)
                 .permute(0, 2, 4, 1, 3, 5).reshape(-1, rows, columns, channels)
                 .permute(0, 3, 1, 2))
        done = F.conv2d(parts, self.weight, self.bias, padding=1, groups=channels)
        joined = (done.permute(0, 2, 3, 1).reshape(count, step, step, rows, columns, channels)
                  .permute(0, 3, 1, 4, 2, 5).reshape(count, rows * step, columns * step, channels)
                  .permute(0, 3, 1, 2))
        return joined[..., :height, :width]


class Bottleneck(nn.Module):
    """1x1 down, 3x3 depthwise, 1x1 up, added to a shortcut; ``stride`` 2 halves the map."""

    def __init__(self, inputs: int, hidden: int, outputs: int, dilation: int, stride: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(inputs, hidden, stride, stride)
        self.spatial = DilatedDepthwise(hidden, dilation)
        self.expand = nn.Conv2d(hidden, outputs, 1)
        shortcut: list[nn.Module] = [nn.MaxPool2d(2)] if stride == 2 else []
        if inputs != outputs:
            shortcut.append(nn.Conv2d(inputs, outputs, 1))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, features: Tensor) -> Tensor:
        """Return the block's output."""
        hidden = F.relu(self.spatial(F.relu(self.reduce(features))))
        return F.relu(self.expand(hidden) + self.shortcut(features))


class RoadAdasEncoder(Encoder):
    """
    Features at strides 4 and 8 (48 channels each), and pooled features at 16 and 32 (16 each).

    The pooled levels are also added to the features of stride 8, as in the original.
    """

    def __init__(self) -> None:
        blocks: list[nn.Module] = [nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU()]
        inputs = 16
        for number, stage in enumerate((_STRIDE2, _STRIDE4, _STRIDE8)):
            for index, (hidden, outputs, dilation) in enumerate(stage):
                stride = 2 if number and not index else 1
                blocks.append(Bottleneck(inputs, hidden, outputs, dilation, stride))
                inputs = outputs
        super().__init__((nn.Sequential(*blocks), _pool(inputs, 2), _pool(inputs, 4)),
                         (_STRIDE4[-1][1], inputs, _POOLED, _POOLED),
                         2 + len(_STRIDE2) + len(_STRIDE4))
        self.fuse16 = nn.Conv2d(_POOLED, inputs, 1)
        self.fuse32 = nn.Conv2d(_POOLED, inputs, 1)

    def forward(self, image: Tensor) -> Features:
        """Return the features at strides 4, 8, 16 and 32."""
        pool2, pool3 = self.fine_features(image)
        pool4 = self.stride16(pool3)
        pool3 = pool3 + F.relu(self.fuse16(_enlarge(pool4, 2)))
        top = self.stride32(pool3)
        return pool2, pool3 + F.relu(self.fuse32(_enlarge(top, 4))), pool4, top


def build(state: dict[str, Tensor] | None) -> Encoder:
    """Return the encoder, with the original's weights if given."""
    encoder = RoadAdasEncoder()
    if state is not None:
        weights.load_weights(encoder, state, head='')
    return encoder


def read_weights(path: str) -> dict[str, Tensor]:
    """Read the original's OpenVINO IR (``.xml``) or a state dict (``.pth``)."""
    return read_ir(path) if path.endswith('.xml') else weights.read_weights(path)


def _pool(channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(channels, _POOLED, 1), nn.ReLU())


def _enlarge(features: Tensor, factor: int) -> Tensor:
    return F.interpolate(features, scale_factor=float(factor), mode='bilinear',
                         align_corners=True)


def read_ir(path: str | Path) -> dict[str, Tensor]:
    """
    Read the encoder's state dict from the original's OpenVINO IR (``.xml`` with its ``.bin``).

    Raises InputError for a file that cannot be read or that holds another network.
    """
    try:
        parameters = _parameters(Path(path))
    except (OSError, ElementTree.ParseError, ValueError, KeyError, TypeError,
            AttributeError) as error:
        raise InputError(f'{path}: not an OpenVINO model that can be read '
                         f'({one_line(error)})') from None
    encoder = RoadAdasEncoder()
    state = encoder.state_dict()
    layers = [name for name, layer in encoder.named_modules() if isinstance(layer, nn.Conv2d)]
    if len(parameters) < len(layers):
        raise InputError(f'{path}: not road-segmentation-adas-0001: it has only {len(parameters)} '
                         f'of at least {len(layers)} convolutions')
    for name, number in zip(_in_order(layers), sorted(parameters), strict=False):
        for part, values in zip(('weight', 'bias'), parameters[number], strict=True):
            shape = state[f'{name}.{part}'].shape
            if values.size != shape.numel():
                raise InputError(f'{path}: not road-segmentation-adas-0001: its convolution '
                                 f'{number} has the shape {values.shape}, not {tuple(shape)}')
            state[f'{name}.{part}'] = torch.from_numpy(values).reshape(shape)
    return state


def _parameters(path: Path) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return every convolution's kernel and bias, float32, by the number in its name."""
    network = ElementTree.parse(path).getroot()
    content = path.with_suffix('.bin').read_bytes()
    layers = {layer.get('id'): layer for layer in network.iter('layer')}
    inputs = {(edge.get('to-layer'), edge.get('to-port')): edge.get('from-layer')
              for edge in network.iter('edge')}

    def constant(layer: Element) -> np.ndarray:
        source = layers[inputs[layer.get('id'), '1']]
        while source.get('type') == 'Convert':
            source = layers[inputs[source.get('id'), '0']]
        data = source.find('data').attrib  # type: ignore[union-attr]
        start, size = int(data['offset']), int(data['size'])
        kind = {'f16': np.float16, 'f32': np.float32}[data['element_type']]
        return np.frombuffer(content[start:start + size], kind).astype(np.float32)
    kernels: dict[int, np.ndarray] = {}
    biases: dict[int, np.ndarray] = {}
    for layer in layers.values():
        found = re.match(r'L(\d{4})_Conv2d', layer.get('name', ''))
        if found and layer.get('type') in ('Convolution', 'GroupConvolution', 'Add'):
            place = biases if layer.get('type') == 'Add' else kernels
            place[int(found[1])] = constant(layer)
    return {number: (kernels[number], biases[number]) for number in kernels}


def _in_order(layers: list[str]) -> list[str]:
    """Return the names of the encoder's convolutions in the order of the original's layers."""
    pooled = ['stride16.1', 'fuse16', 'stride32.1', 'fuse32']
    return [name for name in layers if name not in pooled] + pooled
