# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Save and load checkpoints as PyTorch networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fcn_seg_ros.models.checkpoint_file import (
    SelfTest,
    StoredCheckpoint,
    hash_arrays,
    read_checkpoint,
    write_checkpoint,
)
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.fcn import FCN
from fcn_seg_ros.resources import find_checkpoint


@dataclass(frozen=True)
class Checkpoint:
    """A network in eval mode with float32 weights, its metadata, and the file it came from."""

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

    Raises ValueError if a weight is not finite in fp16.
    """
    tensors = {name: _compact(value) for name, value in network.state_dict().items()}
    broken = [name for name, value in tensors.items() if not np.isfinite(value).all()]
    if broken:
        raise ValueError(f'{path}: {broken[0]} is not finite in half precision')
    write_checkpoint(Path(path), tensors, info)


def same_weights(stored: StoredCheckpoint, state: Mapping[str, Tensor]) -> bool:
    """Return whether a file holds these weights, as ``save_checkpoint`` rounds them."""
    return stored.weights.keys() == state.keys() and all(
        np.array_equal(stored.weights[name], _compact(value)) for name, value in state.items())


def load_checkpoint(path: str | Path) -> Checkpoint:
    """
    Read a checkpoint file, or a packaged checkpoint by name; no code from the file runs.

    >>> from fcn_seg_ros import load_checkpoint
    >>> checkpoint = load_checkpoint('open')
    >>> checkpoint.info.classes
    ('not road', 'road')

    Raises InputError, one line with the file and the reason, for a missing, truncated or foreign
    file, for one with a newer format, and for weights that do not fit the network it names.
    """
    stored = read_checkpoint(find_checkpoint(path))
    return Checkpoint(stored.network, stored.info, stored.path, stored.self_test)


def _compact(value: Tensor) -> np.ndarray:
    value = value.detach().cpu()
    if value.is_floating_point():
        value = value.to(torch.float16)
    array: np.ndarray = value.contiguous().numpy()
    return array
