# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The loss: pixel-wise cross entropy, and optional Dice and Lovasz terms."""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.training.config import LossWeights
from fcn_seg_ros.training.windows import Window, window_of


def segmentation_loss(logits: Tensor, labels: Tensor, weights: LossWeights,
                      window: Window | None = None) -> Tensor:
    """
    Return the weighted sum of the loss terms.

    ``logits`` are (N, C, H, W) of any float type, ``labels`` int64 (N, H, W), where 255 is ignored.
    Without any labelled pixel the loss is 0. With a ``window`` it is the batch's share of the loss
    of all batches of the window together: their sum is the cross entropy of one large batch. The
    Dice and Lovasz terms have no such sum: they are means over the batches.
    """
    logits = logits.float()
    window = window or window_of(labels)
    loss = logits.new_zeros(())
    if weights.cross_entropy:
        loss = loss + weights.cross_entropy * cross_entropy(logits, labels, weights.class_weights,
                                                           window)
    if weights.dice:
        loss = loss + weights.dice * dice_loss(logits, labels) / window.batches
    if weights.lovasz:
        loss = loss + weights.lovasz * lovasz_softmax(logits, labels) / window.batches
    return loss


def cross_entropy(logits: Tensor, labels: Tensor, class_weights: tuple[float, ...] = (),
                  window: Window | None = None) -> Tensor:
    """
    Return the mean pixel-wise cross entropy over labelled pixels.

    With class weights it is the weighted mean. The mean is taken over all batches of the window and
    over all processes, so that the gradients that add up, or that DDP averages, equal those of one
    process with one large batch.
    """
    weight = torch.tensor(class_weights or (1.0,) * logits.shape[1], device=logits.device)
    total = F.cross_entropy(logits, labels, weight, ignore_index=IGNORE, reduction='sum')
    pixels = (window or window_of(labels)).labelled[:logits.shape[1]]
    # clamp: a window without any labelled pixel must not turn the weights into NaN.
    return total / _mean_over_processes((weight * pixels).sum()).clamp(min=1e-6)


def distillation(logits: Tensor, taught: Tensor, window: Window | None = None) -> Tensor:
    """
    Return the mean of KL(taught || softmax(logits)) over the pixels that a teacher labelled.

    ``taught`` is its road probability as in ``Sample.taught``, uint8 (N, H, W), ``logits`` are
    float (N, 2, H, W): Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015,
    at temperature 1. Without any such pixel the loss is 0. The mean is taken as in
    ``cross_entropy``.
    """
    labelled = taught != IGNORE
    # The target of other pixels does not count, but must be a finite number.
    road = (taught.float() / (IGNORE - 1)).clamp(max=1)
    target = torch.stack([1 - road, road], dim=1)
    divergence = F.kl_div(logits.float().log_softmax(dim=1), target, reduction='none').sum(dim=1)
    pixels = labelled.sum() if window is None else window.taught
    return (divergence * labelled).sum() / _mean_over_processes(pixels.float()).clamp(min=1)


def dice_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - the mean over classes of the soft Dice score, over labelled pixels."""
    valid, target = _one_hot(logits, labels)
    probability = logits.softmax(dim=1) * valid
    overlap = (probability * target).sum(dim=(0, 2, 3))
    size = probability.sum(dim=(0, 2, 3)) + target.sum(dim=(0, 2, 3))
    present = target.sum(dim=(0, 2, 3)) > 0
    if not present.any():
        return logits.sum() * 0
    return (1 - 2 * overlap / size.clamp(min=1e-6))[present].mean()


def lovasz_softmax(logits: Tensor, labels: Tensor) -> Tensor:
    """
    Return the Lovasz-softmax loss, mean over the classes present.

    A convex surrogate of 1 - IoU: Berman, Triki, Blaschko, "The Lovasz-Softmax loss", CVPR 2018,
    equations 8 and 9.
    """
    keep = labels.flatten() != IGNORE
    probability = logits.softmax(dim=1).permute(0, 2, 3, 1).flatten(0, 2)[keep]
    target = labels.flatten()[keep]
    losses = []
    for index in range(logits.shape[1]):
        foreground = (target == index).float()
        if foreground.sum() == 0:
            continue
        errors = (foreground - probability[:, index]).abs()
        errors, order = errors.sort(descending=True)
        losses.append(torch.dot(errors, _jaccard_gradient(foreground[order])))
    return torch.stack(losses).mean() if losses else logits.sum() * 0


def _jaccard_gradient(foreground: Tensor) -> Tensor:
    """Return the differences of the Jaccard loss as errors are added in falling order."""
    intersection = foreground.sum() - foreground.cumsum(0)
    union = foreground.sum() + (1 - foreground).cumsum(0)
    jaccard = 1 - intersection / union
    return torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])


def _one_hot(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    valid = (labels != IGNORE).unsqueeze(1)
    classes = logits.shape[1]
    target = F.one_hot(labels.clamp(max=classes - 1), classes).permute(0, 3, 1, 2)
    return valid, (target * valid).to(logits.dtype)


def _mean_over_processes(value: Tensor) -> Tensor:
    if not (dist.is_available() and dist.is_initialized()):
        return value
    value = value.detach().clone()
    dist.all_reduce(value)
    return value / dist.get_world_size()
