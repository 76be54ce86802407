# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lightning's trainer, as runs use it."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any, cast

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    RichProgressBar,
)

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.errors import TrainingError
from fcn_seg_ros.training.callbacks import EpochLines, MovingAverage, OverlayPictures
from fcn_seg_ros.training.checks import local_processes, nodes
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import RoadDataModule, WholeSamples
from fcn_seg_ros.training.loggers import make_loggers
from fcn_seg_ros.training.module import SegmentationModule
from fcn_seg_ros.training.state import RESUME_FILE, StateFile


def make_trainer(config: TrainingConfig, out: Path, validation: RoadDataset | None,
                 record: Callback | None = None, steps: int = 0) -> Trainer:
    """
    Return the Lightning trainer of a run that has done so many steps.

    Under torchrun its environment sets the processes.
    """
    show = sys.stdout.isatty()
    callbacks: list[Callback] = [
        ModelCheckpoint(out, filename=Path(RESUME_FILE).stem, every_n_epochs=1, save_top_k=1,
                        monitor=None, enable_version_counter=False, save_on_train_epoch_end=True),
        RichProgressBar() if show else EpochLines(),
        *([] if record is None else [record]),
    ]
    if validation is not None:
        callbacks.append(OverlayPictures(WholeSamples(validation, config.augmentation)))
    if config.early_stopping:
        callbacks.append(EarlyStopping('val_max_f', patience=config.early_stopping, mode='max',
                                       check_on_train_epoch_end=False))
    if config.average_decay:
        # Last, as it swaps the averaged weights out again at the end of a validation.
        callbacks.append(MovingAverage(config.average_decay))
    processes = local_processes(config)
    options: dict[str, Any] = {} if validation is not None else {'limit_val_batches': 0}
    if processes * nodes() > 1:
        options['strategy'] = 'ddp'
    return Trainer(
        max_epochs=config.epochs, precision=cast(Any, config.precision), accelerator='auto',
        devices=processes, num_nodes=nodes(),
        callbacks=callbacks, plugins=[StateFile()], logger=make_loggers(config, out, steps),
        check_val_every_n_epoch=config.validate_every, num_sanity_val_steps=0,
        log_every_n_steps=10,
        accumulate_grad_batches=config.accumulate, use_distributed_sampler=False,
        enable_model_summary=False, enable_progress_bar=show, **options)


def fit(trainer: Trainer, module: SegmentationModule, data: RoadDataModule, state: Path | None
        ) -> None:
    """
    Train, from a state if one is given.

    Raises TrainingError where files cannot be written, KeyboardInterrupt after Ctrl-C.
    """
    with warnings.catch_warnings():
        # Lightning warns of few workers, of few batches, of its own log in the run's folder, of a
        # folder that was moved, and of its own use of PyTorch.
        warnings.filterwarnings('ignore', message='The dirpath has changed')
        warnings.filterwarnings('ignore', message='.*LeafSpec.*')
        warnings.filterwarnings('ignore', message='.*exists and is not empty.*')
        warnings.filterwarnings('ignore', message='.*does not have many workers.*')
        warnings.filterwarnings('ignore', message='.*smaller than the logging interval.*')
        try:
            trainer.fit(module, datamodule=data, ckpt_path=str(state) if state else None,
                        weights_only=True)
        except SystemExit:  # Lightning's answer to Ctrl-C
            raise KeyboardInterrupt from None
        except OSError as error:
            raise TrainingError(f'{error.filename or "the run"}: cannot go on '
                                f'({error.strerror or error}); the state of the last whole epoch '
                                'is kept: go on with --resume') from None
