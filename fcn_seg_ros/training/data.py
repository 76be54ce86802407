# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Batches of augmented samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fcn_seg_ros.datasets.base import InMemory, RoadDataset
from fcn_seg_ros.datasets.transforms import TrainingTransform
from fcn_seg_ros.inference.preprocess import network_size, resize_image
from fcn_seg_ros.training.config import TrainingConfig


class ShuffledEpochs(Sampler[tuple[int, int]]):
    """
    Yield (epoch, index) for every sample in an order that depends on (seed, epoch) alone.

    The epoch travels with the index, so that a worker process can draw an augmentation that
    depends on (seed, epoch, index) alone.
    """

    def __init__(self, length: int, seed: int) -> None:
        self._length = length
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields (Lightning calls this)."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of samples of an epoch."""
        return self._length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Yield (epoch, index)."""
        generator = torch.Generator().manual_seed(_mix(self._seed, self._epoch, 0))
        for index in torch.randperm(self._length, generator=generator).tolist():
            yield self._epoch, index


class AugmentedSamples(Dataset[tuple[Tensor, Tensor]]):
    """Augmented views of a dataset: a pure function of (seed, epoch, index)."""

    def __init__(self, dataset: RoadDataset, transform: TrainingTransform, seed: int) -> None:
        self._dataset = InMemory(dataset)
        self._transform = transform
        self._seed = seed

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return (image uint8 (3, h, w), labels int64 (h, w))."""
        epoch, index = key
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_mix(self._seed, epoch, index + 1))
            return self._transform(self._dataset[index])


class WholeSamples(Dataset[tuple[Tensor, Tensor]]):
    """Whole images at the size at which the segmenter runs them, with labels at their own."""

    def __init__(self, dataset: RoadDataset, network_height: int) -> None:
        self._dataset = dataset
        self._network_height = network_height

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return (image uint8 (3, h, w), labels uint8 (H, W))."""
        sample = self._dataset[index]
        height, width = sample.labels.shape
        size = network_size(height, width, self._network_height)
        image = torch.from_numpy(resize_image(sample.image, size)).permute(2, 0, 1)
        return image.contiguous(), torch.from_numpy(sample.labels)


class RoadDataModule(LightningDataModule):
    """The loaders of a run: augmented crops to train on, whole images to validate on."""

    def __init__(self, dataset: RoadDataset, validation: RoadDataset | None,
                 config: TrainingConfig) -> None:
        super().__init__()
        self._config = config
        self._dataset = dataset
        self._validation = validation

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Return the loader of augmented batches."""
        config = self._config
        samples = AugmentedSamples(self._dataset, TrainingTransform(config.augmentation),
                                   config.seed)
        return DataLoader(
            samples, batch_size=config.batch_size,
            # A last batch of one or two images would weigh as much as a full one.
            drop_last=len(self._dataset) >= config.batch_size,
            sampler=ShuffledEpochs(len(self._dataset), config.seed),
            num_workers=config.workers, persistent_workers=config.workers > 0,
            pin_memory=torch.cuda.is_available())

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]] | list[Any]:
        """Return the loader of whole validation images, one at a time as their sizes differ."""
        if self._validation is None:
            return []
        samples = WholeSamples(self._validation, self._config.augmentation.height)
        return DataLoader(samples, batch_size=1, num_workers=0)


def _mix(seed: int, epoch: int, index: int) -> int:
    """Return a 63-bit number in which every argument changes about half of the bits."""
    value = seed & 0xFFFFFFFF
    for part in (epoch, index):
        value = (value ^ part) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 29
    return value & 0x7FFFFFFFFFFFFFFF
