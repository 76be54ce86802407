# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Open networks to be scored: checkpoints, exported models and foreign networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcn_seg_ros.evaluation.predictors import Foreign, Network, Predictor
from fcn_seg_ros.inference.foreign import ForeignNetwork, is_foreign, read_description
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import CHECKPOINTS, find_checkpoint


@dataclass(frozen=True)
class Setting:
    """How networks run; 0, -1 and None mean the network's default."""

    device: str = 'auto'
    precision: str = 'auto'
    network_height: int = 0
    threshold: float | None = None
    description: Path | None = None


@dataclass(frozen=True)
class Contestant:
    """A predictor, its title in tables, and facts for reports."""

    title: str
    predictor: Predictor
    facts: dict[str, Any]


def open_network(given: str, setting: Setting) -> Contestant:
    """
    Open a packaged checkpoint by its name, a checkpoint, an exported or a foreign model.

    Raises InputError if it cannot be opened or cannot run with this ``setting``.
    """
    path = find_checkpoint(given)
    facts: dict[str, Any] = {'checkpoint': str(path)}
    if is_foreign(path):
        description = read_description(setting.description) if setting.description else None
        network = ForeignNetwork(path, description, setting.device, setting.precision)
        backend = network.backend
        return Contestant(network.name, Foreign(network, setting.threshold), facts | {
            'network_height': network.description.input_size[1], 'backend': backend.name,
            'device': backend.device, 'precision': backend.precision})
    segmenter = RoadSegmenter(path, setting.device, setting.precision, setting.network_height,
                              setting.threshold)
    runs = segmenter.backend
    title = given if given in CHECKPOINTS else path.stem
    return Contestant(path.parent.name if title == 'checkpoint' else title, Network(segmenter),
                      facts | {'network_input': segmenter.resolution, 'backend': runs.name,
                               'device': runs.device, 'precision': runs.precision})
