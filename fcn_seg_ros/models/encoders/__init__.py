# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The table of encoders: a row here, and a file in this folder that builds the encoder.

Another package adds its own with ``register_encoder``. For the executables to know it too, the
package declares an entry point in the group ``fcn_seg_ros.encoders`` that has the encoder's name
and refers to its row. Nothing here imports PyTorch before an encoder is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fcn_seg_ros.errors import InputError, one_line, quote
from fcn_seg_ros.plugins import register_installed, resolve, with_installed

if TYPE_CHECKING:
    from torch import Tensor

    from fcn_seg_ros.models.encoders.base import Encoder

ENTRY_POINTS = 'fcn_seg_ros.encoders'

# The inputs that pretrained weights expect: (mean, std, channel order) in units of pixel value /
# 255, by names as in Keras' preprocess_input.
INPUT_CONVENTIONS = {
    'torch': ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 'rgb'),
    'tf': ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 'rgb'),
    'lite': ((127 / 255,) * 3, (128 / 255,) * 3, 'rgb'),
    'bgr255': ((0.0, 0.0, 0.0), (1 / 255,) * 3, 'bgr'),
    'caffe': ((103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,) * 3, 'bgr'),
}


@dataclass(frozen=True)
class EncoderRow:
    """
    One encoder.

    ``build`` takes the state dict of pretrained weights, or None, and returns an ``Encoder`` (see
    ``base.py``). It may be called on PyTorch's meta device. ``weights`` says what
    ``encoder_weights: imagenet`` loads: the name of a torchvision model, whose weights are
    downloaded, a function that returns a state dict, or '' for nothing. ``read_weights`` returns
    the state dict in a file. All functions may be given as 'module:function' and are then imported
    on first use. ``licence`` is that of the usual pretrained weights, ``input_convention`` names
    the input they expect. ``parameters`` (10^6) and ``gmac`` (10^9 multiply-adds for an image of
    384 x 1248) are the encoder's alone.
    """

    name: str
    build: str | Callable[[dict[str, Tensor] | None], Encoder]
    weights: str | Callable[[], dict[str, Tensor]]
    licence: str
    input_convention: str
    parameters: float
    gmac: float
    read_weights: str | Callable[[str], dict[str, Tensor]] = f'{__name__}.weights:read_weights'


_TORCHVISION = 'BSD-3-Clause (torchvision), trained on ImageNet'
_LITE = f'{__name__}.efficientnet_lite'
ENCODERS = {row.name: row for row in (
    EncoderRow('mobilenet_v2', f'{__name__}.mobilenet_v2:build', 'mobilenet_v2', _TORCHVISION,
               'torch', 2.22, 2.86),
    EncoderRow('resnet18', f'{__name__}.resnet:build_resnet18', 'resnet18', _TORCHVISION,
               'torch', 11.18, 17.32),
    EncoderRow('resnet50', f'{__name__}.resnet:build_resnet50', 'resnet50', _TORCHVISION,
               'torch', 23.51, 39.04),
    EncoderRow('vgg16', f'{__name__}.vgg16:build', 'vgg16', _TORCHVISION, 'torch', 134.26, 202.52),
    EncoderRow('vgg16_1024', f'{__name__}.vgg16:build_1024', 'vgg16', _TORCHVISION, 'torch', 20.48,
               149.28),
    *(EncoderRow(f'efficientnet_lite{number}', f'{_LITE}:build{number}',
                 f'{_LITE}:imagenet{number}', 'Apache-2.0 (EfficientNet-Lite), trained on ImageNet',
                 'lite', parameters, gmac)
      for number, parameters, gmac in ((0, 3.37, 3.67), (1, 4.14, 4.79), (2, 4.81, 5.49))),
    EncoderRow('road_adas', f'{__name__}.road_adas:build', '',
               'Apache-2.0 (Open Model Zoo, road-segmentation-adas-0001)', 'bgr255', 0.18, 2.14,
               f'{__name__}.road_adas:read_weights'),
)}


def register_encoder(row: EncoderRow) -> None:
    """
    Add an encoder to the table, for this process.

    Raises ValueError if the name is taken or the input convention unknown.
    """
    if row.name in ENCODERS:
        raise ValueError(f'encoder {row.name!r} is already registered')
    if row.input_convention not in INPUT_CONVENTIONS:
        raise ValueError(f'encoder {row.name!r}: input_convention must be one of '
                         f'{", ".join(INPUT_CONVENTIONS)}, not {row.input_convention!r}')
    ENCODERS[row.name] = row


def list_encoders() -> list[str]:
    """
    Return the names of the encoders, those of installed packages last.

    >>> from fcn_seg_ros import list_encoders
    >>> 'mobilenet_v2' in list_encoders()
    True
    """
    return with_installed(ENTRY_POINTS, ENCODERS)


def find_encoder(name: str) -> EncoderRow:
    """Return an encoder's row; raises InputError for an unknown name."""
    if name not in ENCODERS:
        for point, error in register_installed(ENTRY_POINTS, register_encoder,
                                               lambda found: found == name):
            raise InputError(f'encoder: {name!r} of the package {point.value!r} does not load '
                             f'({one_line(error)})')
    if name not in ENCODERS:
        raise InputError(f'encoder: expected one of {", ".join(list_encoders())}, '
                         f'found {quote(name)}')
    return ENCODERS[name]


def make_encoder(name: str, state: dict[str, Tensor] | None = None) -> Encoder:
    """
    Return an encoder, with pretrained weights if their state dict is given.

    Raises InputError for an unknown name or weights of another network.
    """
    encoder: Encoder = resolve(find_encoder(name).build)(state)
    return encoder


def pretrained_state(name: str, weights: str) -> dict[str, Tensor]:
    """
    Return an encoder's pretrained weights: ``imagenet`` (see ``EncoderRow.weights``) or a file.

    Raises InputError if there are none.
    """
    row = find_encoder(name)
    if weights == 'imagenet':
        if not row.weights:
            raise InputError(f'encoder_weights: expected a file or none for {name}, found imagenet')
        if isinstance(row.weights, str) and ':' not in row.weights:
            from fcn_seg_ros.models.encoders.weights import imagenet_state
            return imagenet_state(row.weights)
        loaded: dict[str, Tensor] = resolve(row.weights)()
        return loaded
    state: dict[str, Tensor] = resolve(row.read_weights)(weights)
    return state
