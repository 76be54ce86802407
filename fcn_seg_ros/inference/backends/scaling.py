# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A whole segmenter call as one module: scale the image, run the network, scale back, threshold."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.inference.preprocess import halvings


class Scale(nn.Module):
    """
    ``resize_image`` in PyTorch: uint8 (N, h, w, C) of one size to uint8 (N, H, W, C) of another.

    Values differ from OpenCV's by at most one, because OpenCV rounds its interpolation weights.
    """

    def __init__(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        super().__init__()
        self.steps = [] if start == end else [*halvings(start, end), end]

    def forward(self, images: Tensor) -> Tensor:
        """Return the images at the new size."""
        if not self.steps:
            return images
        scaled = images.permute(0, 3, 1, 2).float()
        for size in self.steps:
            scaled = F.interpolate(scaled, size=size, mode='bilinear', align_corners=False)
            # Round to 8 bits like OpenCV: halves are rounded up.
            scaled = (scaled + 0.5).floor()
        return scaled.to(torch.uint8).permute(0, 2, 3, 1)


class ScaledGraph(nn.Module):
    """
    Camera images in, masks and probabilities at the camera's size out, all uint8.

    ``shape`` is the (height, width) of the images, ``size`` that of the network's input,
    ``road_ids`` the classes that are road. ``forward`` takes images, uint8 (N, h, w, 3), and
    tables, uint8 (N, 256), and returns uint8 (M, N, h, w), both as in ``ScalingBackend``.
    """

    def __init__(self, graph: InferenceGraph, shape: tuple[int, int], size: tuple[int, int],
                 road_ids: tuple[int, ...]) -> None:
        super().__init__()
        self.shrink = Scale(shape, size)
        self.graph = graph
        self.grow = Scale(size, shape)
        self.road_ids = list(road_ids)

    def forward(self, images: Tensor, tables: Tensor) -> Tensor:
        """Return the planes of every image."""
        levels: Tensor = self.grow(self.graph(self.shrink(images)))
        if levels.shape[3] == 1:
            probability = levels[..., 0]
            return torch.stack([_look_up(tables, probability), probability])
        best, mask = levels.max(dim=3)
        unknown = _look_up(tables, best)
        # 255 (unknown) is larger than any class id.
        mask = torch.maximum(mask.to(torch.uint8), unknown)
        road = levels[..., self.road_ids].sum(dim=3).clamp(max=255).to(torch.uint8)
        return torch.stack([mask, road, torch.where(unknown == 0, best, 0)])


def _look_up(tables: Tensor, levels: Tensor) -> Tensor:
    """Return each image's levels, uint8 (N, h, w), looked up in its table, uint8 (N, 256)."""
    return tables.gather(1, levels.flatten(1).long()).view_as(levels)
