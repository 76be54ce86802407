# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Optimisers and learning rate schedules."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from fcn_seg_ros.models.fcn import FCN
from fcn_seg_ros.training.config import TrainingConfig

_SHORTEST_CYCLE = 4


def make_optimiser(network: FCN, config: TrainingConfig) -> Optimizer:
    """
    Return AdamW (decoupled weight decay) or SGD with momentum (weight decay in the gradient).

    Only kernels decay.
    """
    groups = parameter_groups(network, config)
    if config.optimiser == 'adamw':
        return torch.optim.AdamW(groups, lr=config.learning_rate)
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum,
                           nesterov=config.momentum > 0)


def parameter_groups(network: FCN, config: TrainingConfig) -> list[dict[str, Any]]:
    """
    Return the optimiser's parameter groups: kernels decay, biases and norms (one axis) do not.

    The encoder's learning rate is ``encoder_rate`` times the decoder's.
    """
    groups = []
    for part, rate in ((network.encoder, config.encoder_rate), (network.decoder, 1.0)):
        parameters = [p for p in part.parameters() if p.requires_grad]
        for kernels, decay in ((True, config.weight_decay), (False, 0.0)):
            groups.append({'params': [p for p in parameters if (p.ndim > 1) == kernels],
                           'weight_decay': decay, 'lr': rate * config.learning_rate})
    return [group for group in groups if group['params']]


def go_on(optimiser: Optimizer, schedule: LRScheduler, network: FCN, config: TrainingConfig,
          steps: int, done: int) -> None:
    """
    Give a resumed optimiser and its schedule the settings of ``config``, after ``done`` steps.

    The learning rate depends on the step and the settings only, so a run whose length or schedule
    changes goes on as one with the new settings would at this step.
    """
    fresh = make_optimiser(network, config)
    plan = make_schedule(fresh, config, steps)
    plan.last_epoch = done - 1
    with warnings.catch_warnings():
        # PyTorch takes the step of the plan for one before the optimiser's first.
        warnings.simplefilter('ignore', UserWarning)
        plan.step()
    schedule.load_state_dict(plan.state_dict())
    for group, new in zip(optimiser.param_groups, fresh.param_groups, strict=True):
        group.update({name: value for name, value in new.items() if name != 'params'})


def make_schedule(optimiser: Optimizer, config: TrainingConfig, steps: int) -> LRScheduler:
    """Return the schedule by name, for ``steps`` optimiser steps."""
    if config.schedule == 'one_cycle':
        peaks = [group['lr'] for group in optimiser.param_groups]
        # It divides by the length of each of its two phases, and steps once after the last step.
        total = max(_SHORTEST_CYCLE, steps)
        rise = min(max(config.warmup, 2 / total), 1 - 1 / total)
        return OneCycleLR(optimiser, peaks, total, pct_start=rise)
    return LambdaLR(optimiser, partial(share, config.schedule, config.warmup, steps))


def share(schedule: str, warmup: float, steps: int, step: int) -> float:
    """
    Return the learning rate at a step, as a share of the peak.

    It rises linearly, then ``cosine`` and ``poly`` (power 0.9, as in DeepLab) fall to 0, while
    ``constant`` stays.
    """
    rise = round(steps * warmup)
    if step < rise:
        return (step + 1) / rise
    progress = min(1.0, (step - rise) / max(1, steps - rise))
    if schedule == 'cosine':
        return 0.5 * (1 + math.cos(math.pi * progress))
    return float((1 - progress) ** 0.9) if schedule == 'poly' else 1.0
