# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
ONNX Runtime: on the CPU, or on a GPU through its CUDA and TensorRT execution providers.

The converted network, valid for every shape, is cached. TensorRT's engines are not, because
onnxruntime's cache for them does not notice changed weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends.base import library_errors
from fcn_seg_ros.inference.backends.conversion import convert_in_subprocess
from fcn_seg_ros.inference.cache import default_cache
from fcn_seg_ros.inference.cache_key import graph_key
from fcn_seg_ros.inference.converted import ONNX, read_converted
from fcn_seg_ros.models.checkpoint_file import NetworkSource

# Their only common base is Exception. PyTorch's exporter raises RuntimeError.
_ERRORS = (state.Fail, state.RuntimeException, state.EPFail, state.EngineError,
           state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoModel,
           state.NotImplemented, RuntimeError)
_ONLY_ERRORS = 3


@dataclass(frozen=True)
class _Session:
    """A network as ONNX, and ready to run."""

    content: bytes
    session: Any


class OnnxRuntimeBackend:
    """
    The network in ONNX Runtime.

    On ``cuda:N`` it uses TensorRT if its libraries are installed, else CUDA. Raises InputError if
    onnxruntime has no provider for the device, rather than silently using the CPU.
    """

    name = 'onnxruntime'
    reason = ''

    def __init__(self, checkpoint: NetworkSource, device: str, precision: str, threads: int = 0
                 ) -> None:
        self.device = device
        self.precision = precision
        self._options = onnxruntime.SessionOptions()
        self._options.log_severity_level = _ONLY_ERRORS
        self._options.intra_op_num_threads = threads
        self._providers = choose_providers(device, precision,
                                           onnxruntime.get_available_providers())
        with library_errors(self.name, device, _ERRORS):
            self._session: Any = self._load(checkpoint, precision).session
        # onnxruntime skips providers whose libraries do not load.
        if device != 'cpu' and self._session.get_providers()[0] == 'CPUExecutionProvider':
            raise _no_provider(device, ['CPUExecutionProvider'])

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return round(255 P), uint8 (N, H, W, K)."""
        with library_errors(self.name, self.device, _ERRORS):
            name = self._session.get_inputs()[0].name
            result: np.ndarray = self._session.run(None, {name: np.ascontiguousarray(images)})[0]
        return result

    def close(self) -> None:
        """Free the memory of the device."""
        self._session = None

    def _load(self, checkpoint: NetworkSource, precision: str) -> _Session:
        """Return the model next to the checkpoint, else the one in the cache, else a conversion."""
        converted = read_converted(checkpoint, ONNX) if precision == 'fp32' else None
        if converted is not None:
            return self._read(converted[0])
        return default_cache().load(
            graph_key(checkpoint, self.name, ('torch', 'onnx', 'onnxscript'), precision=precision),
            make=lambda: self._read(convert_in_subprocess(convert, checkpoint, precision)
                                    or convert(checkpoint, precision)),
            dump=lambda made: made.content, read=self._read, errors=_ERRORS)

    def _read(self, content: bytes) -> _Session:
        return _Session(content, onnxruntime.InferenceSession(content, self._options,
                                                              providers=self._providers))


def choose_providers(device: str, precision: str, available: list[str]) -> list[Any]:
    """
    Return onnxruntime's execution providers for a device, the preferred one first.

    Raises InputError if none of ``available`` runs on it.
    """
    if device == 'cpu':
        return ['CPUExecutionProvider']
    number = int(device.removeprefix('cuda:'))
    options: dict[str, dict[str, Any]] = {
        'TensorrtExecutionProvider': {'device_id': number, 'trt_fp16_enable': precision == 'fp16'},
        'CUDAExecutionProvider': {'device_id': number},
    }
    chosen: list[Any] = [(name, options[name]) for name in options if name in available]
    if not chosen:
        raise _no_provider(device, available)
    return [*chosen, 'CPUExecutionProvider']


def _no_provider(device: str, found: list[str]) -> InputError:
    return InputError(f'device: {device} needs another onnxruntime (pip install onnxruntime-gpu); '
                      f'the installed one has only {", ".join(found)}')


def convert(checkpoint: NetworkSource, precision: str) -> bytes:
    """Return the network as ONNX; needs PyTorch."""
    from fcn_seg_ros.inference.backends.torch_graph import make_graph
    from fcn_seg_ros.inference.convert.onnx_model import to_onnx
    program = to_onnx(make_graph(checkpoint, precision))
    content: bytes = program.model_proto.SerializeToString()
    return content
