# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The state of a run, from which it goes on after a kill at any moment.

Every file in a run's folder is replaced at once. ``config.yaml`` comes first, then the pruned
network, then the state after every epoch (``last.ckpt``), then ``checkpoint.safetensors`` when all
is done; what is missing is made again. Nothing else is kept: batches, augmentation and the random
numbers of an epoch depend on the seed and the epoch only, and the learning rate on the step.
"""

from __future__ import annotations

import dataclasses
import io
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from fcn_seg_ros.datasets.mixture import Mixture, mix_seed
from fcn_seg_ros.errors import InputError, TrainingError, one_line
from fcn_seg_ros.files import write_file
from fcn_seg_ros.models.checkpoint import same_weights
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, CheckpointInfo, parse_info, to_json
from fcn_seg_ros.training.config import TrainingConfig, with_values

RESUME_FILE = 'last.ckpt'
CONFIG_FILE = 'config.yaml'
CHECKPOINT_FILE = 'checkpoint.safetensors'
# The network that a run with ``prune`` starts from.
PRUNED_FILE = 'pruned.safetensors'

# What makes the network, the order of the data and the optimiser's state.
FIXED = ('encoder', 'decoder', 'skip_scales', 'encoder_weights', 'input_convention',
         'init_from', 'prune', 'frozen_layers', 'batch_size', 'accumulate', 'optimiser', 'seed')
_PREFIX = 'network.'


@dataclass(frozen=True)
class RunState:
    """
    The state of a run after its last whole epoch.

    ``weights`` are those that the run's checkpoint would get: the last, or their moving average.
    ``images`` are the numbers of samples of its datasets, with their weights. ``stopped``: early
    stopping ended it.
    """

    path: Path
    config: TrainingConfig
    info: CheckpointInfo
    images: list[list[float]]
    epochs: int
    stopped: bool
    steps: int
    weights: Mapping[str, Tensor]


class StateFile(TorchCheckpointIO):
    """Writes Lightning's checkpoint at once, with a temporary file in the same folder."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
                        ) -> None:
        """Replace the file; raises TrainingError if that fails, and the file is as it was."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        try:
            write_file(Path(path), content.getvalue())
        except InputError as error:
            raise TrainingError(f'{error}; the state of the epoch before is kept: make room, then '
                                'go on with --resume') from None


class RunRecord(Callback):
    """
    Keeps in the state what the run is, and the random numbers apart from what happened before.

    ``handler`` obeys SIGTERM: Lightning's own would wait for the other processes.
    """

    def __init__(self, config: TrainingConfig, info: CheckpointInfo, mixture: Mixture) -> None:
        super().__init__()
        self._config = config
        self._record = {'config': flat_values(config), 'info': to_json(info),
                        'images': images_of(mixture)}
        self._handler: Any = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Note who obeys SIGTERM."""
        self._handler = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let it obey SIGTERM again."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._handler)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw the epoch's random numbers from the seed, the epoch and the process."""
        seed = mix_seed(self._config.seed, trainer.current_epoch, trainer.global_rank + (1 << 41))
        seed_everything(seed % 2**32, verbose=False)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule,
                           checkpoint: dict[str, Any]) -> None:
        """Add the record; metrics up to here must not be lost with what comes later."""
        for logger in trainer.loggers:
            logger.save()
        checkpoint['run'] = self._record | {'epochs': trainer.current_epoch + 1,
                                            'stopped': trainer.should_stop}


def read_state(path: Path) -> RunState | None:
    """Read the state of a run, None where there is none yet; raises InputError for other files."""
    try:
        found = torch.load(path, map_location='cpu', weights_only=True)
    except FileNotFoundError:
        return None
    except Exception as error:  # torch raises many kinds for a broken file
        raise InputError(f'{path}: expected the state of a run, found a broken file '
                         f'({one_line(error)}); start the run again in another folder') from None
    run = found.get('run') if isinstance(found, dict) else None
    if not isinstance(run, dict):
        raise InputError(f'{path}: expected the state of a run of this version, found another; '
                         'start the run again in another folder')
    weights = {name.removeprefix(_PREFIX): value for name, value in found['state_dict'].items()
               if name.startswith(_PREFIX)}
    return RunState(path, with_values(TrainingConfig(), run['config']),
                    parse_info(path, {METADATA_KEY: run['info']}), run['images'], run['epochs'],
                    run['stopped'], found['global_step'], weights)


def flat_values(config: TrainingConfig) -> dict[str, Any]:
    """Return all settings by the names in ``leaves``, as plain values, lists for tuples."""
    values = dataclasses.asdict(config)
    for section in [name for name, value in values.items() if isinstance(value, dict)]:
        values |= values.pop(section)
    return {name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()}


def read_notes(path: Path) -> list[str]:
    """Return the notes in a file that ``write_config`` wrote, [] where there is none."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return [line.removeprefix('# ') for line in lines if line.startswith('# ')]


def images_of(mixture: Mixture) -> list[list[float]]:
    """Return the number of samples of each dataset and its weight."""
    return [[float(len(part)), float(weight)]
            for part, weight in zip(mixture.parts, mixture.weights, strict=True)]


def check_changes(state: RunState, config: TrainingConfig) -> None:
    """Raise InputError for settings with which a run cannot go on."""
    before, after = flat_values(state.config), flat_values(config)
    if state.config.class_list != config.class_list:
        raise _refused('classes', state.config.class_list.names, config.class_list.names)
    for name in FIXED:
        if before[name] != after[name]:
            raise _refused(name, before[name], after[name])
    # Neither the average nor the encoder's part of the optimiser can be made up afterwards.
    for name in ('average_decay', 'encoder_rate'):
        if (before[name] > 0) != (after[name] > 0):
            raise _refused(name, before[name], after[name])
    if config.epochs < state.epochs:
        raise InputError(f'epochs: expected at least the {state.epochs} that the run has done, '
                         f'found {config.epochs}')


def check_images(state: RunState, mixture: Mixture) -> None:
    """Raise InputError unless the datasets have the samples that a run began with."""
    if state.images != images_of(mixture):
        raise InputError(f'train: expected the data that the run began with, '
                         f'{_numbers(state.images)} images, found {_numbers(images_of(mixture))}')


def different(before: TrainingConfig, after: TrainingConfig) -> list[str]:
    """Return the settings that changed, as 'name: old value'."""
    old, new = flat_values(before), flat_values(after)
    if before.class_list == after.class_list:
        new['classes'] = old['classes']
    return [f'{name}: {value}' for name, value in old.items() if new[name] != value]


def is_trained(state: RunState, config: TrainingConfig) -> bool:
    """Return whether no epoch is left: all are done, or early stopping ended the run."""
    stopped = state.stopped and (state.config.epochs, state.config.early_stopping) == (
        config.epochs, config.early_stopping)
    return stopped or state.epochs >= config.epochs


def is_finished(state: RunState, config: TrainingConfig) -> bool:
    """Return whether a run has nothing left to do: its checkpoint holds the last weights."""
    path = state.path.with_name(CHECKPOINT_FILE)
    return (is_trained(state, config) and path.is_file()
            and same_weights(read_checkpoint(path), state.weights))


def described(state: RunState, info: CheckpointInfo, config: TrainingConfig) -> CheckpointInfo:
    """Return a resumed run's metadata: data and licences are those that it began with."""
    return dataclasses.replace(info, training_data=state.info.training_data,
                               licence=config.licence or state.info.licence)


def _refused(name: str, before: Any, after: Any) -> InputError:
    return InputError(f'{name}: expected {before!r}, as the run began, found {after!r}; for other '
                      'settings start a new run, with --init-from to keep what this one learned')


def _numbers(images: list[list[float]]) -> str:
    return ' + '.join(f'{count:.0f}' + (f' (weight {weight:g})' if weight != 1 else '')
                      for count, weight in images)
