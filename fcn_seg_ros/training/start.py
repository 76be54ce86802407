# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Take weights and settings from the checkpoint that a run starts from."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.class_file import ROAD_CLASSES, classes_of
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint_file import NetworkSource, read_checkpoint
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.encoders import INPUT_CONVENTIONS
from fcn_seg_ros.models.fcn import FCN, start_from
from fcn_seg_ros.processes import say
from fcn_seg_ros.resources import find_checkpoint
from fcn_seg_ros.training.config import TrainingConfig, with_values


def open_start(config: TrainingConfig) -> NetworkSource | None:
    """
    Return the network that a run starts from, None where it starts from an encoder's weights.

    Raises InputError for a file that is no checkpoint, and for one that contradicts the settings.
    """
    if not config.init_from:
        return None
    start = read_checkpoint(find_checkpoint(config.init_from))
    if start.info.encoder != config.encoder:
        raise InputError(f'init_from: expected a network with the encoder {config.encoder}, found '
                         f'{start.info.encoder}')
    convention = convention_of(start.info)
    if convention != config.resolved_convention:
        raise InputError(f'input_convention: expected {convention}, with which init_from was '
                         f'trained, found {config.resolved_convention}')
    return start


def inherit_settings(config: TrainingConfig, given: Collection[str]) -> TrainingConfig:
    """
    Return the settings of a run with those of ``init_from`` where none were ``given``.

    These are the encoder, the decoder, the classes, the input's normalisation and its size. Raises
    InputError for a file that is no checkpoint.
    """
    if not config.init_from:
        return config
    info = read_checkpoint(find_checkpoint(config.init_from)).info
    found: dict[str, Any] = {
        'encoder': info.encoder, 'decoder': info.decoder, 'skip_scales': info.skip_scales,
        'input_convention': convention_of(info), 'classes': _classes_text(info)}
    if not {'height', 'pixels'} & set(given):
        found |= {'height': info.network_height, 'pixels': info.network_pixels}
    return with_values(config, {name: value for name, value in found.items() if name not in given})


def _classes_text(info: CheckpointInfo) -> str:
    """Return the setting ``classes`` with which a network was trained."""
    classes = classes_of(info)
    return '' if classes == ROAD_CLASSES else classes.text


def convention_of(info: CheckpointInfo) -> str:
    """Return the name of a network's input convention; raises InputError where it has none."""
    for name, (mean, std, order) in INPUT_CONVENTIONS.items():
        if info.channel_order == order and np.allclose(
                (info.mean, info.std), (mean, std), rtol=1e-4, atol=1e-6):
            return name
    raise InputError(f'init_from: expected a network whose input is one of '
                     f'{", ".join(INPUT_CONVENTIONS)}, found mean {info.mean}, std {info.std} '
                     f'({info.channel_order})')


def take_weights(network: FCN, config: TrainingConfig, start: NetworkSource) -> None:
    """Start from another network's weights, and log the layers for which it has none."""
    weights = start.network.state_dict()
    if start.info.classes != config.class_list.names:
        # The scores of other classes mean something else, also where there are as many.
        weights = {name: value for name, value in weights.items()
                   if not name.startswith('decoder.')}
    left = start_from(network, weights)
    layers = dict.fromkeys(name.rpartition('.')[0] for name in left)
    if layers:
        say(f'init_from: {config.init_from} has no weights that fit {", ".join(layers)}; these '
            'start untrained')


def inherit_metadata(info: CheckpointInfo, start: CheckpointInfo) -> CheckpointInfo:
    """Return a run's metadata with the data and licences of the network it started from."""
    terms = dict.fromkeys([*info.licence.split('; '), *start.licence.split('; ')])
    return dataclasses.replace(
        info, licence='; '.join(filter(None, terms)), training_data=(
            f'{info.training_data}; started from a network trained on {start.training_data}'))
