# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every network that takes part in a training gets to see."""

from __future__ import annotations

import torch
from torch import Tensor


def normalise(images: Tensor, mean: Tensor, std: Tensor, swap: bool) -> Tensor:
    """
    Return a network's input, float (N, 3, H, W) with the channels last, of uint8 RGB images.

    ``mean`` and ``std``, float (1, 3, 1, 1) in units of pixel values, are in the network's order of
    channels; ``swap``: that is BGR.
    """
    if swap:
        images = images.flip(1)
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)
