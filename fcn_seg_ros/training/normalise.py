# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Normalisation of image batches."""

from __future__ import annotations

import torch
from torch import Tensor


def normalise(images: Tensor, mean: Tensor, std: Tensor, swap: bool) -> Tensor:
    """
    Return the network's input, float (N, 3, H, W), channels last, for uint8 RGB images.

    ``mean`` and ``std``, float (1, 3, 1, 1) in pixel values, are in the network's channel order,
    which is BGR with ``swap``.
    """
    if swap:
        images = images.flip(1)
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)
