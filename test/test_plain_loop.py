# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The arithmetic of training against a plain PyTorch loop that shares none of it.

As a script, in several processes, this file trains the same network and saves its weights.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fcn_seg_ros.datasets.augmentation import Augmentation
from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.mixture import Mixture
from fcn_seg_ros.errors import TrainingError
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import RoadDataModule
from fcn_seg_ros.training.loss_weights import LossWeights
from fcn_seg_ros.training.module import SegmentationModule
from fcn_seg_ros.training.trainer import make_trainer

SIZE = (32, 48)
PLAIN = Augmentation(height=SIZE[0], crop=SIZE, scale=(0.9, 1.1))
SETTINGS = {'encoder_weights': 'none', 'precision': '32-true', 'workers': 0, 'epochs': 2,
            'augmentation': PLAIN, 'learning_rate': 0.02, 'warmup': 0.0, 'schedule': 'constant'}


class Uneven(RoadDataset):
    """Random images, of which some have few labels, and a teacher's answers to parts of them."""

    def __init__(self, length: int = 10, taught: bool = True) -> None:
        self._length, self._taught = length, taught

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Sample:
        chance = np.random.default_rng(index)
        labels = chance.integers(0, 2, SIZE).astype(np.uint8)
        labels[:, :4 * (index % 9)] = 255
        taught = chance.integers(0, 255, SIZE).astype(np.uint8)
        taught[:3 * (index % 7)] = 255
        image = chance.integers(0, 255, (*SIZE, 3)).astype(np.uint8)
        return Sample(str(index), image, labels, taught if self._taught else None)


class TinyNetwork(nn.Module):
    """An encoder with a norm, and a decoder."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.decoder = nn.Conv2d(8, 2, 1)
        self.encoder.stride8 = nn.Sequential()  # whose layers can be frozen: none
        nn.init.uniform_(self.encoder[1].running_var, 0.5, 2.0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.encoder(images))


def plain_loop(config: TrainingConfig, mixture: Mixture) -> dict[str, torch.Tensor]:
    """Return the weights after training with one large batch a step, by the textbook."""
    module = SegmentationModule(TinyNetwork(), config)  # for the normalisation of its images
    network = module.network.eval()
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim == 1]
    groups = [{'params': kernels, 'weight_decay': config.weight_decay},
              {'params': others, 'weight_decay': 0.0}]
    optimiser = (torch.optim.AdamW(groups, lr=config.learning_rate)
                 if config.optimiser == 'adamw' else
                 torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum,
                                 nesterov=True))
    averages: list[torch.Tensor] = []
    count = 0
    loader = RoadDataModule(mixture, None, config).train_dataloader()
    for epoch in range(config.epochs):
        loader.batch_sampler.set_epoch(epoch)
        batches = list(loader)
        for first in range(0, len(batches), config.accumulate):
            window = batches[first:first + config.accumulate]
            labels = torch.cat([batch.labels for batch in window]).long()
            logits = module(torch.cat([batch.images for batch in window]))
            weights = torch.tensor(config.loss.class_weights).expand(2)
            loss = F.cross_entropy(logits, labels, weights, ignore_index=255)
            if window[0].taught is not None:
                taught = torch.cat([batch.taught for batch in window])
                road = (taught / 254).clamp(max=1)
                divergence = F.kl_div(logits.log_softmax(1), torch.stack([1 - road, road], 1),
                                      reduction='none').sum(1)
                loss = loss + config.teacher_weight * divergence[taught != 255].mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), config.clip)
            optimiser.step()
            weights = [p.detach().clone() for p in network.parameters()]
            # The decay of TensorFlow's ExponentialMovingAverage, which counts from the first copy.
            decay = min(config.average_decay, (1 + count) / (10 + count)) if count else 0.0
            averages = [decay * a + (1 - decay) * w
                        for a, w in zip(averages or weights, weights, strict=True)]
            count += 1
    names = [name for name, _ in network.named_parameters()]
    return dict(zip(names, averages if config.average_decay else weights, strict=True))


def trained(config: TrainingConfig, mixture: Mixture, out: Path) -> dict[str, torch.Tensor]:
    """Return the weights as a run leaves them."""
    module = SegmentationModule(TinyNetwork(), config)
    make_trainer(config, out, None).fit(module, datamodule=RoadDataModule(mixture, None, config))
    return {name: value.detach() for name, value in module.network.named_parameters()}


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    start = dict(TinyNetwork().named_parameters())
    assert all((expected[name] - start[name]).abs().max() > 1e-3 for name in expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('changes', [
    {'batch_size': 2, 'accumulate': 2},  # windows of 4, 4 and 2 images
    {'batch_size': 1, 'accumulate': 3, 'loss': LossWeights(class_weights=(1.0, 3.0))},
    {'batch_size': 5, 'optimiser': 'sgd', 'weight_decay': 0.05, 'average_decay': 0.0},
    {'batch_size': 2, 'optimiser': 'adamw', 'weight_decay': 0.5, 'average_decay': 0.6},
    {'batch_size': 2, 'accumulate': 4, 'optimiser': 'sgd', 'clip': 0.1, 'learning_rate': 0.5},
])
def test_a_run_is_the_plain_loop(tmp_path, changes):
    config = TrainingConfig(**(SETTINGS | changes))
    mixture = Mixture([Uneven(taught=config.optimiser == 'adamw')])
    assert_equal(trained(config, mixture, tmp_path), plain_loop(config, mixture))


CONFIG = TrainingConfig(**SETTINGS, batch_size=2, accumulate=2,
                        loss=LossWeights(class_weights=(1.0, 3.0)))


def test_two_processes_are_the_plain_loop(tmp_path):
    result = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
         __file__, str(tmp_path)], capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[1])})
    assert result.returncode == 0, result.stdout + result.stderr
    found = torch.load(tmp_path / 'weights.pt', weights_only=True)
    assert_equal(found, plain_loop(CONFIG, Mixture([Uneven()])))


class Exploding(TinyNetwork):
    """A network whose answer is not a number from its seventh batch on."""

    batches = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.batches += 1
        return super().forward(images) * (math.nan if self.batches > 6 else 1)


@pytest.mark.parametrize('precision', ['32-true', 'bf16-mixed'])
def test_the_first_loss_that_is_no_number_ends_the_run(tmp_path, precision):
    """The second step of the second epoch: the state after the first one stays."""
    config = TrainingConfig(**(SETTINGS | {'precision': precision, 'clip': 0.0}), batch_size=2)
    module = SegmentationModule(Exploding(), config)
    with pytest.raises(TrainingError, match=r'the loss is nan in epoch 2, step 7; .*--resume '
                                            r'with a smaller .*\(it is 0.02\) or --clip 1$'):
        make_trainer(config, tmp_path, None).fit(
            module, datamodule=RoadDataModule(Mixture([Uneven()]), None, config))
    state = torch.load(tmp_path / 'last.ckpt', weights_only=True)
    assert (state['epoch'], state['global_step']) == (0, 5)
    assert all(value.isfinite().all() for value in module.network.parameters())


if __name__ == '__main__':
    weights = trained(CONFIG, Mixture([Uneven()]), Path(sys.argv[1]))
    if torch.distributed.get_rank() == 0:
        torch.save(weights, Path(sys.argv[1]) / 'weights.pt')
