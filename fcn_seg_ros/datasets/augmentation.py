# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The settings of training augmentation, which transforms.py applies."""

from __future__ import annotations

from dataclasses import dataclass, field

from fcn_seg_ros.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """
    How training images vary.

    A sample is scaled to ``height`` rows, or to ``pixels`` pixels where that is not 0, times a
    factor drawn from ``scale`` (log-uniform), stretched by up to exp(``aspect``) and turned by up
    to ``rotation`` degrees; its corners move by up to ``perspective`` of its sides. Then a window
    of ``crop`` (height, width) is cut out, padded with unlabelled pixels where the image is
    smaller.

    Photometric changes follow the order in which a picture forms: scene, camera, lens, sensor,
    file. Raises InputError for numbers out of range.
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
        'help': 'range of the pixels by which the camera moves'})
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
        """Refuse numbers out of range."""
        for name in ('flip', 'greyscale', 'blur', 'motion_blur', 'noise', 'jpeg', 'shadow',
                     'shadow_depth', 'bonnet', 'night', 'overexposure', 'fog', 'glare', 'rain',
                     'dirt', 'aspect'):
            _expect(name, getattr(self, name), 0, 1)
        for name, high in (('brightness', 1), ('contrast', 1), ('saturation', 1), ('hue', 0.5),
                           ('rotation', 45), ('perspective', 0.2), ('gamma', 4),
                           ('white_balance', 1), ('noise_sigma', 255)):
            _expect(name, getattr(self, name), 0, high)
        _expect('height', self.height, 32, 4096)
        if self.pixels:
            _expect('pixels', self.pixels, 1 << 10, 1 << 23)
        for name in ('crop', 'scale', 'motion_length', 'jpeg_quality'):
            if len(getattr(self, name)) != 2:
                raise InputError(f'{name}: expected two numbers, found '
                                 f'{" ".join(map(str, getattr(self, name))) or "none"}')
        for name, low, high in (('scale', 0.01, 100), ('motion_length', 0.5, 100),
                                ('jpeg_quality', 1, 100), ('crop', 1, 1 << 14)):
            for value in getattr(self, name):
                _expect(name, value, low, high)
        for name in ('scale', 'motion_length', 'jpeg_quality'):
            first, last = getattr(self, name)
            if first > last:
                raise InputError(f'{name}: expected the smaller number first, '
                                 f'found {first} {last}')


def _expect(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f'{name}: expected {low:.10g} to {high:.10g}, found {value:.10g}')
