# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Encoders: ImageNet classifiers without their last layer, as feature pyramids."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torchvision
from torch import Tensor, nn

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.encoder import Encoder
from fcn_seg_ros.models.layers import convolutionalize, subsample_conv
from fcn_seg_ros.models.road_adas import RoadAdasEncoder, read_road_adas


def _mobilenet_v2(state: dict[str, Tensor] | None) -> Encoder:
    network = torchvision.models.mobilenet_v2(weights=None)
    if state is not None:
        _load(network, state, head='classifier.1.')
    features = network.features
    return Encoder((features[:7], features[7:14], features[14:]), (24, 32, 96, 1280), 4)


def _resnet(name: str, state: dict[str, Tensor] | None) -> Encoder:
    network = torchvision.models.get_model(name, weights=None)
    if state is not None:
        _load(network, state, head='fc.')
    n = network
    bottom = nn.Sequential(n.conv1, n.bn1, n.relu, n.maxpool, n.layer1, n.layer2)
    widths = {'resnet18': (64, 128, 256, 512), 'resnet50': (256, 512, 1024, 2048)}
    return Encoder((bottom, n.layer3, n.layer4), widths[name], 5)


def _vgg16(state: dict[str, Tensor] | None, thin: bool = False) -> Encoder:
    """
    Return VGG16 with fc6 and fc7 as convolutions, as in the FCN paper.

    ``thin`` subsamples them to 1024 channels and fc6 to 3x3 (as DeepLab), 20 M parameters instead
    of 134 M.
    """
    network = torchvision.models.vgg16(weights=None)
    if state is not None:
        if 'conv1_1.weight' in state:
            state = _from_caffe_names(state)
        _load(network, state, head='classifier.')
    head = convolutionalize(network.classifier[:6], window=7)
    fc6, fc7 = head[0], head[3]
    assert isinstance(fc6, nn.Conv2d) and isinstance(fc7, nn.Conv2d)
    if thin:
        fc6, fc7 = subsample_conv(fc6, 3, 1, 4), subsample_conv(fc7, 1, 4, 4)
    # 'Same' padding for fc6 keeps the map's size; the paper pads the image by 100 instead.
    fc6.padding = (3, 3)
    head[0], head[3] = fc6, fc7
    top = nn.Sequential(*network.features[24:], *head)
    return Encoder((network.features[:17], network.features[17:24], top),
                   (128, 256, 512, fc7.out_channels), 10)


# Where VGG16's blocks begin in torchvision's ``features``, and how many convolutions each has.
_VGG16_BLOCKS = ((0, 2), (5, 2), (10, 3), (17, 3), (24, 3))


def _from_caffe_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename ``conv3_1.weight`` and so on to torchvision's names; leave out what VGG16 lacks."""
    renamed = {}
    for block, (start, count) in enumerate(_VGG16_BLOCKS, start=1):
        for conv in range(count):
            for part in ('weight', 'bias'):
                key = f'conv{block}_{conv + 1}.{part}'
                if key in state:
                    renamed[f'features.{start + 2 * conv}.{part}'] = state[key]
    return renamed


def _road_adas(state: dict[str, Tensor] | None) -> Encoder:
    encoder = RoadAdasEncoder()
    if state is not None:
        _load(encoder, state, head='')
    return encoder


def _load(network: nn.Module, state: dict[str, Tensor], head: str) -> None:
    """Load what fits; a layer that is absent keeps its random start, one that differs is wrong."""
    own = network.state_dict()
    taken = {key: value for key, value in state.items()
             if key in own and not (key.startswith(head) and value.shape != own[key].shape)}
    if not taken:
        raise InputError(
            f'encoder weights: expected torchvision names such as {next(iter(own))!r}, '
            f'found {next(iter(state), None)!r}')
    for key, value in taken.items():
        if value.shape != own[key].shape:
            raise InputError(f'encoder weights: {key} should be {tuple(own[key].shape)}, '
                             f'found {tuple(value.shape)}')
    network.load_state_dict(taken, strict=False)


ENCODERS: dict[str, Callable[[dict[str, Tensor] | None], Encoder]] = {
    'mobilenet_v2': _mobilenet_v2,
    'resnet18': partial(_resnet, 'resnet18'),
    'resnet50': partial(_resnet, 'resnet50'),
    'vgg16': _vgg16,
    'vgg16_1024': partial(_vgg16, thin=True),
    'road_adas': _road_adas,
}


def list_encoders() -> list[str]:
    """
    Return the names of the encoders that a network can be built on.

    >>> from fcn_seg_ros import list_encoders
    >>> 'mobilenet_v2' in str(list_encoders())
    True
    """
    return list(ENCODERS)


def make_encoder(name: str, state: dict[str, Tensor] | None = None) -> Encoder:
    """
    Return the encoder ``name``, started from the classifier's state dict where one is given.

    Raises InputError for an unknown name or weights of another network.
    """
    if name not in ENCODERS:
        raise InputError(f'encoder: expected one of {", ".join(ENCODERS)}, found {name!r}')
    return ENCODERS[name](state)


def imagenet_state(name: str) -> dict[str, Tensor]:
    """Return torchvision's ImageNet weights of the encoder (downloaded unless cached)."""
    weights = torchvision.models.get_model_weights(name.removesuffix('_1024'))['IMAGENET1K_V1']
    state: dict[str, Tensor] = weights.get_state_dict(progress=True)
    return state


def freeze_batch_norm(module: nn.Module) -> None:
    """Keep batch norm layers in eval mode: small batches of one drive are poor statistics."""
    for layer in module.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()


def freeze_layers(encoder: Encoder, count: int) -> None:
    """Let the first ``count`` layers of the stage that ends at stride 8 learn nothing."""
    for layer in list(encoder.stride8)[:count]:
        layer.requires_grad_(False)


def read_encoder_file(path: str) -> dict[str, Tensor]:
    """
    Read encoder weights: a classifier's state dict (``.pth``) or an OpenVINO IR (``.xml``).

    No code from the file runs. Raises InputError where the file is missing or is something else.
    """
    if str(path).endswith('.xml'):
        return read_road_adas(path)
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except FileNotFoundError:
        raise InputError(f'{path}: expected a file with encoder weights, found none') from None
    except Exception as error:  # torch raises many kinds for a broken file
        reason = str(error).splitlines()[0]
        raise InputError(f'{path}: expected a PyTorch state dict, found something else '
                         f'({reason})') from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f'{path}: expected a PyTorch state dict, found {type(state).__name__}')
    return state
