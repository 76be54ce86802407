# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what the moving average of the weights gives short runs.

One run keeps the last weights and two averages: that of `train`, whose decay rises from step to
step, and one whose decay is the same from the first step on. MaxF of all three on --val, at the end
of runs of so many steps, as the schedule falls to zero in each.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fcn_seg_ros.datasets.registry import open_dataset, open_datasets, parse_spec
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.models.encoders import pretrained_state
from fcn_seg_ros.models.encoders.base import freeze_batch_norm
from fcn_seg_ros.models.fcn import make_network
from fcn_seg_ros.training.callbacks import average
from fcn_seg_ros.training.config import TrainingConfig, read_config, with_values
from fcn_seg_ros.training.data import RoadDataModule
from fcn_seg_ros.training.losses import segmentation_loss
from fcn_seg_ros.training.module import SegmentationModule
from fcn_seg_ros.training.schedules import make_optimiser, make_schedule
from fcn_seg_ros.training.windows import Batch


def batches(data: RoadDataModule) -> Iterator[Batch]:
    """Yield batches without end."""
    loader = data.train_dataloader()
    for epoch in itertools.count():
        loader.batch_sampler.set_epoch(epoch)
        yield from loader


@torch.no_grad()
def max_f(module: SegmentationModule, data: RoadDataModule) -> float:
    """Return MaxF in percent."""
    counts = RoadCounts()
    for image, labels in data.val_dataloader():
        road = module.road_probability(image, tuple(labels.shape[-2:]))[0]
        counts.update((255 * road).round().byte().numpy(), labels[0].numpy())
    return 100 * counts.compute().max_f


def measure(config: TrainingConfig, data: RoadDataModule, steps: int) -> dict[str, float]:
    """Train for ``steps`` and return MaxF of each kind of weights."""
    torch.manual_seed(config.seed)
    network = make_network(config.encoder, config.decoder, 2,
                           pretrained_state(config.encoder, config.encoder_weights))
    module = SegmentationModule(network, config).train()
    freeze_batch_norm(network)
    optimiser = make_optimiser(network, config)
    schedule = make_schedule(optimiser, config, steps)
    kinds = {'rising decay': partial(average, config.average_decay),
             'one decay': get_ema_multi_avg_fn(config.average_decay)}
    averages = {name: AveragedModel(module, use_buffers=True, multi_avg_fn=kind)
                for name, kind in kinds.items()}
    # torch's own average begins with a copy of the first step; ours alike.
    for batch in itertools.islice(batches(data), steps):
        loss = segmentation_loss(module(batch.images), batch.labels.long(), config.loss)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimiser.step()
        schedule.step()
        for model in averages.values():
            model.update_parameters(module)
    found = {'last': module, **{name: model.module for name, model in averages.items()}}
    return {name: max_f(model.eval(), data) for name, model in found.items()}


def main() -> None:
    """Print a line for each number of steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--config', default='config/train_kitti.yaml')
    parser.add_argument('--train', required=True)
    parser.add_argument('--val', required=True)
    parser.add_argument('--encoder-weights', default='imagenet')
    parser.add_argument('--height', type=int, default=192)
    parser.add_argument('--steps', nargs='+', type=int, default=[20, 40, 80])
    options = parser.parse_args()
    config = with_values(read_config(options.config), {
        'encoder_weights': options.encoder_weights, 'height': options.height, 'batch_size': 4,
        'crop': (options.height * 5 // 6 // 32 * 32, options.height * 13 // 6 // 32 * 32)})
    data = RoadDataModule(open_datasets([parse_spec(options.train)]),
                          open_dataset(parse_spec(options.val)), config)
    for steps in options.steps:
        found = measure(config, data, steps)
        print(f'{steps} steps:', ', '.join(f'{name} {np.round(value, 1)}'
                                           for name, value in found.items()), flush=True)


if __name__ == '__main__':
    main()
