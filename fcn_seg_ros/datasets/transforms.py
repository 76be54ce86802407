# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Paired augmentation of an image and its labels, with torchvision's v2 transforms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from fcn_seg_ros.datasets.base import IGNORE, Sample
from fcn_seg_ros.datasets.photometric import (
    CastShadow,
    MotionBlur,
    SensorNoise,
    ToneCurve,
    uniform,
)
from fcn_seg_ros.errors import InputError

# Changes to an Augmentation that make a network survive other cameras and other light. White
# balance takes the place of hue, which costs more than all the others together.
OTHER_CAMERAS: dict[str, Any] = {
    'hue': 0.0, 'gamma': 0.4, 'white_balance': 0.12, 'greyscale': 0.1, 'blur': 0.15,
    'motion_blur': 0.1, 'noise': 0.3, 'jpeg': 0.3, 'shadow': 0.3, 'rotation': 2.0,
    'perspective': 0.03,
}


@dataclass(frozen=True)
class Augmentation:
    """
    How training images vary.

    A sample is scaled so that its height is ``height`` times a factor drawn from ``scale``
    (log-uniform), turned by up to ``rotation`` degrees, its corners moved by up to
    ``perspective`` of its sides, and a window of ``crop`` (height, width) is cut from it, padded
    with unlabelled pixels where the image is smaller.

    Photometric changes come in the order in which a picture comes about. Raises InputError for
    numbers outside of their range.
    """

    height: int = field(default=384, metadata={'help': 'rows of the network\'s input'})
    crop: tuple[int, int] = field(default=(320, 832), metadata={
        'help': 'height and width of the training windows'})
    scale: tuple[float, float] = field(default=(0.6, 1.3), metadata={
        'help': 'range of random scaling, relative to height (log-uniform)'})
    flip: float = field(default=0.5, metadata={'help': 'probability of a mirror image'})
    rotation: float = field(default=0.0, metadata={
        'help': 'degrees by which views are turned at most'})
    perspective: float = field(default=0.0, metadata={
        'help': 'share of the sides by which the corners move at most'})
    brightness: float = field(default=0.4, metadata={'help': 'as in ColorJitter'})
    contrast: float = field(default=0.4, metadata={'help': 'as in ColorJitter'})
    saturation: float = field(default=0.4, metadata={'help': 'as in ColorJitter'})
    hue: float = field(default=0.05, metadata={
        'help': 'as in ColorJitter; slow, white_balance does much the same'})
    gamma: float = field(default=0.0, metadata={
        'help': 'exponents of the tone curve reach to 1 + gamma and 1 / (1 + gamma)'})
    white_balance: float = field(default=0.0, metadata={
        'help': 'the channels\' gains differ by up to exp(2 white_balance)'})
    greyscale: float = field(default=0.05, metadata={
        'help': 'probability of a picture without colour'})
    blur: float = field(default=0.1, metadata={'help': 'probability of a blurred picture'})
    motion_blur: float = field(default=0.0, metadata={
        'help': 'probability of the blur of a moving camera'})
    motion_length: tuple[float, float] = field(default=(2.0, 8.0), metadata={
        'help': 'pixels by which it moves'})
    noise: float = field(default=0.0, metadata={'help': 'probability of sensor noise'})
    noise_sigma: float = field(default=12.0, metadata={
        'help': 'largest standard deviation of the noise, of 255'})
    jpeg: float = field(default=0.0, metadata={'help': 'probability of JPEG artefacts'})
    jpeg_quality: tuple[int, int] = field(default=(25, 90), metadata={
        'help': 'range of libjpeg\'s quality'})
    shadow: float = field(default=0.0, metadata={'help': 'probability of cast shadows'})
    shadow_depth: float = field(default=0.65, metadata={
        'help': 'share of the light that a shadow takes at most'})

    def __post_init__(self) -> None:
        """Refuse numbers outside of their range."""
        for name in ('flip', 'greyscale', 'blur', 'motion_blur', 'noise', 'jpeg', 'shadow',
                     'shadow_depth'):
            _expect(name, getattr(self, name), 0, 1)
        for name, high in (('brightness', 1), ('contrast', 1), ('saturation', 1), ('hue', 0.5),
                           ('rotation', 45), ('perspective', 0.2), ('gamma', 4),
                           ('white_balance', 1), ('noise_sigma', 255)):
            _expect(name, getattr(self, name), 0, high)
        for name, low, high in (('scale', 0.01, 100), ('motion_length', 0.5, 100),
                                ('jpeg_quality', 1, 100), ('crop', 1, 1 << 14)):
            for value in getattr(self, name):
                _expect(name, value, low, high)
        for name in ('scale', 'motion_length', 'jpeg_quality'):
            first, last = getattr(self, name)
            if first > last:
                raise InputError(f'{name}: expected the smaller number first, '
                                 f'found {first} {last}')


class TrainingTransform:
    """
    Turn a Sample into (image, labels): uint8 (3, h, w) and int64 (h, w) of the crop's size.

    It draws from torch's global generator, which the caller seeds.
    """

    def __init__(self, augmentation: Augmentation) -> None:
        self._augmentation = augmentation
        a = augmentation
        # In the order in which a picture comes about: scene, camera, lens, sensor, file. A step
        # that never happens is left out, so that it draws no numbers.
        steps: list[tuple[float, Callable[..., Any]]] = [
            (1, v2.RandomHorizontalFlip(a.flip)),
            (1, v2.RandomCrop(a.crop, pad_if_needed=True,
                              fill={tv_tensors.Image: 127, tv_tensors.Mask: IGNORE})),
            (a.shadow, v2.RandomApply([CastShadow(a.shadow_depth)], a.shadow)),
            (1, v2.RandomApply(
                [v2.ColorJitter(a.brightness, a.contrast, a.saturation, a.hue)], 0.8)),
            (a.gamma + a.white_balance, ToneCurve(a.gamma, a.white_balance)),
            (1, v2.RandomGrayscale(a.greyscale)),
            (1, v2.RandomApply([v2.GaussianBlur(5, (0.3, 1.5))], a.blur)),
            (a.motion_blur, v2.RandomApply([MotionBlur(a.motion_length)], a.motion_blur)),
            (a.noise, v2.RandomApply([SensorNoise(a.noise_sigma)], a.noise)),
            (a.jpeg, v2.RandomApply([v2.JPEG(a.jpeg_quality)], a.jpeg)),
        ]
        self._steps = v2.Compose([step for happens, step in steps if happens])

    def __call__(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """Return one augmented view of the sample."""
        image, labels = resize_pair(sample, self._draw_height())
        if self._augmentation.rotation or self._augmentation.perspective:
            image, labels = warp_pair(image, labels, self._draw_homography(*labels.shape))
        pair = (tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)),
                tv_tensors.Mask(torch.from_numpy(labels)))
        view, mask = self._steps(pair)
        return view.as_subclass(Tensor).contiguous(), mask.as_subclass(Tensor).long()

    def _draw_height(self) -> int:
        low, high = (math.log(bound) for bound in self._augmentation.scale)
        return max(32, round(self._augmentation.height * math.exp(uniform(low, high))))

    def _draw_homography(self, height: int, width: int) -> np.ndarray:
        """Return a 3x3 matrix that turns the picture and moves its corners a little."""
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        angle = math.radians(uniform(-self._augmentation.rotation, self._augmentation.rotation))
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        centre = np.array([width / 2, height / 2])
        shift = self._augmentation.perspective * (2 * torch.rand(4, 2).numpy() - 1)
        moved = (corners - centre) @ turn.T + centre + shift * (width, height)
        return cv2.getPerspectiveTransform(corners, moved.astype(np.float32))


def resize_pair(sample: Sample, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale image and labels to a height in pixels, keeping the aspect ratio."""
    width = max(32, round(sample.image.shape[1] * height / sample.image.shape[0]))
    image = cv2.resize(sample.image, (width, height), interpolation=cv2.INTER_LINEAR)
    labels = cv2.resize(sample.labels, (width, height), interpolation=cv2.INTER_NEAREST)
    return image, labels


def warp_pair(image: np.ndarray, labels: np.ndarray, homography: np.ndarray
              ) -> tuple[np.ndarray, np.ndarray]:
    """Move image and labels by a 3x3 matrix; what comes from outside is grey and unlabelled."""
    size = labels.shape[::-1]
    return (cv2.warpPerspective(image, homography, size, flags=cv2.INTER_LINEAR,
                                borderValue=(127, 127, 127)),
            cv2.warpPerspective(labels, homography, size, flags=cv2.INTER_NEAREST,
                                borderValue=IGNORE))


def _expect(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f'{name}: expected {low:g} to {high:g}, found {value:g}')
