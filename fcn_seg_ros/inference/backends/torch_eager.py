# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Eager PyTorch: on every CPU and every GPU that PyTorch supports; the reference backend."""

from __future__ import annotations

import numpy as np
import torch

from fcn_seg_ros.inference.backends.base import library_errors
from fcn_seg_ros.inference.backends.torch_graph import free_memory, make_graph
from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.models.checkpoint_file import NetworkSource


class TorchBackend:
    """The network in PyTorch, channels last."""

    name = 'torch'
    reason = ''

    def __init__(self, checkpoint: NetworkSource, device: str, precision: str, threads: int = 0
                 ) -> None:
        self.device = device
        self.precision = precision
        if threads and device == 'cpu':
            torch.set_num_threads(threads)
        with library_errors(self.name, device, (RuntimeError,)):
            self._graph: InferenceGraph | None = make_graph(checkpoint, precision, device)

    @torch.inference_mode()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return round(255 P), uint8 (N, H, W, K)."""
        assert self._graph is not None, 'closed'
        with library_errors(self.name, self.device, (RuntimeError,)):
            batch = torch.from_numpy(images).to(self.device)
            result: np.ndarray = self._graph(batch).contiguous().cpu().numpy()
        return result

    def close(self) -> None:
        """Free the memory of the device."""
        free_memory(self.device, self, self._drop)

    def _drop(self) -> None:
        self._graph = None
