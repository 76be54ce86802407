# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Structured pruning: remove the channels of a trained encoder that matter least to the loss.

Molchanov, Mallya, Tyree, Frosio, Kautz, "Importance Estimation for Neural Network Pruning", CVPR
2019: a channel's importance is the squared first-order change of the loss if the channel were zero,
summed over batches. Channels are removed in whole vectors, those with the least importance for
their arithmetic first. Which channels must be removed together (because of sums, depthwise
convolutions, batch norms) is read from torch-pruning's dependency graph: Fang et al., "DepGraph",
CVPR 2023.
"""

from __future__ import annotations

import copy
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch_pruning import DependencyGraph
from torch_pruning.dependency import Group

from fcn_seg_ros.datasets.mixture import Mixture
from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.models.checkpoint import Checkpoint
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.fcn import FCN, make_network
from fcn_seg_ros.processes import say
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import RoadDataModule
from fcn_seg_ros.training.losses import segmentation_loss
from fcn_seg_ros.training.module import SegmentationModule

# Channels removed at once: fewer would leave the vector units of a CPU or GPU half empty.
VECTOR = 16
# Writing a value, or reading it again, takes as long as this many multiplications. Fitted to the
# times of MobileNetV2's layers in OpenVINO's bf16, the first of which mostly wait for memory.
_MOVE = 12

Layer = nn.Conv2d | nn.Linear


@dataclass(frozen=True)
class Link:
    """A layer that a group of channels passes; ``axes[i]`` is its axis for ``channels[i]``."""

    layer: Layer
    axes: Tensor
    channels: Tensor


@dataclass(frozen=True)
class ChannelGroup:
    """
    Channels, each of which can be pruned with what depends on it but without the others.

    ``makers`` compute them, ``readers`` take them as input, and ``root`` is the first maker.
    """

    root: Layer
    makers: tuple[Link, ...]
    readers: tuple[Link, ...]

    @property
    def width(self) -> int:
        """Return the number of channels."""
        return len(self.root.weight)


class Pruner:
    """The prunable channels of a network's encoder; raises InputError if it has none."""

    def __init__(self, network: FCN) -> None:
        device = next(network.parameters()).device
        # Frozen layers are traced too, as the image needs a gradient.
        image = torch.zeros(1, 3, 64, 64, device=device, requires_grad=True)
        try:
            with torch.enable_grad():
                self._graph = DependencyGraph().build_dependency(
                    network, image, _scores_and_features, verbose=False)
            decoder = list(network.decoder.modules())
            found = [_group_of(group) for group in self._graph.get_all_groups(decoder)]
        except Exception as error:  # for an encoder that the graph does not understand
            raise InputError(f'prune: not available for this encoder ({one_line(error)})') from None
        order = {layer: number for number, layer in enumerate(network.modules())}
        self.groups = sorted((group for group in found if group is not None),
                             key=lambda group: order[group.root])
        if all(group.width <= VECTOR for group in self.groups):
            raise InputError('prune: not available for this encoder (no layer has more than '
                             f'{VECTOR} channels that can be pruned)')

    def prune(self, kept: Sequence[Tensor]) -> None:
        """Prune in place to the channel indices in ``kept``, int64 for each group."""
        for group, index in zip(self.groups, kept, strict=True):
            gone = sorted(set(range(group.width)) - set(index.tolist()))
            if gone:
                handler = self._graph.get_pruner_of_module(group.root).prune_out_channels
                self._graph.get_pruning_group(group.root, handler, gone).prune()


def pruned(start: Checkpoint, mixture: Mixture, config: TrainingConfig) -> Checkpoint:
    """
    Prune a network, in place, to ``config.prune`` of the cost of its prunable channels.

    The loss is that of one epoch of the run's batches, with batch norm in eval mode. Raises
    InputError, before that epoch, if the network cannot be pruned.
    """
    check_prunable(start.network, start.info)
    if start.info.classes != config.class_list.names:
        raise InputError(f'prune: expected the classes of init_from, '
                         f'{", ".join(start.info.classes)}, found '
                         f'{", ".join(config.class_list.names)}')
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    network = start.network.to(device)
    module = SegmentationModule(network, config).to(device).eval()
    pruner = Pruner(network)

    def losses() -> Iterator[Tensor]:
        for batch in RoadDataModule(mixture, None, config).train_dataloader():
            with torch.autocast(device.type, torch.bfloat16,
                                enabled=config.precision == 'bf16-mixed'):
                logits = module(batch.images.to(device))
            yield segmentation_loss(logits, batch.labels.to(device).long(), config.loss,
                                    members=module.members)
    network.requires_grad_(True)
    found = importance(network, pruner.groups, losses())
    # Only proportions matter, so an image of the training crops' size is enough.
    prices = costs(network, pruner.groups,
                   torch.zeros(1, 3, *config.augmentation.crop, device=device))
    before = sum(parameter.numel() for parameter in network.parameters())
    pruner.prune(choose(found, prices, config.prune))
    after = sum(parameter.numel() for parameter in network.parameters())
    say(f'pruned to {config.prune:.0%} of the cost: {before / 1e6:.2f} M parameters become '
        f'{after / 1e6:.2f} M')
    return Checkpoint(network.cpu(), start.info)


def check_prunable(network: FCN, info: CheckpointInfo) -> None:
    """Raise InputError unless a pruned copy runs and can be rebuilt from its tensors' shapes."""
    trial = copy.deepcopy(network).cpu().eval()
    pruner = Pruner(trial)
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    try:
        pruner.prune([torch.arange(0, group.width, 2) for group in pruner.groups])
        state = trial.state_dict()
        with torch.device('meta'):
            rebuilt = make_network(info.encoder, info.decoder, len(info.classes),
                                   skip_scales=info.skip_scales,
                                   shapes={name: value.shape for name, value in state.items()})
        rebuilt.load_state_dict(state, assign=True)
        with torch.no_grad():
            if not torch.equal(rebuilt.eval()(image), trial(image)):
                raise ValueError('a pruned network does not survive its file')
    except Exception as error:  # for an encoder that the graph does not understand
        raise InputError(f'prune: not available for the encoder {info.encoder} '
                         f'({one_line(error)})') from None


def importance(network: FCN, groups: Sequence[ChannelGroup], losses: Iterable[Tensor]
               ) -> list[Tensor]:
    """
    Return the importance of every channel, float64 (channels,) for each group.

    ``losses`` yields the network's loss of one batch after another.
    """
    sums = [torch.zeros(group.width, dtype=torch.float64) for group in groups]
    for loss in losses:
        network.zero_grad(set_to_none=True)
        loss.backward()
        for total, group in zip(sums, groups, strict=True):
            total += _change_without(group) ** 2
    network.zero_grad(set_to_none=True)
    return sums


def costs(network: FCN, groups: Sequence[ChannelGroup], image: Tensor) -> list[float]:
    """
    Return the cost of one channel in each group, in multiplications for an image (1, 3, H, W).

    It includes the time that writing and reading its values takes.
    """
    areas: dict[nn.Module, int] = {}

    def note(layer: nn.Module, _: Any, output: Tensor) -> None:
        areas[layer] = output[0].numel() // len(layer.weight)  # type: ignore[arg-type]
    hooks = [layer.register_forward_hook(note) for layer in network.modules()
             if isinstance(layer, Layer)]
    try:
        with torch.no_grad():
            network(image)
    finally:
        for hook in hooks:
            hook.remove()
    return [(sum(len(link.axes) * areas[link.layer] * (link.layer.weight[0].numel() + 2 * _MOVE)
                 for link in group.makers)
             + sum(len(link.axes) * areas[link.layer] * link.layer.weight[:, 0].numel()
                   for link in group.readers)) / group.width
            for group in groups]


def choose(importances: Sequence[Tensor], prices: Sequence[float], share: float) -> list[Tensor]:
    """
    Return the channels to keep, int64 indices for each group, for a ``share`` of the total cost.

    Channels are removed in vectors, the least important of their group first. Every group keeps at
    least one vector, whatever its cost.
    """
    orders = [values.argsort() for values in importances]
    left = sum(len(order) * price for order, price in zip(orders, prices, strict=True))
    limit = share * left
    gone = [0] * len(orders)

    def next_out(kind: int) -> tuple[float, int, int] | None:
        order, start = orders[kind], gone[kind]
        # The first to be removed are those that leave whole vectors.
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


def _scores_and_features(network: FCN, image: Tensor) -> list[Tensor]:
    """Return everything that is computed, including features that the decoder does not read."""
    features = network.encoder(image)
    return [network.decoder.scores(features), *features]


def _group_of(group: Group) -> ChannelGroup | None:
    """Return a group of the dependency graph; None if not every layer in it is understood."""
    makers: list[Link] = []
    readers: list[Link] = []
    for item in group:
        layer, reads = item.dep.target.module, item.dep.handler.__name__ == 'prune_in_channels'
        if not isinstance(layer, nn.modules.conv._ConvNd | nn.Linear):
            continue
        depthwise = isinstance(layer, nn.Conv2d) and 1 < layer.groups == layer.out_channels
        if not isinstance(layer, Layer) or (getattr(layer, 'groups', 1) > 1 and not depthwise):
            return None
        link = Link(layer, torch.tensor(item.idxs), torch.tensor(item.root_idxs))
        (readers if reads and not depthwise else makers).append(link)
    root = group[0].dep.target.module
    return ChannelGroup(root, tuple(makers), tuple(readers)) if readers else None


def _change_without(group: ChannelGroup) -> Tensor:
    """Return the first-order change of the loss if a channel's readers did not get it."""
    change = torch.zeros(group.width, dtype=torch.float64)
    for link in group.readers:
        weight = link.layer.weight
        assert weight.grad is not None
        product = (weight.detach() * weight.grad).transpose(0, 1).flatten(1).sum(dim=1)
        change.index_add_(0, link.channels, product.double().cpu()[link.axes])
    return change
