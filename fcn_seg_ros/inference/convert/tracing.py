# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the graph is traced: the names of input and output, and the sizes that may vary."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.export import Dim

from fcn_seg_ros.inference.formats import MIN_SIDE
from fcn_seg_ros.models.checkpoint_info import STRIDE

INPUT, OUTPUT = 'image', 'probability'
_MAX_BATCH = 64
_MAX_SIDE = 4096


def example() -> Tensor:
    """Return images to trace a graph with; no dimension is 1, and no two are equal."""
    return torch.zeros((2, MIN_SIDE, MIN_SIDE + STRIDE, 3), dtype=torch.uint8)


def dynamic_shapes() -> tuple[dict[int, Any]]:
    """Return the dynamic dimensions for torch.export: any batch, sides multiples of the stride."""
    sides = [STRIDE * Dim(name, min=MIN_SIDE // STRIDE, max=_MAX_SIDE // STRIDE)
             for name in ('rows', 'columns')]
    return ({0: Dim('batch', min=1, max=_MAX_BATCH), 1: sides[0], 2: sides[1]},)
