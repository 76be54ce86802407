# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
OpenVINO: the fastest backend on x86-64 CPUs, in bfloat16 where the processor has it.

Converting the network from PyTorch takes seconds, compiling the converted one for an input shape a
fraction of one. So the cache keeps the converted one, which serves every shape, precision and CPU.
"""

from __future__ import annotations

import errno
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.errors import one_line
from fcn_seg_ros.inference.backends.base import MAX_SHAPES, library_errors
from fcn_seg_ros.inference.backends.cache_key import graph_key
from fcn_seg_ros.inference.backends.conversion import convert_apart
from fcn_seg_ros.inference.cache import default_cache
from fcn_seg_ros.inference.converted import IR, read_converted
from fcn_seg_ros.models.checkpoint_file import NetworkSource
from fcn_seg_ros.processes import SHARED_MEMORY

# openvino.convert_model reports its use to an analytics server unless it finds no telemetry
# package. A vehicle's node contacts nobody.
sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
import openvino  # noqa: E402

# What is not quantised of an int8 network is little, and computed in fp32.
_PRECISIONS = {'fp32': 'f32', 'bf16': 'bf16', 'int8': 'f32'}
# Two files make one entry of the cache: the length of the first in so many bytes, then both.
_LENGTH_BYTES = 8


class OpenVinoBackend:
    """
    The network compiled by OpenVINO for this CPU, once for every input shape.

    ``network`` is a checkpoint, or an openvino.Model of its graph that takes any shape (in
    precision ``int8`` one that is quantised).
    """

    name = 'openvino'
    reason = ''

    def __init__(self, network: NetworkSource | openvino.Model, device: str, precision: str,
                 threads: int = 0) -> None:
        self.device = device
        self.precision = precision
        self._config: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': _PRECISIONS[precision],
        }
        if threads:
            self._config['INFERENCE_NUM_THREADS'] = threads
        with library_errors(self.name, device, (RuntimeError,)):
            # Of a model a copy, as it will be given other shapes.
            self._model = (network.clone() if isinstance(network, openvino.Model)
                           else self._load(network))
        self._request = lru_cache(MAX_SHAPES)(self._compile)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return round(255 P), uint8 (N, H, W, K)."""
        with library_errors(self.name, self.device, (RuntimeError,)):
            request = self._request(images.shape)
            # The input is read where it lies; the output is copied, as the request will reuse it.
            request.infer([np.ascontiguousarray(images)], share_inputs=True, share_outputs=True)
            result: np.ndarray = request.get_output_tensor(0).data.copy()
        return result

    def close(self) -> None:
        """Give back the memory of the compiled networks."""
        self._request.cache_clear()
        self._model = None

    def _load(self, checkpoint: NetworkSource) -> Any:
        """
        Return the network as an openvino.Model of any size.

        It is the one beside the checkpoint, else that of the cache, else converted.
        """
        converted = read_converted(checkpoint, IR)
        if converted is not None:
            return core().read_model(*converted)
        return default_cache().load(
            graph_key(checkpoint, self.name, ('torch', 'openvino')),
            make=lambda: self._make(checkpoint), dump=_dump, read=self._read,
            errors=(RuntimeError, ValueError))

    def _make(self, checkpoint: NetworkSource) -> Any:
        content = convert_apart(convert_to_bytes, checkpoint)
        # A disk that has no place for the bytes costs the cache, not the network.
        return _convert(checkpoint) if content is None else self._read(content)

    def _compile(self, shape: tuple[int, ...]) -> Any:
        self._model.reshape(list(shape))
        return core().compile_model(self._model, 'CPU', self._config).create_infer_request()

    @staticmethod
    def _read(content: bytes) -> Any:
        start = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], 'little')
        return core().read_model(content[_LENGTH_BYTES:start], content[start:])


@lru_cache(None)
def core() -> Any:
    """Return the process's one Core; each of its own would leave 4 MB behind with its network."""
    return openvino.Core()


def convert_to_bytes(checkpoint: NetworkSource) -> bytes:
    """Return the network as an entry of the cache; needs PyTorch."""
    return _dump(_convert(checkpoint))


def _convert(checkpoint: NetworkSource) -> Any:
    from fcn_seg_ros.inference.backends.torch_graph import make_graph
    from fcn_seg_ros.inference.export.openvino_ir import convert
    return convert(make_graph(checkpoint))


def _dump(model: Any) -> bytes:
    # It writes to files only, and the disk may be full.
    for place in (None, SHARED_MEMORY):
        try:
            with tempfile.TemporaryDirectory(dir=place) as folder:
                path = Path(folder) / 'model.xml'
                openvino.save_model(model, path, compress_to_fp16=False)
                text, weights = path.read_bytes(), path.with_suffix('.bin').read_bytes()
            return len(text).to_bytes(_LENGTH_BYTES, 'little') + text + weights
        except (OSError, RuntimeError) as error:
            fault = one_line(error)
    raise OSError(errno.ENOSPC, f'no place for the converted network ({fault})')
