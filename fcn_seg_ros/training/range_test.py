# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The learning rate range test: Smith, "Cyclical Learning Rates", WACV 2017, section 3.3.

The learning rate rises geometrically from step to step. Lightning's own finder gives all parameter
groups one rate, and looks for the steepest fall over the rate, which is always among the smallest;
here groups keep their proportions, and the fall is that over the rate's logarithm.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from fcn_seg_ros.errors import InputError, TrainingError
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import RoadDataModule

STEPS = 100
LOWEST, HIGHEST = 1e-6, 1.0
# The test stops when the smoothed loss is this many times its minimum.
DIVERGED = 3.0
# The first steps do not count, since their mean is over few batches.
SKIPPED = 10
_SMOOTHING = 0.9
_NAME = 'learning_rate'


def range_config(config: TrainingConfig) -> TrainingConfig:
    """Return the settings of the test: without a schedule, and the encoder learning at once."""
    return dataclasses.replace(config, schedule='constant', warmup=0.0, decoder_first=0.0,
                               learning_rate=LOWEST)


class RisingRate(Callback):
    """Raise the learning rate with every step, and note the loss of each."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._sums: dict[int, float] = {}

    @property
    def rates(self) -> np.ndarray:
        """Return the learning rate of each step that was made, float64 (steps,)."""
        return np.array([self._rate(step) for step in self._sums])

    @property
    def losses(self) -> np.ndarray:
        """Return the loss of each step, float64 (steps,)."""
        return np.array(list(self._sums.values()))

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any,
                             batch_idx: int) -> None:
        """Set the rate of every group, in proportion to its initial rate."""
        self._step = trainer.global_step
        for group in trainer.optimizers[0].param_groups:
            group['lr'] = group['initial_lr'] / LOWEST * self._rate(self._step)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any,
                           batch: Any, batch_idx: int) -> None:
        """Add the batch's share of its step's loss, and stop where the loss explodes."""
        share = float(outputs['loss'])
        self._sums[self._step] = self._sums.get(self._step, 0.0) + share
        found = smooth(self.losses)
        trainer.should_stop = bool(found[-1] > DIVERGED * found.min())

    def _rate(self, step: int) -> float:
        return float(LOWEST * (HIGHEST / LOWEST) ** (step / max(1, self._steps - 1)))


def find_learning_rate(module: LightningModule, data: RoadDataModule, config: TrainingConfig,
                       out: Path, steps: int = STEPS) -> float:
    """
    Return the learning rate at which the loss falls fastest, and write the curve.

    ``module`` and ``data`` have the settings of ``range_config``; the module is spoilt by it.
    ``out`` receives ``learning_rate.csv`` and, with matplotlib, ``learning_rate.png``. Raises
    InputError where the loss does not fall.
    """
    rising = RisingRate(steps)
    trainer = Trainer(max_steps=steps, max_epochs=-1, devices=1, callbacks=[rising], logger=False,
                      accelerator='auto', precision=cast(Any, config.precision),
                      accumulate_grad_batches=config.accumulate, limit_val_batches=0,
                      use_distributed_sampler=False, enable_checkpointing=False,
                      enable_progress_bar=False, enable_model_summary=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # Lightning's, of a run without loggers and so on
            trainer.fit(module, datamodule=data)
    except TrainingError:
        pass  # so far the curve reaches
    # With accumulated batches, a loss that is no number comes before the step that it ends.
    finite = int(np.isfinite(rising.losses).cumprod().sum())
    rates, losses = rising.rates[:finite], rising.losses[:finite]
    make_folder(out)
    write_file(out / f'{_NAME}.csv', _table(rates, losses))
    best = suggest(rates, losses)
    plot = _plot(rates, losses, best)
    if plot:
        write_file(out / f'{_NAME}.png', plot)
    if math.isnan(best):
        raise InputError(f'find_learning_rate: expected a loss that falls within {len(losses)} '
                         f'steps, found none: see {out / _NAME}.csv')
    return best


def smooth(losses: np.ndarray) -> np.ndarray:
    """Return the exponential moving average of (steps,) losses, without a bias to the start."""
    total, found = 0.0, []
    for number, loss in enumerate(losses, start=1):
        total = _SMOOTHING * total + (1 - _SMOOTHING) * loss
        found.append(total / (1 - _SMOOTHING ** number))
    return np.array(found)


def suggest(rates: np.ndarray, losses: np.ndarray) -> float:
    """
    Return the rate where the smoothed loss falls fastest over the rate's logarithm.

    It is rounded to two digits, and NaN where the loss does not fall.
    """
    found = smooth(losses)
    if len(found) < 2 or (lowest := int(found.argmin())) <= SKIPPED:
        return math.nan
    falls = np.gradient(found, np.log(rates))[SKIPPED:lowest + 1]
    return float(f'{rates[SKIPPED + falls.argmin()]:.1e}') if falls.min() < 0 else math.nan


def _table(rates: np.ndarray, losses: np.ndarray) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator='\n')
    table.writerow(('step', _NAME, 'loss', 'smoothed_loss'))
    table.writerows((step, f'{rate:.6g}', f'{loss:.6g}', f'{mean:.6g}') for step, (
        rate, loss, mean) in enumerate(zip(rates, losses, smooth(losses), strict=True), start=1))
    return text.getvalue().encode()


def _plot(rates: np.ndarray, losses: np.ndarray, best: float) -> bytes:
    """Return the curve as PNG, b'' without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return b''
    figure = Figure(figsize=(7, 4), layout='constrained')
    axes = figure.add_subplot()
    axes.plot(rates, losses, color='0.75', label='loss')
    axes.plot(rates, smooth(losses), label='smoothed')
    if not math.isnan(best):
        axes.axvline(best, color='C1', label=f'steepest: {best:g}')
    axes.set(xscale='log', xlabel='learning rate', ylabel='loss')
    axes.set_ylim(0, 1.2 * float(np.quantile(losses, 0.9)))
    axes.grid(alpha=0.3)
    axes.legend()
    content = io.BytesIO()
    figure.savefig(content, format='png', dpi=120)
    return content.getvalue()
