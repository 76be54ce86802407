# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The InferenceGraph of a checkpoint, copied and converted for a backend."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.models.checkpoint_file import NetworkSource

# What lost devices hold: ending it raises errors from C++ destructors, which may end the process.
_abandoned: list[object] = []
DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


def make_graph(checkpoint: NetworkSource, precision: str = 'fp32', device: str = 'cpu',
               folded: bool = False) -> InferenceGraph:
    """
    Return a checkpoint's graph on a device, channels last; the checkpoint stays unchanged.

    With ``folded``, batch normalisation is folded into the convolutions before the weights are
    rounded to ``precision``.
    """
    network = copy.deepcopy(checkpoint.network)
    if folded:
        fold_batch_norm(network)
    graph = InferenceGraph(network, checkpoint.info, DTYPES[precision]).to(device).eval()
    channels_last: InferenceGraph = graph.to(  # type: ignore[call-overload]
        memory_format=torch.channels_last)
    return channels_last


def fold_batch_norm(network: nn.Module) -> None:
    """
    Fold each batch normalisation into the convolution registered right before it, in place.

    For a network in eval mode whose layers are registered in the order of computation, as
    torchvision's are.
    """
    for parent in list(network.modules()):
        for (name, first), (next_name, second) in pairwise(list(parent.named_children())):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(first, second))
                setattr(parent, next_name, nn.Identity())


def free_memory(device: str, owner: object, drop: Callable[[], None]) -> None:
    """
    Free a backend's memory: call ``drop``, which deletes its references, and empty the cache.

    What ``owner`` holds on a GPU that is lost (see BackendError) is left alone instead.
    """
    if device == 'cpu':
        drop()
        return
    try:
        torch.cuda.synchronize(device)
        drop()
        torch.cuda.empty_cache()
    except RuntimeError:
        _abandoned.append(owner)
