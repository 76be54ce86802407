# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Code to compare the segmenter with: the usual tutorial's, and torchvision's FCN."""

from __future__ import annotations

import time
from collections.abc import Mapping

import cv2
import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor
from torchvision.transforms import functional

from fcn_seg_ros.inference.preprocess import network_size
from fcn_seg_ros.models.checkpoint import Checkpoint

TUTORIAL = 'tutorial path'
TORCHVISION = 'torchvision fcn_resnet50'


class TutorialPath:
    """
    A checkpoint run as in tutorials: PIL resize, tensor, eager fp32, argmax, mask scaled back.

    Network and input size are the segmenter's; there is no threshold and no probability.
    """

    def __init__(self, checkpoint: Checkpoint, height: int, device: str) -> None:
        self._info = checkpoint.info
        self._height = height
        self._device = torch.device(device)
        self._network = checkpoint.network.to(self._device)

    @torch.no_grad()
    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return the class ids of an RGB image, uint8 (H, W, 3), as uint8 (H, W)."""
        height, width = image.shape[:2]
        rows, columns = network_size(height, width, self._height)
        small = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR)
        tensor = functional.to_tensor(small)
        if self._info.channel_order == 'bgr':
            tensor = tensor.flip(0)
        tensor = functional.normalize(tensor, list(self._info.mean), list(self._info.std))
        logits: Tensor = self._network(tensor.unsqueeze(0).to(self._device))
        labels = logits.argmax(dim=1)[0].cpu().numpy().astype(np.uint8)
        return cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)


class TorchvisionForward:
    """The forward pass of torchvision's fcn_resnet50 with two classes, eager fp32."""

    def __init__(self, size: tuple[int, int], device: str) -> None:
        network = torchvision.models.segmentation.fcn_resnet50(
            weights=None, weights_backbone=None, num_classes=2)
        self._device = device
        self.network = network.eval().to(device)
        self._input = torch.zeros((1, 3, *size), device=device)

    @torch.no_grad()
    def timed(self) -> Mapping[str, float]:
        """Return how many milliseconds a call takes."""
        start = time.perf_counter()
        self.network(self._input)['out']
        if self._device != 'cpu':
            torch.cuda.synchronize(self._device)
        return {'forward': 1e3 * (time.perf_counter() - start)}
