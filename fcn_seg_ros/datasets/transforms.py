# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Paired augmentation of an image and its labels, with torchvision's v2 transforms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from fcn_seg_ros.datasets.base import IGNORE, Sample


@dataclass(frozen=True)
class Augmentation:
    """
    How training images vary.

    A sample is scaled so that its height is ``height`` times a factor drawn from ``scale``
    (log-uniform), and a window of ``crop`` (height, width) is cut from it, padded with unlabelled
    pixels where the image is smaller.
    """

    height: int = 384
    crop: tuple[int, int] = (320, 832)
    scale: tuple[float, float] = (0.6, 1.3)
    flip: float = 0.5
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.05
    blur: float = 0.1


class TrainingTransform:
    """
    Turn a Sample into (image, labels): uint8 (3, h, w) and int64 (h, w) of the crop's size.

    It draws from torch's global generator, which the caller seeds.
    """

    def __init__(self, augmentation: Augmentation) -> None:
        self._augmentation = augmentation
        a = augmentation
        steps: list[Callable[..., Any]] = [
            v2.RandomHorizontalFlip(a.flip),
            v2.RandomCrop(a.crop, pad_if_needed=True,
                          fill={tv_tensors.Image: 127, tv_tensors.Mask: IGNORE}),
            v2.RandomApply([v2.ColorJitter(a.brightness, a.contrast, a.saturation, a.hue)], 0.8),
            v2.RandomGrayscale(0.05),
            v2.RandomApply([v2.GaussianBlur(5, (0.3, 1.5))], a.blur),
        ]
        self._steps = v2.Compose(steps)

    def __call__(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """Return one augmented view of the sample."""
        image, labels = resize_pair(sample, self._draw_height())
        pair = (tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)),
                tv_tensors.Mask(torch.from_numpy(labels)))
        view, mask = self._steps(pair)
        return view.as_subclass(Tensor).contiguous(), mask.as_subclass(Tensor).long()

    def _draw_height(self) -> int:
        low, high = (math.log(bound) for bound in self._augmentation.scale)
        factor = math.exp(low + (high - low) * torch.rand(()).item())
        return max(32, round(self._augmentation.height * factor))


def resize_pair(sample: Sample, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale image and labels to a height in pixels, keeping the aspect ratio."""
    width = max(32, round(sample.image.shape[1] * height / sample.image.shape[0]))
    image = cv2.resize(sample.image, (width, height), interpolation=cv2.INTER_LINEAR)
    labels = cv2.resize(sample.labels, (width, height), interpolation=cv2.INTER_NEAREST)
    return image, labels
