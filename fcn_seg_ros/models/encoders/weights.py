# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Get pretrained weights, and load them into a classifier."""

from __future__ import annotations

import torch
import torchvision
from torch import Tensor, nn

from fcn_seg_ros.errors import InputError, one_line


def imagenet_state(name: str) -> dict[str, Tensor]:
    """Return the ImageNet weights of a torchvision model (downloaded unless cached)."""
    weights = torchvision.models.get_model_weights(name)['IMAGENET1K_V1']
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True)
    except OSError as error:  # no network, a broken download, a full disk
        raise InputError(f'encoder weights: {weights.url} cannot be downloaded '
                         f'({one_line(error)}); give a file with --encoder-weights, or train from '
                         'scratch with --encoder-weights none') from None
    return state


def read_weights(path: str) -> dict[str, Tensor]:
    """
    Read a state dict (``.pth``); no code from the file runs.

    Raises InputError if the file is missing or is something else.
    """
    try:
        state = torch.load(path, map_location='cpu', weights_only=True)
    except FileNotFoundError:
        raise InputError(f'{path}: expected a file with encoder weights, found none') from None
    except Exception as error:  # torch raises many types for a broken file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f'{path}: expected a PyTorch state dict, found something else '
                         f'({reason})') from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(f'{path}: expected a PyTorch state dict, found {type(state).__name__}')
    return state


def load_weights(network: nn.Module, state: dict[str, Tensor], head: str) -> None:
    """
    Load pretrained weights by name.

    Layers without weights in ``state`` keep their random start, as does the classifier's ``head``
    if its shape differs. Raises InputError for any other wrong shape, and if no name matches.
    """
    current = network.state_dict()
    taken = {key: value for key, value in state.items() if key in current
             and not (key.startswith(head) and value.shape != current[key].shape)}
    if not taken:
        raise InputError(
            f'encoder weights: expected torchvision names such as {next(iter(current))!r}, '
            f'found {next(iter(state), None)!r}')
    for key, value in taken.items():
        if value.shape != current[key].shape:
            raise InputError(f'encoder weights: {key} should be {tuple(current[key].shape)}, '
                             f'found {tuple(value.shape)}')
    network.load_state_dict(taken, strict=False)
