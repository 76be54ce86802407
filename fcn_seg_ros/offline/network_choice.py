# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which network to run and how, as asked for; and what was found, on whichever machine it runs."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros import __version__
from fcn_seg_ros.inference.backends import open_network
from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import find_checkpoint
from fcn_seg_ros.versions import installed_versions

# What may run the network.
_LIBRARIES = ('torch', 'openvino', 'onnxruntime')


@dataclass(frozen=True)
class NetworkFacts:
    """
    A network as it was loaded.

    ``settings`` decide the results, with ``threads``; ``facts`` are for people and readers of the
    results. Both are plain values that JSON keeps.
    """

    settings: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class NetworkChoice:
    """The arguments of a RoadSegmenter; ``checkpoint`` is a path, or the name of a packaged one."""

    checkpoint: str | None = None
    device: str = 'auto'
    precision: str = 'auto'
    network_height: int = 0
    threshold: float | None = None
    threads: int = 0
    backend: str = 'auto'

    def load(self) -> tuple[RoadSegmenter, NetworkFacts]:
        """Load the network; raises InputError."""
        checkpoint = find_checkpoint(self.checkpoint)
        network = open_network(checkpoint)
        segmenter = RoadSegmenter(network, self.device, self.precision, self.network_height,
                                  self.threshold, self.threads, self.backend)
        backend = segmenter.backend
        settings = {
            'package': __version__,
            'checkpoint': {'path': str(checkpoint), 'sha256': network.file_hash},
            'backend': backend.name, 'precision': backend.precision, 'device': backend.device,
            'threads': self.threads, 'network_height': segmenter.network_height,
            'threshold': segmenter.threshold}
        facts = {
            'reason': backend.reason, 'road_ids': list(label_map_of(segmenter.info).road_ids),
            'versions': {'python': platform.python_version(), 'numpy': np.__version__,
                         'opencv': cv2.__version__, **installed_versions(_LIBRARIES)}}
        return segmenter, NetworkFacts(settings, facts)
