# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A training run, from datasets to a checkpoint file."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import (
    Callback,
    EMAWeightAveraging,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint import CheckpointInfo, save_checkpoint
from fcn_seg_ros.models.fcn import make_network
from fcn_seg_ros.resources import PACKAGE_DIR
from fcn_seg_ros.training.config import (
    CLASSES,
    INPUT_CONVENTIONS,
    PALETTE,
    ROAD_IDS,
    TrainingConfig,
)
from fcn_seg_ros.training.data import RoadDataModule
from fcn_seg_ros.training.module import SegmentationModule

RESUME_FILE = 'last.ckpt'
CHECKPOINT_FILE = 'checkpoint.safetensors'


class EpochLines(Callback):
    """One line an epoch, for logs, where a progress bar would be noise."""

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note when the epoch began."""
        self._start = time.monotonic()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print loss, score and duration."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        text = '  '.join(f'{name} {value:.4g}' for name, value in metrics.items())
        epochs = trainer.max_epochs
        print(f'epoch {trainer.current_epoch + 1}/{epochs}  {text}  '
              f'({time.monotonic() - self._start:.1f} s)', flush=True)


def train(config: TrainingConfig, convention: str, encoder_state: dict[str, Tensor] | None,
          dataset: RoadDataset, validation: RoadDataset | None, out: Path,
          training_data: str, licence: str, resume: bool = False) -> Path:
    """
    Train a network and return the path of its checkpoint, ``out/checkpoint.safetensors``.

    The weights written are the last ones, or their moving average; nothing is chosen by the
    validation score. Raises InputError for a folder that holds a run already (without
    ``resume``) or none (with it).
    """
    last = out / RESUME_FILE
    if resume and not last.is_file():
        raise InputError(f'{last}: expected the state of an interrupted run to resume, found none')
    if not resume and last.exists():
        raise InputError(f'{out}: expected a folder without a run, found {RESUME_FILE}; '
                         'resume it or choose another folder')
    logging.getLogger('lightning.pytorch').setLevel(logging.WARNING)
    seed_everything(config.seed, verbose=False)
    network = make_network(config.encoder, config.decoder, len(CLASSES), encoder_state)
    # Channels last is how CPUs and tensor cores convolve fastest.
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module = SegmentationModule(network, config, INPUT_CONVENTIONS[convention])
    data = RoadDataModule(dataset, validation, config)
    out.mkdir(parents=True, exist_ok=True)
    trainer = _make_trainer(config, out, validate=validation is not None)
    with warnings.catch_warnings():
        # Lightning counts workers and batches, and finds its own log in the folder of the run;
        # all three are meant.
        warnings.filterwarnings('ignore', message='.*exists and is not empty.*')
        warnings.filterwarnings('ignore', message='.*does not have many workers.*')
        warnings.filterwarnings('ignore', message='.*smaller than the logging interval.*')
        trainer.fit(module, datamodule=data, ckpt_path=str(last) if resume else None,
                    weights_only=True)
    if trainer.interrupted:
        raise KeyboardInterrupt
    path = out / CHECKPOINT_FILE
    save_checkpoint(path, _plain(module.network),
                    describe(config, convention, training_data, licence))
    return path


def describe(config: TrainingConfig, convention: str, training_data: str, licence: str
             ) -> CheckpointInfo:
    """Return the checkpoint's metadata of a run, before it is scored."""
    mean, std, order = INPUT_CONVENTIONS[convention]
    return CheckpointInfo(
        config.encoder, config.decoder, CLASSES, ROAD_IDS, PALETTE, mean, std, order,
        config.augmentation.height, training_data=training_data, licence=licence,
        git_commit=_git_commit())


def _make_trainer(config: TrainingConfig, out: Path, validate: bool) -> Trainer:
    callbacks: list[Callback] = [
        ModelCheckpoint(out, filename=Path(RESUME_FILE).stem, every_n_epochs=1, save_top_k=1,
                        monitor=None, enable_version_counter=False, save_on_train_epoch_end=True),
        RichProgressBar() if sys.stdout.isatty() else EpochLines(),
    ]
    if config.average_decay:
        callbacks.append(EMAWeightAveraging(decay=config.average_decay))
    options: dict[str, Any] = {} if validate else {'limit_val_batches': 0}
    return Trainer(
        max_epochs=config.epochs, precision=cast(Any, config.precision),
        accelerator='auto', devices=1, callbacks=callbacks,
        logger=CSVLogger(out, name='', version='metrics'),
        check_val_every_n_epoch=config.validate_every, num_sanity_val_steps=0,
        log_every_n_steps=10, gradient_clip_val=1.0, enable_model_summary=False,
        enable_progress_bar=sys.stdout.isatty(), **options)


def _plain(network: nn.Module) -> nn.Module:
    return network.to('cpu', torch.float32).eval()


def _git_commit() -> str:
    """Return the commit of the source tree, or '' outside of one."""
    try:
        result = subprocess.run(['git', 'rev-parse', '--short=12', 'HEAD'], cwd=PACKAGE_DIR,
                                capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ''
    return result.stdout.strip()
