# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Build a network from stored weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.fcn import FCN, make_network


def restore_network(weights: Mapping[str, np.ndarray], info: CheckpointInfo, path: Path) -> FCN:
    """
    Return the network of a checkpoint file, in eval mode with float32 weights.

    Raises InputError, which names the file, if the weights belong to another network.
    """
    try:
        # On the meta device nothing is initialised, which would take seconds for VGG16.
        with torch.device('meta'):
            network = make_network(info.encoder, info.decoder, len(info.classes),
                                   skip_scales=info.skip_scales,
                                   shapes={name: value.shape for name, value in weights.items()})
    except InputError as error:
        raise InputError(f'{path}: {error}') from None
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    tensors = {name: value.float() if value.is_floating_point() else value
               for name, value in tensors.items()}
    try:
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise InputError(f'{path}: expected the weights of {info.decoder} on '
                         f'{info.encoder}, found others ({one_line(error)})') from None
    return network.eval()
