# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Batches of augmented samples."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, Subset

from fcn_seg_ros.datasets.augmentation import Augmentation
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.mixture import Mixture, mix_seed
from fcn_seg_ros.datasets.shared_samples import SharedSamples
from fcn_seg_ros.datasets.transforms import TrainingTransform
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.preprocess import network_size, resize_image, rows_of_area
from fcn_seg_ros.processes import die_with
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.windows import WindowLoader

# One view of a sample: epoch, index, and how often this epoch has used the index before.
Key = tuple[int, int, int]


class EpochBatches(Sampler[list[Key]]):
    """
    Yield the batches of an epoch, a function of (seed, epoch).

    Each key carries the epoch, so that workers draw augmentations from (seed, epoch, index) alone:
    a killed run resumes as if it had never stopped. Process ``rank`` of ``world`` gets its share of
    every batch; ``batch_size`` is the total.
    """

    def __init__(self, mixture: Mixture, batch_size: int, seed: int, rank: int = 0,
                 world: int = 1) -> None:
        if batch_size % world:
            raise InputError(f'batch_size: expected a multiple of the {world} processes, '
                             f'found {batch_size}')
        self._mixture = mixture
        self._batch_size = min(batch_size, mixture.epoch_length // world * world)
        self._seed = seed
        self._rank, self._world = rank, world
        self._epoch = 0
        # Lightning calls ``set_epoch`` on the ``sampler`` of a batch sampler.
        self.sampler = self

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration (called by Lightning)."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of full batches; a smaller last one would weigh too much."""
        return self._mixture.epoch_length // self._batch_size

    def __iter__(self) -> Iterator[list[Key]]:
        """Yield the keys of each batch."""
        draws = self._mixture.draws(self._seed, self._epoch)
        keys = [(self._epoch, index, copy) for index, copy in draws]
        for number in range(len(self)):
            batch = keys[number * self._batch_size:(number + 1) * self._batch_size]
            yield batch[self._rank::self._world]


class AugmentedSamples(Dataset[tuple[Tensor, ...]]):
    """Augmented views of a dataset: a pure function of (seed, key)."""

    def __init__(self, dataset: RoadDataset, transform: TrainingTransform, seed: int) -> None:
        self._dataset = dataset
        self._transform = transform
        self._seed = seed

    def __getitem__(self, key: Key) -> tuple[Tensor, ...]:
        """Return (image uint8 (3, h, w), labels int64 (h, w)), and the teacher's answer if any."""
        epoch, index, copy = key
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mix_seed(self._seed + 7919 * copy, epoch, index + 1))
            return self._transform(self._dataset[index])


class WholeSamples(Dataset[tuple[Tensor, ...]]):
    """Whole images at the network's input size, with labels (and codes) at the original size."""

    def __init__(self, dataset: RoadDataset, augmentation: Augmentation) -> None:
        self._dataset = dataset
        self._augmentation = augmentation

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Return (image uint8 (3, h, w), labels uint8 (H, W)), and the sample's codes if any."""
        sample = self._dataset[index]
        height, width = sample.labels.shape
        pixels = self._augmentation.pixels
        rows = rows_of_area(height, width, pixels) if pixels else self._augmentation.height
        size = network_size(height, width, rows)
        image = torch.from_numpy(resize_image(sample.image, size)).permute(2, 0, 1)
        codes = [] if sample.codes is None else [torch.from_numpy(sample.codes)]
        return image.contiguous(), torch.from_numpy(sample.labels), *codes


def _obey_parent(_: int) -> None:
    """End with the process that forked this one: Ctrl-C, which reaches both, is for that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    die_with(os.getppid())


class RoadDataModule(LightningDataModule):
    """The loaders of a run: augmented crops to train on, whole images to validate on."""

    def __init__(self, mixture: Mixture, validation: RoadDataset | None,
                 config: TrainingConfig) -> None:
        super().__init__()
        self._config = config
        self._mixture = mixture
        self._validation = validation

    def train_dataloader(self) -> WindowLoader:
        """Return the loader of augmented batches."""
        config, (rank, world) = self._config, self._place()
        samples = AugmentedSamples(SharedSamples(self._mixture, config.image_memory * 10**6),
                                   TrainingTransform(config.augmentation), config.seed)
        batches = EpochBatches(self._mixture, config.batch_size, config.seed, rank, world)
        return WindowLoader(samples, config.accumulate, batch_sampler=batches,
                            num_workers=config.workers,
                            persistent_workers=config.workers > 0,
                            worker_init_fn=_obey_parent,
                            # Only a forked worker shares the samples.
                            multiprocessing_context='fork' if config.workers else None,
                            pin_memory=torch.cuda.is_available())

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]] | list[Any]:
        """Return this process's share of the validation images, one at a time."""
        if self._validation is None:
            return []
        rank, world = self._place()
        samples = WholeSamples(self._validation, self._config.augmentation)
        share = Subset(samples, range(rank, len(samples), world))
        return DataLoader(share, batch_size=1, num_workers=0)

    def _place(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank,
                                                    self.trainer.world_size)
