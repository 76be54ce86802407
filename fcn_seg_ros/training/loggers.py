# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The loggers of a run: files in its folder, and experiment trackers."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, cast

from lightning.pytorch.loggers import (
    Logger,
    MLFlowLogger,
    TensorBoardLogger,
    WandbLogger,
)
from lightning.pytorch.utilities import rank_zero_only

from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.files import write_file
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.metrics import MetricsLogger

PROJECT = 'fcn_seg_ros'
# The file with a tracker's run, for a resumed run to continue.
_RUN_FILE = '{}_run.txt'


def make_loggers(config: TrainingConfig, out: Path, steps: int = 0) -> list[Logger]:
    """
    Return the loggers of a run that has done ``steps``: TensorBoard, CSV and its ``trackers``.

    Weights & Biases and MLflow read where to send figures from their own environment variables;
    without any, MLflow writes to ``out/mlflow.db``. They must be installed (see ``check_run``).
    Raises InputError for one that cannot start a run.
    """
    loggers: list[Logger] = [
        TensorBoardLogger(out, name='', version='tensorboard', purge_step=steps),
        MetricsLogger(out / 'metrics', steps)]
    for tracker in config.trackers:
        try:
            logger = _MAKERS[tracker](out)
            _note_run(out, tracker, logger)
            logger.log_hyperparams(dataclasses.asdict(config))
        except Exception as error:  # no account, no server, a version that wants other settings
            raise InputError(f'trackers: {tracker} starts no run ({type_and_words(error)})'
                             ) from None
        loggers.append(logger)
    return loggers


def _wandb(out: Path) -> Logger:
    known = _known_run(out, 'wandb')
    return WandbLogger(name=out.name, save_dir=out, project=PROJECT, id=known,
                       resume='allow' if known else None)


def _mlflow(out: Path) -> Logger:
    place = os.environ.get('MLFLOW_TRACKING_URI') or f'sqlite:///{(out / "mlflow.db").resolve()}'
    return MLFlowLogger(PROJECT, out.name, tracking_uri=place, run_id=_known_run(out, 'mlflow'))


_MAKERS = {'wandb': _wandb, 'mlflow': _mlflow}


def _known_run(out: Path, tracker: str) -> str | None:
    path = out / _RUN_FILE.format(tracker)
    return path.read_text().strip() if path.is_file() else None


@rank_zero_only
def _note_run(out: Path, tracker: str, logger: Logger) -> None:
    """Start the tracker's run, and note its name, so that a resumed run goes on with it."""
    run = logger.run_id if isinstance(logger, MLFlowLogger) else cast(Any, logger).experiment.id
    write_file(out / _RUN_FILE.format(tracker), f'{run}\n'.encode())
