# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Paired augmentation of an image and its labels, with torchvision's v2 transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

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
from fcn_seg_ros.errors import InputError

# Changes to an Augmentation that make a network survive other cameras, light and weather. White
# balance takes the place of hue, which costs more than all the others together.
OTHER_CAMERAS: dict[str, Any] = {
    'scale': (0.45, 2.0), 'aspect': 0.2, 'rotation': 3.0, 'perspective': 0.04, 'bonnet': 0.2,
    'hue': 0.0, 'saturation': 0.6, 'gamma': 0.6, 'white_balance': 0.12, 'greyscale': 0.06,
    'night': 0.12, 'overexposure': 0.06, 'fog': 0.08, 'glare': 0.08, 'rain': 0.05, 'dirt': 0.05,
    'shadow': 0.15, 'blur': 0.15, 'motion_blur': 0.1, 'noise': 0.3, 'jpeg': 0.3,
    'jpeg_quality': (8, 80),
}


@dataclass(frozen=True)
class Augmentation:
    """
    How training images vary.

    A sample is scaled to ``height`` rows, or to ``pixels`` pixels where that is not 0, times a
    factor drawn from ``scale`` (log-uniform), stretched by up to exp(``aspect``) and turned by up
    to ``rotation`` degrees; its corners move by up to ``perspective`` of its sides. Then a window
    of ``crop`` (height, width) is cut out, padded with unlabelled pixels where the image is
    smaller.

    Photometric changes come in the order in which a picture comes about. Raises InputError for
    numbers outside of their range.
    """

    height: int = field(default=384, metadata={'help': 'rows of the network\'s input'})
    pixels: int = field(default=0, metadata={
        'help': 'pixels of the network\'s input, in each image\'s aspect ratio; 0: height counts'})
    crop: tuple[int, int] = field(default=(320, 832), metadata={
        'help': 'height and width of the training windows'})
    scale: tuple[float, float] = field(default=(0.6, 1.3), metadata={
        'help': 'range of random scaling, relative to height (log-uniform)'})
    aspect: float = field(default=0.0, metadata={
        'help': 'the aspect ratio varies by a factor of up to exp(aspect)'})
    flip: float = field(default=0.5, metadata={'help': 'probability of a mirror image'})
    rotation: float = field(default=0.0, metadata={
        'help': 'degrees by which views are turned at most'})
    perspective: float = field(default=0.0, metadata={
        'help': 'share of the sides by which the corners move at most'})
    bonnet: float = field(default=0.0, metadata={
        'help': 'probability of a bonnet pasted over the lower edge'})
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
    night: float = field(default=0.0, metadata={'help': 'probability of little light'})
    overexposure: float = field(default=0.0, metadata={'help': 'probability of too much light'})
    fog: float = field(default=0.0, metadata={'help': 'probability of fog'})
    glare: float = field(default=0.0, metadata={'help': 'probability of glare'})
    rain: float = field(default=0.0, metadata={'help': 'probability of rain'})
    dirt: float = field(default=0.0, metadata={'help': 'probability of a dirty lens'})
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
                     'shadow_depth', 'bonnet', 'night', 'overexposure', 'fog', 'glare', 'rain',
                     'dirt', 'aspect'):
            _expect(name, getattr(self, name), 0, 1)
        for name, high in (('brightness', 1), ('contrast', 1), ('saturation', 1), ('hue', 0.5),
                           ('rotation', 45), ('perspective', 0.2), ('gamma', 4),
                           ('white_balance', 1), ('noise_sigma', 255), ('pixels', 1 << 24)):
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

    What a teacher says of it, where it does, follows as uint8 (h, w), moved as the labels are.

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
        masks = [sample.labels] if sample.taught is None else [sample.labels, sample.taught]
        image, masks = resize_all(sample.image, masks, self._draw_size(*sample.labels.shape))
        if self._augmentation.rotation or self._augmentation.perspective:
            image, masks = warp_all(image, masks, self._draw_homography(*image.shape[:2]))
        view, *cut = self._steps(tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1)),
                                 *(tv_tensors.Mask(torch.from_numpy(mask)) for mask in masks))
        labels, *taught = (mask.as_subclass(Tensor) for mask in cut)
        return view.as_subclass(Tensor).contiguous(), labels.long(), *taught

    def _draw_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) to which an image of another size is scaled."""
        a = self._augmentation
        rows = math.sqrt(a.pixels * height / width) if a.pixels else a.height
        low, high = (math.log(bound) for bound in a.scale)
        rows *= math.exp(uniform(low, high))
        stretch = math.exp(uniform(-a.aspect, a.aspect)) if a.aspect else 1.0
        return max(32, round(rows)), max(32, round(stretch * width * rows / height))

    def _draw_homography(self, height: int, width: int) -> np.ndarray:
        """Return a 3x3 matrix that turns the picture and moves its corners a little."""
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
    # Bilinear interpolation skips pixels where an image shrinks by more than two.
    way = cv2.INTER_AREA if 2 * size[0] < image.shape[0] else cv2.INTER_LINEAR
    return (cv2.resize(image, place, interpolation=way),
            [cv2.resize(mask, place, interpolation=cv2.INTER_NEAREST) for mask in masks])


def warp_all(image: np.ndarray, masks: Sequence[np.ndarray], homography: np.ndarray
             ) -> tuple[np.ndarray, list[np.ndarray]]:
    """Move image and masks by a 3x3 matrix; what comes from outside is grey and unlabelled."""
    size = image.shape[1::-1]
    return (cv2.warpPerspective(image, homography, size, flags=cv2.INTER_LINEAR,
                                borderValue=(127, 127, 127)),
            [cv2.warpPerspective(mask, homography, size, flags=cv2.INTER_NEAREST,
                                 borderValue=IGNORE) for mask in masks])


def _expect(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f'{name}: expected {low:g} to {high:g}, found {value:g}')
