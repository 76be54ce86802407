# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Paired augmentation of an image and its labels, with torchvision's v2 transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from fcn_seg_ros.datasets.augmentation import Augmentation
from fcn_seg_ros.datasets.base import IGNORE, Sample
from fcn_seg_ros.datasets.bonnet import Bonnet
from fcn_seg_ros.datasets.photometric import (
    CastShadow,
    MotionBlur,
    SensorNoise,
    ToneCurve,
    uniform,
)
from fcn_seg_ros.datasets.weather import DirtyLens, Fog, Glare, Night, Overexposure, Rain


class TrainingTransform:
    """
    Turn a Sample into (image, labels): uint8 (3, h, w) and int64 (h, w) of the crop's size.

    The labels are the sample's codes if it has any. A teacher's probability, if it has one, follows
    as uint8 (h, w), transformed like the labels. Random numbers come from torch's global generator,
    which the caller seeds.
    """

    def __init__(self, augmentation: Augmentation) -> None:
        self._augmentation = augmentation
        a = augmentation
        # In physical order: scene, camera, lens, sensor, file. Steps with probability 0 are left
        # out so that they draw no random numbers.
        steps: list[tuple[float, Callable[..., Any]]] = [
            (1, v2.RandomHorizontalFlip(a.flip)),
            (1, v2.RandomCrop(a.crop, pad_if_needed=True,
                              fill={tv_tensors.Image: 127, tv_tensors.Mask: IGNORE})),
            (a.bonnet, v2.RandomApply([Bonnet()], a.bonnet)),
            (a.rain, v2.RandomApply([Rain()], a.rain)),
            (a.fog, v2.RandomApply([Fog()], a.fog)),
            (a.shadow, v2.RandomApply([CastShadow(a.shadow_depth)], a.shadow)),
            (1, v2.RandomApply(
                [v2.ColorJitter(a.brightness, a.contrast, a.saturation, a.hue)], 0.8)),
            (a.gamma + a.white_balance, ToneCurve(a.gamma, a.white_balance)),
            (1, v2.RandomGrayscale(a.greyscale)),
            (a.night, v2.RandomApply([Night()], a.night)),
            (a.glare, v2.RandomApply([Glare()], a.glare)),
            (a.overexposure, v2.RandomApply([Overexposure()], a.overexposure)),
            (a.dirt, v2.RandomApply([DirtyLens()], a.dirt)),
            (1, v2.RandomApply([v2.GaussianBlur(5, (0.3, 1.5))], a.blur)),
            (a.motion_blur, v2.RandomApply([MotionBlur(a.motion_length)], a.motion_blur)),
            (a.noise, v2.RandomApply([SensorNoise(a.noise_sigma)], a.noise)),
            (a.jpeg, v2.RandomApply([v2.JPEG(a.jpeg_quality)], a.jpeg)),
        ]
        self._steps = v2.Compose([step for happens, step in steps if happens])

    def __call__(self, sample: Sample) -> tuple[Tensor, ...]:
        """Return one augmented view of the sample."""
        labels = sample.labels if sample.codes is None else sample.codes
        masks = [labels] if sample.taught is None else [labels, sample.taught]
        image, masks = resize_all(sample.image, masks, self._draw_size(*sample.labels.shape))
        if self._augmentation.rotation or self._augmentation.perspective:
            image, masks = warp_all(image, masks, self._draw_homography(*image.shape[:2]))
        view, *cut = self._steps(tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)),
                                 *(tv_tensors.Mask(torch.from_numpy(mask)) for mask in masks))
        labels, *taught = (mask.as_subclass(Tensor) for mask in cut)
        return view.as_subclass(Tensor).contiguous(), labels.long(), *taught

    def _draw_size(self, height: int, width: int) -> tuple[int, int]:
        """Return a random (height, width) to scale an image to."""
        a = self._augmentation
        rows = math.sqrt(a.pixels * height / width) if a.pixels else a.height
        low, high = (math.log(bound) for bound in a.scale)
        rows *= math.exp(uniform(low, high))
        stretch = math.exp(uniform(-a.aspect, a.aspect)) if a.aspect else 1.0
        return max(32, round(rows)), max(32, round(stretch * width * rows / height))

    def _draw_homography(self, height: int, width: int) -> np.ndarray:
        """Return a random 3x3 matrix that rotates the picture and moves its corners a little."""
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        angle = math.radians(uniform(-self._augmentation.rotation, self._augmentation.rotation))
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        centre = np.array([width / 2, height / 2])
        shift = self._augmentation.perspective * (2 * torch.rand(4, 2).numpy() - 1)
        moved = (corners - centre) @ turn.T + centre + shift * (width, height)
        return cv2.getPerspectiveTransform(corners, moved.astype(np.float32))


def resize_all(image: np.ndarray, masks: Sequence[np.ndarray], size: tuple[int, int]
               ) -> tuple[np.ndarray, list[np.ndarray]]:
    """Scale an image and its masks to (height, width) in pixels."""
    place = size[::-1]
    # Bilinear interpolation skips pixels when an image shrinks by more than a factor of two.
    method = cv2.INTER_AREA if 2 * size[0] < image.shape[0] else cv2.INTER_LINEAR
    return (cv2.resize(image, place, interpolation=method),
            [cv2.resize(mask, place, interpolation=cv2.INTER_NEAREST) for mask in masks])


def warp_all(image: np.ndarray, masks: Sequence[np.ndarray], homography: np.ndarray
             ) -> tuple[np.ndarray, list[np.ndarray]]:
    """Warp image and masks by a 3x3 matrix; pixels from outside become grey and unlabelled."""
    size = image.shape[1::-1]
    return (cv2.warpPerspective(image, homography, size, flags=cv2.INTER_LINEAR,
                                borderValue=(127, 127, 127)),
            [cv2.warpPerspective(mask, homography, size, flags=cv2.INTER_NEAREST,
                                 borderValue=IGNORE) for mask in masks])
