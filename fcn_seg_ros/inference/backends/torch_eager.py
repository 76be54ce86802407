# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""PyTorch, eager: on any GPU that PyTorch knows, and on every CPU."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import torch

from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.models.checkpoint import Checkpoint

_DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


class TorchBackend:
    """The network in PyTorch, channels last, in the precision asked for."""

    name = 'torch'

    def __init__(self, checkpoint: Checkpoint, device: str, precision: str, threads: int = 0
                 ) -> None:
        self.device = device
        self.precision = precision
        if threads and device == 'cpu':
            torch.set_num_threads(threads)
        own = dataclasses.replace(checkpoint, network=copy.deepcopy(checkpoint.network))
        graph = InferenceGraph(own, _DTYPES[precision]).to(device).eval()
        self._graph = graph.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return round(255 P(road)), uint8 (N, H, W)."""
        batch = torch.from_numpy(images).to(self.device)
        result: np.ndarray = self._graph(batch).cpu().numpy()
        return result
