# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph that every backend runs: 8-bit image in, 8-bit probabilities out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fcn_seg_ros.inference.subpixel import to_subpixels
from fcn_seg_ros.models.checkpoint import Checkpoint, CheckpointInfo
from fcn_seg_ros.models.fcn import FCN


def is_binary(info: CheckpointInfo) -> bool:
    """Return whether the classes are road and not road, so that one probability says it all."""
    return len(info.classes) == 2 and len(info.road_ids) == 1


class InferenceGraph(nn.Module):
    """
    Normalisation, network, softmax and rounding in one module, so that a backend can fuse them.

    ``forward`` takes RGB images, uint8 (N, H, W, 3), H and W multiples of 32, and returns
    round(255 P) as uint8 (N, H, W, K), with P = softmax(logits / temperature). K is the number of
    classes, but 1 for a binary checkpoint (``is_binary``), where the one channel is P(road).
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        info = checkpoint.info
        network = checkpoint.network.to(dtype)
        assert isinstance(network, FCN)
        self.network: FCN = network
        self.dtype = dtype
        self.swap = info.channel_order == 'bgr'
        self.temperature = info.temperature
        # The softmax of two is the sigmoid of their difference, which is upsampled as one channel.
        self.difference = (to_subpixels(self.network.decoder.last, _road_minus_other(info))
                           if is_binary(info) else None)
        shape = (1, 3, 1, 1)
        self.register_buffer('mean', 255 * torch.tensor(info.mean).reshape(shape))
        self.register_buffer('scale', 1 / (255 * torch.tensor(info.std).reshape(shape)))

    def forward(self, images: Tensor) -> Tensor:
        """Return the probabilities of every pixel, 0 to 255."""
        channels_first = images.permute(0, 3, 1, 2)
        if self.swap:
            channels_first = channels_first.flip(1)
        normalised = (channels_first.float() - self.mean) * self.scale
        normalised = normalised.to(self.dtype)
        if self.difference is None:
            logits = self.network(normalised).float() / self.temperature
            probability = logits.softmax(dim=1)
        else:
            scores = self.network.decoder.scores(self.network.encoder(normalised))
            probability = self.difference(scores.float()).sigmoid()
        levels = (probability * 255).round().clamp(0, 255).to(torch.uint8)
        return levels.permute(0, 2, 3, 1)


def _road_minus_other(info: CheckpointInfo) -> Tensor:
    """Return the weights of the two classes in the argument of the sigmoid, float (2,)."""
    weights = torch.full((2,), -1.0)
    weights[info.road_ids[0]] = 1.0
    return weights / info.temperature
