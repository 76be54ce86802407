# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what the trainer costs beside its arithmetic, and whether the loader keeps up.

    python benchmarks/measure_training.py --train 'kitti:data/kitti_road?split=train'

prints images a second of the loader alone, of a plain PyTorch loop, and of ``train``'s trainer
doing the same steps (same network, loss, precision, optimiser, clipping, moving average), the two
in turns so that a busy machine hurts both alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import source_tree  # noqa: F401
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fcn_seg_ros.datasets.mixture import Mixture
from fcn_seg_ros.datasets.registry import open_datasets, parse_spec
from fcn_seg_ros.models.encoders.base import freeze_batch_norm
from fcn_seg_ros.models.fcn import make_network
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import RoadDataModule
from fcn_seg_ros.training.losses import segmentation_loss
from fcn_seg_ros.training.module import SegmentationModule
from fcn_seg_ros.training.schedules import make_optimiser, make_schedule
from fcn_seg_ros.training.trainer import make_trainer

WARM_UP = 5


class StepClock(Callback):
    """Note when every step ended, and stop after so many."""

    def __init__(self, steps: int) -> None:
        """Remember the number of steps."""
        self.steps = steps
        self.ends: list[float] = []

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        """Note the time."""
        self.ends.append(time.perf_counter())
        if len(self.ends) >= self.steps:
            trainer.should_stop = True
            trainer.fit_loop.epoch_loop.max_steps = trainer.global_step


def rate(ends: list[float], batch_size: int) -> float:
    """Return images a second after the warm-up."""
    ends = ends[WARM_UP:]
    return batch_size * (len(ends) - 1) / (ends[-1] - ends[0])


def module_of(config: TrainingConfig) -> SegmentationModule:
    """Return a module with a fresh network, as a run makes it."""
    network = make_network(config.encoder, config.decoder, 2)
    return SegmentationModule(network.to(memory_format=torch.channels_last), config)


def trainer_rate(config: TrainingConfig, mixture: Mixture, steps: int) -> float:
    """Train with the shipped trainer."""
    clock = StepClock(steps)
    with tempfile.TemporaryDirectory() as out:
        trainer = make_trainer(config, Path(out), None)
        trainer.callbacks.insert(0, clock)
        trainer.fit(module_of(config), datamodule=RoadDataModule(mixture, None, config))
    return rate(clock.ends, config.batch_size)


def loop_rate(config: TrainingConfig, mixture: Mixture, steps: int) -> float:
    """Train with the plainest loop that does the same steps."""
    module = module_of(config).train()
    freeze_batch_norm(module.network)
    loader = RoadDataModule(mixture, None, config).train_dataloader()
    optimiser = make_optimiser(module.network, config)
    schedule = make_schedule(optimiser, config, config.epochs * len(loader))
    average = AveragedModel(module, use_buffers=True,
                            multi_avg_fn=get_ema_multi_avg_fn(config.average_decay))
    ends: list[float] = []
    epoch = 0
    while len(ends) < steps:
        loader.batch_sampler.set_epoch(epoch)
        epoch += 1
        for batch in loader:
            with torch.autocast('cpu', torch.bfloat16):
                loss = segmentation_loss(module(batch.images), batch.labels.long(), config.loss)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), config.clip)
            optimiser.step()
            schedule.step()
            average.update_parameters(module)
            ends.append(time.perf_counter())
            if len(ends) == steps:
                break
    return rate(ends, config.batch_size)


def loader_rate(config: TrainingConfig, mixture: Mixture, steps: int) -> float:
    """Draw the batches and do nothing with them; the second pass, with images in memory."""
    loader = RoadDataModule(mixture, None, config).train_dataloader()
    ends: list[float] = []
    for epoch in range(1 + steps // max(1, len(loader)) + 1):
        loader.batch_sampler.set_epoch(epoch)
        for _ in loader:
            if epoch:
                ends.append(time.perf_counter())
    return rate(ends[:steps + WARM_UP], config.batch_size)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--train', nargs='+', default=['rendered?drives=6&frames=8'])
    parser.add_argument('--steps', type=int, default=30)
    parser.add_argument('--turns', type=int, default=3)
    options = parser.parse_args()
    config = TrainingConfig(train=tuple(options.train), epochs=1000)
    mixture = open_datasets([parse_spec(text) for text in config.train])
    rates: dict[Any, list[float]] = {loop_rate: [], trainer_rate: []}
    for turn in range(options.turns):
        # Whoever comes second finds a warmer machine, or a hotter one: they take turns at it.
        for measure in sorted(rates, key=lambda one: (one is trainer_rate) != turn % 2):
            rates[measure].append(measure(config, mixture, options.steps))
    ratios = [b / a for a, b in zip(rates[loop_rate], rates[trainer_rate], strict=True)]
    loop, trainer = (statistics.median(values) for values in rates.values())
    loader = loader_rate(config, mixture, options.steps)
    print(json.dumps({
        'images_per_second': {'loader': round(loader, 2), 'loop': round(loop, 2),
                              'trainer': round(trainer, 2)},
        'trainer_over_loop': round(statistics.median(ratios), 3),
        'trainer_over_loop_each': [round(ratio, 3) for ratio in ratios],
        'loader_over_trainer': round(loader / trainer, 2)}))


if __name__ == '__main__':
    main()
