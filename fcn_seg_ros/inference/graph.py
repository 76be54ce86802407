# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph that every backend runs: 8-bit image in, 8-bit probabilities out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fcn_seg_ros.inference.subpixel import arrange, to_subpixels
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo, is_binary
from fcn_seg_ros.models.fcn import FCN


class InferenceGraph(nn.Module):
    """
    Normalisation, network, softmax and rounding in one module, so that backends can fuse them.

    ``forward`` takes RGB images, uint8 (N, H, W, 3), H and W multiples of 32, and returns round(255
    P) as uint8 (N, H, W, K), with P = softmax(logits / temperature). K is the number of classes,
    except for a binary checkpoint (``is_binary``), where K is 1 and P is P(road).
    """

    scale: Tensor
    offset: Tensor

    def __init__(self, network: FCN, info: CheckpointInfo, dtype: torch.dtype = torch.float32
                 ) -> None:
        super().__init__()
        self.network: FCN = network.to(dtype)
        self.dtype = dtype
        self.swap = info.channel_order == 'bgr'
        self.temperature = info.temperature
        # The softmax of two classes is the sigmoid of their difference: one channel to upsample.
        last = self.network.decoder.last
        self.stride = last.stride[0]
        self.difference = (to_subpixels(last, _road_minus_other(info)) if is_binary(info)
                           else None)
        # (x / 255 - mean) / std as a single multiply-add.
        scale = 1 / torch.tensor(info.std, dtype=torch.float64)
        self.register_buffer('scale', (scale / 255).float())
        self.register_buffer('offset', (-scale * torch.tensor(info.mean)).float())

    def forward(self, images: Tensor) -> Tensor:
        """Return the probabilities of every pixel, 0 to 255."""
        if self.swap:
            images = images.flip(3)
        # As rows of 3 W numbers, because a loop over 3 channels is too short for a CPU's vector
        # unit, and channels last, like the image and the convolutions. In OpenVINO this takes half
        # the time of normalising with channels first.
        width = images.shape[2]
        rows = images.flatten(2).float()
        rows = rows * self.scale.repeat(width) + self.offset.repeat(width)
        normalised = rows.unflatten(2, (width, 3)).to(self.dtype).permute(0, 3, 1, 2)
        if self.difference is None:
            logits = self.network(normalised).float() / self.temperature
            return _quantise(logits.softmax(dim=1))
        scores = self.network.decoder.scores(self.network.encoder(normalised))
        # Rearranging 8-bit levels is faster than rearranging floats.
        return arrange(_quantise(self.difference(scores.float()).sigmoid()), self.stride)


def _quantise(probability: Tensor) -> Tensor:
    """Return round(255 P), uint8, channels last, of a probability (N, K, H, W)."""
    levels = (probability * 255).round().clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1)


def _road_minus_other(info: CheckpointInfo) -> Tensor:
    """Return the weights of the two classes in the sigmoid's argument, float (2,)."""
    weights = torch.full((2,), -1.0)
    weights[info.road_ids[0]] = 1.0
    return weights / info.temperature
