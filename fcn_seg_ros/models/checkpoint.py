# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints as networks of PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.models.checkpoint_file import (
    SelfTest,
    StoredCheckpoint,
    hash_arrays,
    read_checkpoint,
    write_checkpoint,
)
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.fcn import FCN, make_network
from fcn_seg_ros.resources import find_checkpoint


@dataclass(frozen=True)
class Checkpoint:
    """A network in eval mode with float32 weights, what is known of it, and where it came from."""

    network: FCN
    info: CheckpointInfo
    path: Path | None = None
    self_test: SelfTest | None = None

    def hash_weights(self) -> str:
        """Return the SHA-256 of the weights in memory."""
        return hash_arrays((name, value.detach().cpu().numpy())
                           for name, value in self.network.state_dict().items())


def save_checkpoint(path: str | Path, network: FCN, info: CheckpointInfo) -> None:
    """
    Write the network's weights, rounded to fp16, with its metadata; the file is never partial.

    Raises ValueError where a weight is not finite in fp16: such a network must not be shipped.
    """
    tensors = {name: _compact(value) for name, value in network.state_dict().items()}
    broken = [name for name, value in tensors.items() if not np.isfinite(value).all()]
    if broken:
        raise ValueError(f'{path}: {broken[0]} is not finite in half precision')
    write_checkpoint(Path(path), tensors, info)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """
    Read a checkpoint, a file or a packaged one by its name; no code from the file runs.

    >>> from fcn_seg_ros import load_checkpoint
    >>> checkpoint = load_checkpoint('open')
    >>> checkpoint.info.classes
    ('not road', 'road')

    Raises InputError, one line with the file and the reason, for a missing, truncated or foreign
    file, for one of a newer format, and for weights that do not fit the network it names.
    """
    stored = read_checkpoint(find_checkpoint(path))
    return Checkpoint(stored.network, stored.info, stored.path, stored.self_test)


def restore(stored: StoredCheckpoint) -> FCN:
    """Return the network of a file; InputError where its weights are those of another."""
    info = stored.info
    try:
        # On the meta device nothing is initialised, which for VGG16 would take seconds.
        with torch.device('meta'):
            network = make_network(info.encoder, info.decoder, len(info.classes),
                                   skip_scales=info.skip_scales, widths=info.widths)
    except InputError as error:
        raise InputError(f'{stored.path}: {error}') from None
    tensors = {name: torch.from_numpy(value) for name, value in stored.weights.items()}
    tensors = {name: value.float() if value.is_floating_point() else value
               for name, value in tensors.items()}
    try:
        network.load_state_dict(tensors, assign=True)
    except RuntimeError as error:
        raise InputError(f'{stored.path}: expected the weights of {info.decoder} on '
                         f'{info.encoder}, found others ({one_line(error)})') from None
    return network.eval()


def _compact(value: Tensor) -> np.ndarray:
    value = value.detach().cpu()
    if value.is_floating_point():
        value = value.to(torch.float16)
    array: np.ndarray = value.contiguous().numpy()
    return array
