# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Give a network the layer sizes of a pruned one, known from the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn


def shrink_layers(network: nn.Module, shapes: Mapping[str, Sequence[int]]) -> bool:
    """
    Cut a network's layers to ``shapes`` in place; return whether any was larger.

    Only channels are cut, that is a tensor's first two axes. Tensors that differ in other ways, or
    are missing from ``shapes``, keep their shape.
    """
    shrunk = False
    for name, layer in network.named_modules():
        tensors = [*layer.named_parameters(name, recurse=False),
                   *layer.named_buffers(name, recurse=False)]
        for path, value in tensors:
            shape = tuple(shapes.get(path, value.shape))
            if shape == value.shape or not _is_part(shape, value.shape):
                continue
            part = value.detach()[tuple(map(slice, shape))].clone()
            setattr(layer, path.rpartition('.')[2],
                    nn.Parameter(part) if isinstance(value, nn.Parameter) else part)
            shrunk = True
        _update_sizes(layer)
    return shrunk


def _is_part(shape: Sequence[int], whole: Sequence[int]) -> bool:
    return (len(shape) == len(whole) and tuple(shape[2:]) == tuple(whole[2:])
            and all(0 < size <= most for size, most in zip(shape, whole, strict=True)))


def _update_sizes(layer: nn.Module) -> None:
    """Set the sizes that a layer stores in addition to its tensors."""
    weight = getattr(layer, 'weight', None)
    if weight is None:
        return
    if isinstance(layer, nn.Conv2d):
        if layer.groups == layer.in_channels > 1:  # depthwise
            layer.groups = len(weight) * layer.groups // layer.out_channels
        layer.out_channels, layer.in_channels = len(weight), weight.shape[1] * layer.groups
    elif isinstance(layer, nn.Linear):
        layer.out_features, layer.in_features = weight.shape
    elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
        layer.num_features = len(weight)
    elif isinstance(layer, nn.LayerNorm):
        layer.normalized_shape = tuple(weight.shape)
    elif isinstance(layer, nn.GroupNorm):
        layer.num_channels = len(weight)
    elif isinstance(layer, nn.PReLU):
        layer.num_parameters = len(weight)
