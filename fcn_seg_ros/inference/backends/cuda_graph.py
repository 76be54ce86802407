# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
PyTorch on a GPU, with each input shape captured once as a CUDA graph.

A replay launches all kernels at once; launching them one by one takes longer than a small network's
arithmetic. Images are transferred as 8-bit values, from and to page-locked memory; scaling,
normalising, the network, softmax, scaling back and the threshold are in the graph. The threshold
may change from frame to frame and differ between the cameras of a batch, so it is an input, in the
form of a lookup table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from fcn_seg_ros.inference.backends.base import MAX_SHAPES, library_errors
from fcn_seg_ros.inference.backends.scaling import ScaledGraph
from fcn_seg_ros.inference.backends.torch_graph import free_memory, make_graph
from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.models.checkpoint_file import NetworkSource

# As in PyTorch's notes on CUDA graphs; the first call also selects cuDNN's algorithms.
_WARM_UP_CALLS = 3
# Levels of an 8-bit probability.
_LEVELS = 256
# A capture begins by synchronising the device, which ends every other capture on it with an error:
# the node loads a network on one thread while another meets an image of a new size.
_capturing = threading.Lock()


class CudaGraphBackend:
    """
    The network in PyTorch, replayed as CUDA graphs; a ScalingBackend.

    On the device ``cpu`` the same steps run eagerly, to test everything except the capture.
    """

    name = 'cuda_graph'
    reason = ''

    def __init__(self, checkpoint: NetworkSource, device: str, precision: str, threads: int = 0
                 ) -> None:
        self.device = device
        self.precision = precision
        self._road_ids = checkpoint.info.road_ids
        with library_errors(self.name, device, (RuntimeError,)):
            self._graph: InferenceGraph | None = make_graph(checkpoint, precision, device,
                                                            folded=True)
        self._call = lru_cache(MAX_SHAPES)(self._prepare)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return round(255 P), uint8 (N, H, W, K)."""
        with library_errors(self.name, self.device, (RuntimeError,)):
            return self._call(images.shape, None)(images)

    def run_scaled(self, images: Sequence[np.ndarray], size: tuple[int, int], tables: np.ndarray
                   ) -> np.ndarray:
        """Return masks and probabilities at the images' own size, uint8 (M, N, h, w)."""
        with library_errors(self.name, self.device, (RuntimeError,)):
            return self._call((len(images), *images[0].shape), size)(images, tables)

    def close(self) -> None:
        """Free the memory of the device."""
        free_memory(self.device, self, self._drop)

    def _drop(self) -> None:
        self._call.cache_clear()
        self._graph = None

    def _prepare(self, shape: tuple[int, ...], size: tuple[int, int] | None) -> _StaticCall:
        """Return the call for images of a shape, scaled to ``size`` if given."""
        assert self._graph is not None, 'closed'
        module: nn.Module = self._graph
        shapes = [shape]
        if size is not None:
            module = ScaledGraph(self._graph, (shape[1], shape[2]), size, self._road_ids)
            shapes.append((shape[0], _LEVELS))
        return _StaticCall(module.to(self.device).eval(), shapes, self.device,
                           exact=self.precision == 'fp32')


class _StaticCall:
    """A module with static buffers for inputs of fixed shapes, captured if there is a GPU."""

    @torch.inference_mode()
    def __init__(self, module: nn.Module, shapes: Sequence[tuple[int, ...]], device: str,
                 exact: bool) -> None:
        on_gpu = device != 'cpu'
        self._stream = torch.cuda.Stream(device) if on_gpu else None
        self._host_inputs = [torch.zeros(shape, dtype=torch.uint8, pin_memory=on_gpu)
                             for shape in shapes]
        self._inputs = [values.to(device) for values in self._host_inputs]
        self._output, self._replay = (
            _run_eagerly(module, self._inputs) if self._stream is None
            else _capture(module, self._inputs, self._stream, exact))
        self._host_output = torch.empty(self._output.shape, dtype=torch.uint8, pin_memory=on_gpu)

    @torch.inference_mode()
    def __call__(self, *inputs: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
        for places, values in zip(self._host_inputs, inputs, strict=True):
            for place, value in zip(places.numpy(), values, strict=True):
                place[...] = value
        # The copies are not captured: they cost two launches, and PyTorch does not document
        # capturing copies to and from page-locked memory. On the CPU the stream is None.
        with torch.cuda.stream(self._stream):
            for there, here in zip(self._inputs, self._host_inputs, strict=True):
                there.copy_(here, non_blocking=True)
            self._replay()
            self._host_output.copy_(self._output, non_blocking=True)
        if self._stream is not None:
            self._stream.synchronize()
        result: np.ndarray = self._host_output.numpy().copy()
        return result


def _capture(module: nn.Module, static_inputs: Sequence[Tensor], stream: torch.cuda.Stream,
             exact: bool) -> tuple[Tensor, Callable[[], None]]:
    """Return a module's static output, and a function that computes it from the static inputs."""
    with _capturing, torch.backends.cudnn.flags(enabled=True, benchmark=True,
                                                allow_tf32=not exact):
        stream.wait_stream(torch.cuda.current_stream(stream.device))
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_CALLS):
                module(*static_inputs)
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        # Thread-local, as another segmenter may be running while this one is loaded.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode='thread_local'):
            output = module(*static_inputs).contiguous()
    return output, graph.replay


def _run_eagerly(module: nn.Module, static_inputs: Sequence[Tensor]
                 ) -> tuple[Tensor, Callable[[], None]]:
    output = module(*static_inputs).contiguous()

    def run() -> None:
        output.copy_(module(*static_inputs))
    return output, run
