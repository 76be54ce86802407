# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Report a run's progress: lines for logs, pictures for TensorBoard."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, WeightAveraging
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import Dataset

from fcn_seg_ros.inference.postprocess import draw_overlay, probability_to_mask
from fcn_seg_ros.inference.preprocess import resize_image
from fcn_seg_ros.training.module import EPOCH


class EpochLines(Callback):
    """Print a line for each epoch, and every minute of a long one, with the time left: for logs."""

    def __init__(self, every_s: float = 60.0) -> None:
        super().__init__()
        self._every_s = every_s

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record when the run began or resumed."""
        self._run_start = time.monotonic()
        self._first = trainer.current_epoch
        self._validated = -1

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record when the epoch began."""
        self._start = self._last = time.monotonic()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any,
                           batch: Any, batch_idx: int) -> None:
        """Print how far the epoch is, if no line has come for a while."""
        if not trainer.is_global_zero or time.monotonic() - self._last < self._every_s:
            return
        self._last = time.monotonic()
        batches = int(trainer.num_training_batches)
        print(f'epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  batch {batch_idx + 1}/'
              f'{batches}  loss {float(trainer.callback_metrics["loss"]):.4g}  '
              f'({self._left(trainer, (batch_idx + 1) / batches)})', flush=True)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record that the epoch has scores of its own."""
        self._validated = trainer.current_epoch

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the epoch's mean loss, its score if there is one, duration and the time left."""
        if not trainer.is_global_zero:
            return
        found = {name: float(value) for name, value in trainer.callback_metrics.items()}
        shown = {name.removeprefix(EPOCH): value for name, value in found.items()
                 if name.startswith(EPOCH)}
        if self._validated == trainer.current_epoch:  # Lightning keeps the scores of earlier ones
            shown |= {name: value for name, value in found.items() if name.startswith('val_')}
        text = '  '.join(f'{name} {value:.4g}' for name, value in shown.items())
        print(f'epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {text}  '
              f'({time.monotonic() - self._start:.1f} s, {self._left(trainer, 1)})', flush=True)

    def _left(self, trainer: Trainer, share: float) -> str:
        """Return the time left, where a share of the epoch is done, in words."""
        done = trainer.current_epoch + share
        each = (time.monotonic() - self._run_start) / (done - self._first)
        return f'{each * ((trainer.max_epochs or 0) - done) / 60:.1f} min left'


class MovingAverage(WeightAveraging):
    """
    Keep the exponential moving average of weights and buffers, updated after every step.

    One operation updates them all, where Lightning's EMAWeightAveraging goes one by one. After n
    steps the decay is at most (1 + n) / (10 + n), so that the random start fades from a short run.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=True, multi_avg_fn=partial(average, decay))


@torch.no_grad()
def average(decay: float, averaged: list[Tensor], current: list[Tensor], count: Tensor | int
            ) -> None:
    """Update the averages in place; ``count`` steps went before."""
    get_ema_multi_avg_fn(min(decay, (1 + int(count)) / (10 + int(count))))(
        averaged, current, count)


class OverlayPictures(Callback):
    """Write a few validation images with their road overlay to TensorBoard."""

    def __init__(self, samples: Dataset[tuple[Tensor, ...]], count: int = 4) -> None:
        super().__init__()
        self._samples = samples
        self._count = count

    @torch.no_grad()
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Draw overlays of images spread over the validation set."""
        board: Any = getattr(trainer.logger, 'experiment', None)
        if not trainer.is_global_zero or board is None:
            return
        length = len(self._samples)  # type: ignore[arg-type]
        classes = pl_module.classes
        colour = classes.palette[classes.road_ids[0]]
        for number in range(min(self._count, length)):
            image, *_ = self._samples[number * length // self._count]
            size = (image.shape[-2], image.shape[-1])
            road = pl_module.road_probability(image[None].to(pl_module.device), size)[0]
            levels = (255 * road).round().to(torch.uint8).cpu().numpy()
            overlay = draw_overlay(image.permute(1, 2, 0).contiguous().numpy(),
                                   probability_to_mask(levels, 0.5), colour, 0.45)
            board.add_image(f'validation/{number}', resize_image(overlay, (size[0] // 2,
                            size[1] // 2)), trainer.global_step, dataformats='HWC')
