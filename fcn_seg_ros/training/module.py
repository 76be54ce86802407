# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training step: pixel-wise cross entropy with weight decay."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.models.encoders import freeze_batch_norm
from fcn_seg_ros.training.config import ROAD_IDS, TrainingConfig


class SegmentationModule(LightningModule):
    """
    Trains ``network`` on batches (uint8 (N, 3, H, W) RGB, int64 (N, H, W) labels).

    ``convention`` is one of INPUT_CONVENTIONS' values.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, config: TrainingConfig,
                 convention: tuple[tuple[float, ...], tuple[float, ...], str]) -> None:
        super().__init__()
        mean, std, order = convention
        self.network = network
        self.config = config
        self._counts = RoadCounts()
        self._swap = order == 'bgr'
        self.register_buffer('mean', 255 * torch.tensor(mean).reshape(1, 3, 1, 1))
        self.register_buffer('std', 255 * torch.tensor(std).reshape(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, float (N, classes, H, W), of uint8 RGB images."""
        if self._swap:
            images = images.flip(1)
        normalised = (images.float() - self.mean) / self.std
        logits: Tensor = self.network(normalised.contiguous(memory_format=torch.channels_last))
        return logits

    def on_train_epoch_start(self) -> None:
        """Keep the pretrained statistics of batch norm."""
        if self.config.freeze_norm:
            freeze_batch_norm(self.network)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Return the mean cross entropy over labelled pixels."""
        images, labels = batch
        loss = cross_entropy(self(images), labels)
        self.log('loss', loss, prog_bar=True)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Count from zero."""
        self._counts = RoadCounts()

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Count one whole image; the probability is scaled to the labels' size before."""
        image, labels = batch
        road = self(image).float().softmax(dim=1)[:, list(ROAD_IDS)].sum(dim=1, keepdim=True)
        road = F.interpolate(road, labels.shape[-2:], mode='bilinear')
        probability = (255 * road[0, 0]).round().to(torch.uint8)
        self._counts.update(probability.cpu().numpy(), labels[0].cpu().numpy())

    def on_validation_epoch_end(self) -> None:
        """Log MaxF and IoU of the validation images, in perspective view, in percent."""
        scores = self._counts.compute()
        self.log('val_max_f', 100 * scores.max_f, prog_bar=True)
        self.log('val_iou', 100 * scores.iou, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """Return AdamW and a warm-up followed by a cosine to zero, stepped every batch."""
        config = self.config
        optimiser = torch.optim.AdamW(parameter_groups(self.network, config.weight_decay),
                                      lr=config.learning_rate)
        total = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: warm_cosine(step, total, config.warmup))
        return {'optimizer': optimiser,
                'lr_scheduler': {'scheduler': schedule, 'interval': 'step'}}


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """
    Return the mean pixel-wise cross entropy, leaving out unlabelled pixels (255).

    ``logits`` (N, C, H, W), ``labels`` int64 (N, H, W). A batch without any labelled pixel costs
    0, so that it cannot turn the weights into NaN.
    """
    total = F.cross_entropy(logits.float(), labels, ignore_index=IGNORE, reduction='sum')
    return total / (labels != IGNORE).sum().clamp(min=1)


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the optimiser's groups: kernels are decayed, biases and norms (one axis) are not."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [{'params': [p for p in parameters if p.ndim > 1], 'weight_decay': weight_decay},
            {'params': [p for p in parameters if p.ndim <= 1], 'weight_decay': 0.0}]


def warm_cosine(step: int, total: int, warmup: float) -> float:
    """Return the share of the learning rate at a step: a linear rise, then a cosine to 0."""
    rise = max(1, round(total * warmup))
    if step < rise:
        return (step + 1) / rise
    progress = (step - rise) / max(1, total - rise)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
