# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph that every backend runs: 8-bit image in, 8-bit road probability out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fcn_seg_ros.models.checkpoint import Checkpoint


class InferenceGraph(nn.Module):
    """
    Normalisation, network, softmax and rounding in one module, so that a backend can fuse them.

    ``forward`` takes RGB images, uint8 (N, H, W, 3), H and W multiples of 32, and returns
    round(255 P(road)) as uint8 (N, H, W), with P(road) the sum over the road classes of
    softmax(logits / temperature).
    """

    mean: Tensor
    scale: Tensor
    road: Tensor

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        info = checkpoint.info
        self.network = checkpoint.network.to(dtype)
        self.dtype = dtype
        self.swap = info.channel_order == 'bgr'
        self.temperature = info.temperature
        shape = (1, 3, 1, 1)
        self.register_buffer('mean', 255 * torch.tensor(info.mean).reshape(shape))
        self.register_buffer('scale', 1 / (255 * torch.tensor(info.std).reshape(shape)))
        road = torch.zeros(len(info.classes))
        road[list(info.road_ids)] = 1.0
        self.register_buffer('road', road.reshape(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the road probability of every pixel, 0 to 255."""
        channels_first = images.permute(0, 3, 1, 2)
        if self.swap:
            channels_first = channels_first.flip(1)
        normalised = (channels_first.float() - self.mean) * self.scale
        logits = self.network(normalised.to(self.dtype)).float() / self.temperature
        probability = (logits.softmax(dim=1) * self.road).sum(dim=1)
        return (probability * 255).round().clamp(0, 255).to(torch.uint8)
