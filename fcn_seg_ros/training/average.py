# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Average the weights of several checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint


def average_checkpoints(paths: Sequence[str | Path], out: str | Path) -> None:
    """
    Write the mean of several checkpoints' weights, with the metadata of the last one.

    The mean of a network and its fine-tuned version often keeps most of the strengths of both:
    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022. Temperature, threshold and
    self-test must be fitted again afterwards. Raises InputError for checkpoints of different
    networks.
    """
    loaded = [load_checkpoint(path) for path in paths]
    states = [checkpoint.network.state_dict() for checkpoint in loaded]
    last = loaded[-1]
    for path, state in zip(paths, states, strict=True):
        if {name: value.shape for name, value in state.items()} != {
                name: value.shape for name, value in states[-1].items()}:
            raise InputError(f'{path}: holds another network than {paths[-1]}')
    mean = {name: torch.stack([state[name].float() for state in states]).mean(dim=0).to(value.dtype)
            for name, value in states[-1].items()}
    last.network.load_state_dict(mean)
    save_checkpoint(out, last.network, last.info)
