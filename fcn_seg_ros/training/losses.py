# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The loss: pixel-wise cross entropy, and optional Dice and Lovasz terms."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.training.loss_weights import LossWeights
from fcn_seg_ros.training.windows import Window, window_of


def segmentation_loss(logits: Tensor, labels: Tensor, weights: LossWeights,
                      window: Window | None = None, members: Tensor | None = None) -> Tensor:
    """
    Return the weighted sum of the loss terms.

    ``logits`` are (N, C, H, W) of any float type, ``labels`` int64 (N, H, W), where 255 is ignored.
    Without any labelled pixel the loss is 0. With a ``window`` it is the batch's share of the loss
    of all batches of the window together: their sum is the cross entropy of one large batch. The
    Dice and Lovasz terms have no such sum: they are means over the batches. ``members`` are those
    of ``LabelCodes``; pixels of several classes count in the cross entropy alone.
    """
    logits = logits.float()
    window = window or window_of(labels)
    loss = logits.new_zeros(())
    if weights.cross_entropy:
        loss = loss + weights.cross_entropy * cross_entropy(
            logits, labels, weights.class_weights, window, members, weights.label_smoothing)
    labels = single_classes(labels, logits.shape[1])
    if weights.dice:
        loss = loss + weights.dice * dice_loss(logits, labels) / window.batches
    if weights.lovasz:
        loss = loss + weights.lovasz * lovasz_softmax(logits, labels) / window.batches
    return loss


def cross_entropy(logits: Tensor, labels: Tensor, class_weights: tuple[float, ...] = (1.0,),
                  window: Window | None = None, members: Tensor | None = None,
                  smoothing: float = 0.0) -> Tensor:
    """
    Return the mean pixel-wise cross entropy over labelled pixels.

    With class weights it is the weighted mean. ``smoothing`` is the share of the target that is
    spread over all classes (Szegedy et al., CVPR 2016). The mean is taken over all batches of the
    window and over all processes, so that the gradients that add up, or that DDP averages, equal
    those of one process with one large batch.

    The loss of a pixel of several classes (see ``LabelCodes``; ``members`` is bool (codes, C)) is
    -log of the sum of their probabilities, the likelihood of what is known of it: Shi et al.,
    "Marginal loss and exclusion loss for partially supervised multi-organ segmentation", Medical
    Image Analysis 2021. It has the mean weight of its classes.
    """
    number = logits.shape[1]
    weight = torch.tensor(class_weights, device=logits.device).expand(number)
    total = F.cross_entropy(logits, single_classes(labels, number), weight, ignore_index=IGNORE,
                            reduction='sum', label_smoothing=smoothing)
    pixels = (window or window_of(labels)).labelled
    count = (weight * pixels[:number]).sum()
    if members is not None and len(members) > number:
        each = (weight * members).sum(dim=1) / members.sum(dim=1)
        total = total + _marginal(logits, labels, members, each)
        count = count + (each * pixels[:len(members)])[number:].sum()
    # clamp: a window without any labelled pixel must not turn the weights into NaN.
    return total / _mean_over_processes(count).clamp(min=1e-6)


def _marginal(logits: Tensor, labels: Tensor, members: Tensor, weights: Tensor) -> Tensor:
    """Return the sum of -log of the classes' summed probability over pixels of several classes."""
    several = (labels >= logits.shape[1]) & (labels != IGNORE)
    codes = labels[several]
    shares = logits.permute(0, 2, 3, 1)[several].log_softmax(dim=1)
    found = shares.masked_fill(~members[codes], -torch.inf).logsumexp(dim=1)
    return -(weights[codes] * found).sum()


def single_classes(labels: Tensor, classes: int) -> Tensor:
    """Return the labels with 255 for those of several classes."""
    return labels.masked_fill(labels >= classes, IGNORE)


def distillation(logits: Tensor, taught: Tensor, window: Window | None = None,
                 road_ids: Sequence[int] = (1,)) -> Tensor:
    """
    Return the mean of KL(taught || network) over the pixels that a teacher labelled.

    ``taught`` is its road probability as in ``Sample.taught``, uint8 (N, H, W); that of the network
    is softmax(logits), float (N, C, H, W), summed over ``road_ids``. Hinton, Vinyals, Dean,
    "Distilling the Knowledge in a Neural Network", 2015, at temperature 1. Without any such pixel
    the loss is 0. The mean is taken as in ``cross_entropy``.
    """
    labelled = taught != IGNORE
    # The target of other pixels does not count, but must be a finite number.
    road = (taught.float() / (IGNORE - 1)).clamp(max=1)
    target = torch.stack([1 - road, road], dim=1)
    shares = logits.float().log_softmax(dim=1)
    others = [number for number in range(logits.shape[1]) if number not in road_ids]
    # The logarithms of P(not road) and P(road), each summed over its classes.
    found = torch.stack([shares[:, ids].logsumexp(dim=1) for ids in (others, list(road_ids))],
                        dim=1)
    divergence = F.kl_div(found, target, reduction='none').sum(dim=1)
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
