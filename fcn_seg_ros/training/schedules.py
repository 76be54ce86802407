# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Optimisers and how their learning rate changes over a run."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from fcn_seg_ros.training.config import TrainingConfig


def make_optimiser(network: nn.Module, config: TrainingConfig) -> Optimizer:
    """
    Return AdamW (decoupled weight decay) or SGD with momentum (weight decay in the gradient).

    Both regularise the kernels only.
    """
    groups = parameter_groups(network, config.weight_decay)
    if config.optimiser == 'adamw':
        return torch.optim.AdamW(groups, lr=config.learning_rate)
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum,
                           nesterov=config.momentum > 0)


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the optimiser's groups: kernels are decayed, biases and norms (one axis) are not."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [{'params': [p for p in parameters if p.ndim > 1], 'weight_decay': weight_decay},
            {'params': [p for p in parameters if p.ndim <= 1], 'weight_decay': 0.0}]


def make_schedule(optimiser: Optimizer, config: TrainingConfig, steps: int) -> LRScheduler:
    """Return the schedule by name, to be stepped once an optimiser step, ``steps`` times."""
    if config.schedule == 'one_cycle':
        return OneCycleLR(optimiser, config.learning_rate, max(2, steps),
                          pct_start=max(config.warmup, 1 / max(2, steps)))
    return LambdaLR(optimiser, partial(share, config.schedule, config.warmup, steps))


def share(schedule: str, warmup: float, steps: int, step: int) -> float:
    """
    Return the share of the learning rate at a step: a linear rise, then the schedule's fall.

    ``cosine`` and ``poly`` (power 0.9, as in DeepLab) fall to 0, ``constant`` stays.
    """
    rise = round(steps * warmup)
    if step < rise:
        return (step + 1) / rise
    progress = min(1.0, (step - rise) / max(1, steps - rise))
    if schedule == 'cosine':
        return 0.5 * (1 + math.cos(math.pi * progress))
    return float((1 - progress) ** 0.9) if schedule == 'poly' else 1.0
