# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
OpenVINO: the fastest backend on x86-64 CPUs, in bfloat16 where the processor has it.

Converting the network from PyTorch takes seconds; compiling the result for an input shape takes a
fraction of a second. So the cache keeps the converted network, valid for every shape, precision and
CPU.
"""

from __future__ import annotations

import errno
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.errors import one_line
from fcn_seg_ros.inference.backends.base import MAX_SHAPES, library_errors
from fcn_seg_ros.inference.backends.conversion import convert_in_subprocess
from fcn_seg_ros.inference.cache import default_cache
from fcn_seg_ros.inference.cache_key import graph_key
from fcn_seg_ros.inference.converted import IR, read_converted
from fcn_seg_ros.inference.openvino_library import core, openvino
from fcn_seg_ros.models.checkpoint_file import NetworkSource, SelfTest
from fcn_seg_ros.processes import SHARED_MEMORY

_NAME = 'openvino'
# The few layers of an int8 network that are not quantised run in fp32.
_PRECISIONS = {'fp32': 'f32', 'bf16': 'bf16', 'int8': 'f32'}
# A cache entry holds the length of the first file in this many bytes, then both files.
_LENGTH_BYTES = 8


class OpenVinoBackend:
    """
    A network compiled by OpenVINO for this CPU, once for every input shape.

    ``model`` is an openvino.Model of the inference graph with a dynamic input shape; the backend
    reshapes it. ``self_test`` is the one in the model's file, if any.
    """

    name = _NAME
    device = 'cpu'
    reason = ''

    def __init__(self, model: openvino.Model, precision: str, threads: int = 0,
                 self_test: SelfTest | None = None) -> None:
        self.precision = precision
        self.self_test = self_test
        self._config: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': _PRECISIONS[precision],
        }
        if threads:
            self._config['INFERENCE_NUM_THREADS'] = threads
        self._model = model
        self._request = lru_cache(MAX_SHAPES)(self._compile)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return round(255 P), uint8 (N, H, W, K)."""
        with library_errors(self.name, self.device, (RuntimeError,)):
            request = self._request(images.shape)
            # The input is not copied; the output is, as the request reuses its memory.
            request.infer([np.ascontiguousarray(images)], share_inputs=True, share_outputs=True)
            result: np.ndarray = request.get_output_tensor(0).data.copy()
        return result

    def close(self) -> None:
        """Free the compiled networks."""
        self._request.cache_clear()
        self._model = None

    def _compile(self, shape: tuple[int, ...]) -> Any:
        self._model.reshape(list(shape))
        return core().compile_model(self._model, 'CPU', self._config).create_infer_request()


def run_checkpoint(checkpoint: NetworkSource, device: str, precision: str, threads: int
                   ) -> OpenVinoBackend:
    """Return the backend for a checkpoint."""
    with library_errors(_NAME, device, (RuntimeError,)):
        return OpenVinoBackend(_load(checkpoint), precision, threads)


def run_exported(exported: Any, device: str, precision: str, threads: int) -> OpenVinoBackend:
    """Return the backend for an ExportedModel, which stays unchanged."""
    with library_errors(_NAME, device, (RuntimeError,)):
        return OpenVinoBackend(exported.model.clone(), precision, threads, exported.self_test)


def convert_to_bytes(checkpoint: NetworkSource) -> bytes:
    """Return the network as a cache entry; needs PyTorch."""
    return _dump(_convert(checkpoint))


def _load(checkpoint: NetworkSource) -> Any:
    """Return the model next to the checkpoint, else the one in the cache, else a conversion."""
    converted = read_converted(checkpoint, IR)
    if converted is not None:
        return core().read_model(*converted)
    return default_cache().load(
        graph_key(checkpoint, _NAME, ('torch', 'openvino')), make=lambda: _make(checkpoint),
        dump=_dump, read=_read, errors=(RuntimeError, ValueError))


def _make(checkpoint: NetworkSource) -> Any:
    content = convert_in_subprocess(convert_to_bytes, checkpoint)
    # If the disk has no room for the entry, the network runs without the cache.
    return _convert(checkpoint) if content is None else _read(content)


def _convert(checkpoint: NetworkSource) -> Any:
    from fcn_seg_ros.inference.backends.torch_graph import make_graph
    from fcn_seg_ros.inference.convert.openvino_model import to_openvino
    return to_openvino(make_graph(checkpoint))


def _read(content: bytes) -> Any:
    start = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], 'little')
    return core().read_model(content[_LENGTH_BYTES:start], content[start:])


def _dump(model: Any) -> bytes:
    # OpenVINO writes to files only, and the disk may be full.
    for place in (None, SHARED_MEMORY):
        try:
            with tempfile.TemporaryDirectory(dir=place) as folder:
                path = Path(folder) / 'model.xml'
                openvino.save_model(model, path, compress_to_fp16=False)
                text, weights = path.read_bytes(), path.with_suffix('.bin').read_bytes()
            return len(text).to_bytes(_LENGTH_BYTES, 'little') + text + weights
        except (OSError, RuntimeError) as error:
            fault = one_line(error)
    raise OSError(errno.ENOSPC, f'no room for the converted network ({fault})')
