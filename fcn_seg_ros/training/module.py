# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training step and the validation score."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from fcn_seg_ros.datasets.class_labels import LabelCodes
from fcn_seg_ros.errors import TrainingError
from fcn_seg_ros.evaluation.class_scores import ClassCounts
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.models.encoders import INPUT_CONVENTIONS
from fcn_seg_ros.models.encoders.base import Encoder, freeze_batch_norm
from fcn_seg_ros.models.fcn import FCN
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.losses import distillation, segmentation_loss
from fcn_seg_ros.training.normalise import normalise
from fcn_seg_ros.training.schedules import go_on, make_optimiser, make_schedule
from fcn_seg_ros.training.windows import Batch

# The prefix of means over an epoch.
EPOCH = 'epoch_'


class SegmentationModule(LightningModule):
    """
    Trains a network.

    The gradients of a window of batches add up to that of one large batch (see ``windows``).
    """

    mean: Tensor
    std: Tensor
    members: Tensor

    def __init__(self, network: FCN, config: TrainingConfig) -> None:
        super().__init__()
        mean, std, order = INPUT_CONVENTIONS[config.resolved_convention]
        self.network = network
        self.config = config
        self.classes = config.class_list
        self._counts = RoadCounts()
        # Those of the batches since the last step.
        self._losses: list[Tensor] = []
        self._swap = order == 'bgr'
        self._frozen = freeze(network.encoder, config)
        self._encoder_parameters = [p for p in network.encoder.parameters() if p.requires_grad]
        self.register_buffer('members', torch.from_numpy(LabelCodes(self.classes).members),
                             persistent=False)
        self.register_buffer('mean', 255 * torch.tensor(mean).reshape(1, 3, 1, 1))
        self.register_buffer('std', 255 * torch.tensor(std).reshape(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, float (N, classes, H, W), of uint8 RGB images."""
        logits: Tensor = self.network(normalise(images, self.mean, self.std, self._swap))
        return logits

    def road_probability(self, images: Tensor, size: tuple[int, int]) -> Tensor:
        """Return P(road) of uint8 images, float (N, H, W), scaled to ``size``."""
        return self._road(self(images).float().softmax(dim=1), size)

    def _road(self, shares: Tensor, size: tuple[int, int]) -> Tensor:
        road = shares[:, list(self.classes.road_ids)].sum(dim=1, keepdim=True)
        return F.interpolate(road, size, mode='bilinear')[:, 0]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave out the state of the schedule, which has the settings before a change."""
        checkpoint['lr_schedulers'] = []

    def on_train_start(self) -> None:
        """Go on where the run was, with the settings of now."""
        if self.global_step:
            optimiser, schedule = self.optimizers(use_pl_optimizer=False), self.lr_schedulers()
            assert isinstance(optimiser, Optimizer) and isinstance(schedule, LRScheduler)
            go_on(optimiser, schedule, self.network, self.config,
                  int(self.trainer.estimated_stepping_batches), self.global_step)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Start training the encoder after the steps of ``decoder_first``."""
        steps = self.trainer.estimated_stepping_batches
        learns = self.global_step >= round(self.config.decoder_first * steps)
        for parameter in self._encoder_parameters:
            parameter.requires_grad_(learns)

    def on_train_epoch_start(self) -> None:
        """Keep the pretrained statistics of batch norm, those of frozen layers in any case."""
        for part in [self.network] if self.config.freeze_norm else self._frozen:
            freeze_batch_norm(part)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Return a batch's share of its window's loss, times ``accumulate``: Lightning divides."""
        logits = self(batch.images)
        loss = segmentation_loss(logits, batch.labels.long(), self.config.loss, batch.window,
                                 self.members)
        self._log('loss', loss, batch)
        if batch.taught is not None:
            learned = distillation(logits, batch.taught, batch.window, self.classes.road_ids)
            self._log('distillation', learned, batch)
            loss = loss + self.config.teacher_weight * learned
        self._losses.append(loss.detach())
        return loss * self.config.accumulate

    def on_train_epoch_end(self) -> None:
        """Log the learning rate of the decoder, whose group is the last."""
        self.log('learning_rate', float(self.trainer.optimizers[0].param_groups[-1]['lr']),
                 sync_dist=True)

    def _log(self, name: str, share: Tensor, batch: Batch) -> None:
        """Log what a batch adds to its window's mean, now and then, and the mean of an epoch."""
        value = share.detach() * batch.window.batches
        self.log(name, value, prog_bar=True)
        self.log(f'{EPOCH}{name}', value, on_step=False, on_epoch=True, sync_dist=True,
                 batch_size=1)

    def configure_gradient_clipping(self, optimizer: Optimizer, *_: Any, **__: Any) -> None:
        """Clip the gradient; raises TrainingError before a step that is not a number."""
        parameters = [p for group in optimizer.param_groups for p in group['params']]
        norm = clip_grad_norm_(parameters, self.config.clip or math.inf)
        loss, size = torch.stack([torch.stack(self._losses).sum(), norm.float()]).tolist()
        self._losses.clear()
        # In fp16 the loss is scaled until gradients fit: Lightning leaves out steps where one does
        # not.
        if math.isfinite(loss) and (math.isfinite(size) or self.config.precision == '16-mixed'):
            return
        wrong = f'the gradient is {size}' if math.isfinite(loss) else f'the loss is {loss}'
        remedies = [f'a smaller --learning-rate (it is {self.config.learning_rate:g})']
        remedies += [] if self.config.clip else ['--clip 1']
        remedies += ['--precision bf16-mixed'] if self.config.precision == '16-mixed' else []
        kept = ('the state after the epoch before is kept: try --resume with' if self.current_epoch
                else 'try')
        raise TrainingError(f'{wrong} in epoch {self.current_epoch + 1}, step '
                            f'{self.global_step + 1}; {kept} {" or ".join(remedies)}')

    def on_validation_epoch_start(self) -> None:
        """Reset the counts."""
        self._counts = RoadCounts()
        self._confusion = ClassCounts(self.classes)

    def validation_step(self, batch: tuple[Tensor, ...], _: int) -> None:
        """Score one whole image, at the labels' size."""
        image, labels, *codes = batch
        size = (labels.shape[-2], labels.shape[-1])
        shares = self(image).float().softmax(dim=1)
        levels = (255 * self._road(shares, size)[0]).round().to(torch.uint8)
        self._counts.update(levels.cpu().numpy(), labels[0].cpu().numpy())
        if codes:
            mask = F.interpolate(shares, size, mode='bilinear')[0].argmax(dim=0)
            self._confusion.update_codes(mask.cpu().numpy(), codes[0][0].cpu().numpy())

    def on_validation_epoch_end(self) -> None:
        """
        Log MaxF and IoU of the road over the images of all processes, in perspective, in percent.

        With several classes their mean IoU follows.
        """
        scores = RoadCounts(self._over_processes(self._counts.histogram)).compute()
        self.log('val_max_f', 100 * scores.max_f, prog_bar=True, sync_dist=True)
        self.log('val_iou', 100 * scores.iou, prog_bar=True, sync_dist=True)
        self._confusion.confusion = self._over_processes(self._confusion.confusion)
        classes = self._confusion.compute()
        if classes is not None:
            self.log('val_mean_iou', 100 * classes.mean_iou, prog_bar=True, sync_dist=True)

    def _over_processes(self, counts: np.ndarray) -> np.ndarray:
        """Return the sum of the counts of all processes."""
        total = torch.from_numpy(counts).to(self.device)
        if dist.is_available() and dist.is_initialized():
            dist.all_reduce(total)
        summed: np.ndarray = total.cpu().numpy()
        return summed

    def configure_optimizers(self) -> Any:
        """Return the optimiser and its schedule."""
        optimiser = make_optimiser(self.network, self.config)
        schedule = make_schedule(optimiser, self.config,
                                 int(self.trainer.estimated_stepping_batches))
        return {'optimizer': optimiser,
                'lr_scheduler': {'scheduler': schedule, 'interval': 'step'}}


def freeze(encoder: Encoder, config: TrainingConfig) -> list[nn.Module]:
    """Freeze the layers that do not learn, and return them."""
    if config.encoder_rate == 0:
        frozen: list[nn.Module] = [encoder]
    else:
        frozen = list(encoder.stride8)[:config.frozen_layers]
    for part in frozen:
        part.requires_grad_(False)
    return frozen
