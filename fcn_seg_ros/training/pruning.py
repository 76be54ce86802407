# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Which hidden channels a thinner network keeps: those that the loss would miss most.

Molchanov, Mallya, Tyree, Frosio, Kautz, "Importance Estimation for Neural Network Pruning", CVPR
2019: the importance of a channel is the square of what the loss would change, to first order, if
the channel were zero, summed over batches. Whole vectors of channels leave, those of the least
importance for the arithmetic they cost first.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fcn_seg_ros.datasets.mixture import Mixture
from fcn_seg_ros.models.checkpoint import Checkpoint
from fcn_seg_ros.models.fcn import FCN
from fcn_seg_ros.models.prune import HiddenChannels, hidden_channels, thin, widths_of
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import RoadDataModule
from fcn_seg_ros.training.losses import segmentation_loss
from fcn_seg_ros.training.module import SegmentationModule

# Channels that leave together: fewer would leave a CPU's or GPU's vectors half empty.
VECTOR = 16
# To write a value, or to read it again, takes as long as so many multiplications: fitted to the
# times of MobileNetV2's layers in OpenVINO's bf16, the first of which mostly wait for memory.
_MOVE = 12


def thinned(start: Checkpoint, mixture: Mixture, config: TrainingConfig) -> Checkpoint:
    """
    Return a network with ``config.thin`` of the cost of another's hidden channels.

    What the loss would miss is asked of one epoch of the run's own batches, with the statistics of
    batch normalisation as they are. The other network is of no use after that.
    """
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    network = start.network.to(device)
    module = SegmentationModule(network, config).to(device).eval()

    def losses() -> Iterator[Tensor]:
        for images, labels in RoadDataModule(mixture, None, config).train_dataloader():
            with torch.autocast(device.type, torch.bfloat16,
                                enabled=config.precision == 'bf16-mixed'):
                logits = module(images.to(device))
            yield segmentation_loss(logits, labels.to(device), config.loss)
    found = importance(network, losses())
    # An image of the training windows' size, as only the proportions matter.
    prices = costs(network, torch.zeros(1, 3, *config.augmentation.crop, device=device))
    before = widths_of(network)
    thin(network, choose(found, prices, config.thin))
    after = widths_of(network)
    print(f'thinned to {config.thin:.0%}: hidden channels {" ".join(map(str, before))} become '
          f'{" ".join(map(str, after))}', flush=True)
    return Checkpoint(network.cpu(), dataclasses.replace(start.info, widths=after))


def importance(network: FCN, losses: Iterable[Tensor]) -> list[Tensor]:
    """
    Return the importance of every hidden channel, float64 (channels,) of each kind.

    ``losses`` gives the network's loss of one batch after another, to be differentiated.
    """
    groups = hidden_channels(network)
    sums = [torch.zeros(group.width, dtype=torch.float64) for group in groups]
    for loss in losses:
        network.zero_grad(set_to_none=True)
        loss.backward()
        for total, group in zip(sums, groups, strict=True):
            total += _change_without(group).double().cpu() ** 2
    network.zero_grad(set_to_none=True)
    return sums


def costs(network: FCN, image: Tensor) -> list[float]:
    """
    Return what one channel of each kind costs for an image (1, 3, H, W), in multiplications.

    To move its values counts too.
    """
    groups = hidden_channels(network)
    areas: dict[nn.Module, int] = {}

    def note(layer: nn.Module, _: Any, output: Tensor) -> None:
        areas[layer] = output.shape[-2] * output.shape[-1]
    hooks = [layer.register_forward_hook(note) for layer in network.modules()
             if isinstance(layer, nn.Conv2d)]
    try:
        with torch.no_grad():
            network(image)
    finally:
        for hook in hooks:
            hook.remove()
    return [float(sum(areas[layer] * (layer.weight[0].numel() + 2 * _MOVE)
                      for layer in group.makers if isinstance(layer, nn.Conv2d))
                  + sum(areas[reader] * reader.weight[:, 0].numel() for reader in group.readers))
            for group in groups]


def choose(importances: Sequence[Tensor], prices: Sequence[float], share: float) -> list[Tensor]:
    """
    Return which channels stay, int64 numbers of each kind, for ``share`` of the whole price.

    Channels leave by vectors, the least important of their kind first; of every kind one vector
    stays, whatever it costs.
    """
    orders = [values.argsort() for values in importances]
    left = sum(len(order) * price for order, price in zip(orders, prices, strict=True))
    limit = share * left
    gone = [0] * len(orders)

    def next_out(kind: int) -> tuple[float, int, int] | None:
        order, start = orders[kind], gone[kind]
        # The first to leave are what makes the rest whole vectors.
        count = (len(order) - start) % VECTOR or VECTOR
        if start + count >= len(order):
            return None
        missed = float(importances[kind][order[start:start + count]].sum())
        return missed / (count * prices[kind]), kind, count
    queue = [entry for kind in range(len(orders)) if (entry := next_out(kind))]
    heapq.heapify(queue)
    while queue and left > limit:
        _, kind, count = heapq.heappop(queue)
        gone[kind] += count
        left -= count * prices[kind]
        if (entry := next_out(kind)) is not None:
            heapq.heappush(queue, entry)
    return [order[start:].sort().values for order, start in zip(orders, gone, strict=True)]


def _change_without(group: HiddenChannels) -> Tensor:
    """Return the loss's first-order change if a channel's readers did not read it."""
    changes: list[Tensor] = []
    for reader in group.readers:
        assert reader.weight.grad is not None
        changes.append((reader.weight.detach() * reader.weight.grad).sum(dim=(0, 2, 3)))
    return torch.stack(changes).sum(dim=0)
