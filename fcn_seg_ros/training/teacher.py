# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A trained network whose probabilities another one learns beside the labels (distillation)."""

from __future__ import annotations

import torch
from torch import Tensor

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.training.config import CLASSES
from fcn_seg_ros.training.normalise import normalise


class Teacher:
    """
    A checkpoint that answers with probabilities; not a module, so it is in nobody's weights.

    Raises InputError for a file that is no checkpoint, or one with other classes.
    """

    def __init__(self, path: str) -> None:
        checkpoint = load_checkpoint(path)
        info = checkpoint.info
        if info.classes != CLASSES:
            raise InputError(f'teacher: expected the classes {", ".join(CLASSES)}, found '
                             f'{", ".join(info.classes)}')
        self._network = checkpoint.network.requires_grad_(False).to(
            memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._swap = info.channel_order == 'bgr'
        self._mean = 255 * torch.tensor(info.mean).reshape(1, 3, 1, 1)
        self._std = 255 * torch.tensor(info.std).reshape(1, 3, 1, 1)
        self._temperature = info.temperature

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Return the calibrated probabilities, float (N, classes, H, W), of uint8 RGB images."""
        device = images.device
        self._network.to(device)
        logits = self._network(normalise(images, self._mean.to(device), self._std.to(device),
                                         self._swap))
        return (logits.float() / self._temperature).softmax(dim=1)
