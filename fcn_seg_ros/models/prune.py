# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Thinner networks: hidden channels of the encoder taken out (structured pruning).

Hidden are channels that no sum of a residual block passes through, so each can go without anything
else changing its shape: those inside of MobileNetV2's and ResNet's blocks, those before the
classifier, and all of VGG's, its skip connections included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torchvision.models.mobilenetv2 import InvertedResidual
from torchvision.models.resnet import BasicBlock, Bottleneck

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.road_adas import RoadAdasEncoder

if TYPE_CHECKING:
    from fcn_seg_ros.models.fcn import FCN


@dataclass
class HiddenChannels:
    """
    Channels that may go: the layers whose outputs they are, and the convolutions that read them.

    ``makers`` are convolutions and batch normalisations in the order in which they compute; after
    the first one, a convolution among them is depthwise. ``feature`` is the number of the encoder's
    feature map that they are, where they are one.
    """

    makers: Sequence[nn.Module]
    readers: list[nn.Conv2d]
    feature: int | None = None

    @property
    def width(self) -> int:
        """Return how many there are."""
        return self.readers[0].in_channels

    def keep(self, index: Tensor) -> None:
        """Keep the channels of these numbers, int64 (n,), in their layers, and no others."""
        for layer in self.makers:
            _keep_outputs(layer, index)
        for reader in self.readers:
            reader.weight = _part(reader.weight, index, dim=1)
            reader.in_channels = len(index)


def hidden_channels(network: FCN) -> list[HiddenChannels]:
    """Return the hidden channels of a network's encoder, from the image on."""
    encoder, decoder = network.encoder, network.decoder
    if isinstance(encoder, RoadAdasEncoder) or decoder.skips == len(encoder.channels) - 1:
        raise InputError('thin: not available for the encoder road_adas and the decoder fcn4s')
    scores = [getattr(decoder, name, None) for name in ('score_pool3', 'score_pool4', 'score_fr')]
    found: list[HiddenChannels] = []
    # What a plain chain of layers has made and nobody has read yet.
    open_end: HiddenChannels | None = None
    # Number 0 is the map at stride 4.
    for number, stage in enumerate((encoder.stride8, encoder.stride16, encoder.stride32), 1):
        for layer in _chain(stage):
            if isinstance(layer, nn.Conv2d):
                if open_end is not None:
                    open_end.readers.append(layer)
                    found.append(open_end)
                open_end = HiddenChannels([layer], [])
            elif isinstance(layer, nn.BatchNorm2d):
                assert open_end is not None
                open_end.makers = [*open_end.makers, layer]
            elif isinstance(layer, InvertedResidual | BasicBlock | Bottleneck):
                found += _inside(layer, open_end)
                open_end = None
        if open_end is not None:
            open_end.feature = number
            if (score := scores[number - 1]) is not None:
                open_end.readers.append(score)
    if open_end is not None:
        found.append(open_end)
    return found


def widths_of(network: FCN) -> tuple[int, ...]:
    """Return how many of each kind of hidden channels a network has."""
    return tuple(group.width for group in hidden_channels(network))


def thin(network: FCN, kept: Sequence[Tensor]) -> None:
    """Keep so many of the hidden channels, int64 numbers of each kind, in place."""
    channels = list(network.encoder.channels)
    for group, index in zip(hidden_channels(network), kept, strict=True):
        group.keep(index)
        if group.feature is not None:
            channels[group.feature] = len(index)
    # What reaches stride 4 comes from the last convolution before it.
    before = network.encoder.stride8[:network.encoder.stride4_layers].modules()
    pool2 = [layer.out_channels for layer in before if isinstance(layer, nn.Conv2d)][-1]
    _, pool3, pool4, top = channels
    network.encoder.channels = (pool2, pool3, pool4, top)


def set_widths(network: FCN, widths: Sequence[int]) -> None:
    """
    Give a network the shape of a thinned one: the first ``widths`` of its hidden channels.

    Raises InputError where there are no such channels.
    """
    own = widths_of(network)
    if len(widths) != len(own) or any(not 0 < w <= o for w, o in zip(widths, own, strict=False)):
        raise InputError(f'widths: expected {len(own)} numbers of channels, each at most that of '
                         f'{" ".join(map(str, own))}, found {" ".join(map(str, widths))}')
    thin(network, [torch.arange(width) for width in widths])


def _chain(stage: nn.Module) -> Iterator[nn.Module]:
    """Give the layers and blocks of nested sequences one after the other."""
    if isinstance(stage, nn.Sequential):
        for layer in stage:
            yield from _chain(layer)
    else:
        yield stage


def _inside(block: nn.Module, before: HiddenChannels | None) -> list[HiddenChannels]:
    """
    Return the hidden channels of a residual block.

    ``before`` are those that a chain of layers has made for it: hidden too where all that the block
    does with them before it reads them is a depthwise convolution.
    """
    if isinstance(block, BasicBlock):
        return [HiddenChannels([block.conv1, block.bn1], [block.conv2])]
    if isinstance(block, Bottleneck):
        return [HiddenChannels([block.conv1, block.bn1], [block.conv2]),
                HiddenChannels([block.conv2, block.bn2], [block.conv3])]
    assert isinstance(block, InvertedResidual)
    *makers, reader, _ = (layer for layer in _chain(block.conv)
                          if isinstance(layer, nn.Conv2d | nn.BatchNorm2d))
    assert isinstance(reader, nn.Conv2d)
    if len(makers) > 2:
        return [HiddenChannels(makers, [reader])]
    # MobileNetV2's first block does not expand.
    return [] if before is None or block.use_res_connect else [
        HiddenChannels([*before.makers, *makers], [reader])]


def _keep_outputs(layer: nn.Module, index: Tensor) -> None:
    for name in ('weight', 'bias', 'running_mean', 'running_var'):
        value = getattr(layer, name, None)
        if value is not None:
            setattr(layer, name, _part(value, index, dim=0))
    if isinstance(layer, nn.BatchNorm2d):
        layer.num_features = len(index)
        return
    assert isinstance(layer, nn.Conv2d)
    layer.out_channels = len(index)
    if layer.groups > 1:  # depthwise
        layer.in_channels = layer.groups = len(index)


def _part(value: Tensor, index: Tensor, dim: int) -> Tensor:
    """Return a part of a parameter as a parameter, of a buffer as a buffer."""
    part = value.detach().index_select(dim, index.to(value.device)).clone()
    return nn.Parameter(part) if isinstance(value, nn.Parameter) else part
