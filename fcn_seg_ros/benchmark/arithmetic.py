# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Count a network's parameters and multiply-adds."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights, biases included."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_gmac(network: nn.Module, size: tuple[int, int]) -> float:
    """
    Return the multiply-adds of one image of (height, width) pixels, in 10^9.

    Only convolutions and matrix products are counted, as PyTorch runs them.
    """
    # On the meta device nothing is computed.
    shapes = {name: value.to('meta') for name, value in network.state_dict().items()}
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        torch.func.functional_call(network, shapes,
                                   (torch.empty(1, 3, *size, device='meta'),))
    return counter.get_total_flops() / 2e9
