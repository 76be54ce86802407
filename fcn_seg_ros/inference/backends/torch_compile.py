# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
PyTorch compiled ahead of time by TorchInductor, the compiler of torch.compile.

Unlike torch.compile, AOTInductor produces a file that a later process loads without compiling
(https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html), so it can be cached.
Compiling takes a minute on two cores and needs a C++ compiler. Only for a CPU: on an H200, PyTorch
2.11 crashed while it loaded such a file, and cuda_graph does the same job.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._inductor

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends.base import MAX_SHAPES, library_errors
from fcn_seg_ros.inference.backends.hardware import cpu_name
from fcn_seg_ros.inference.backends.torch_graph import make_graph
from fcn_seg_ros.inference.cache import default_cache
from fcn_seg_ros.inference.cache_key import graph_key
from fcn_seg_ros.models.checkpoint_file import NetworkSource

# Weights become constants in the convolutions' layout, which is three times as fast on a CPU.
_CONFIG = {'freezing': True}


@dataclass(frozen=True)
class _Package:
    """A compiled network: its file's content, and the loaded model, ready to run."""

    content: bytes
    run: Any


class TorchCompileBackend:
    """The network compiled by TorchInductor, once for every input shape."""

    name = 'torch_compile'
    reason = ''

    def __init__(self, checkpoint: NetworkSource, device: str, precision: str, threads: int = 0
                 ) -> None:
        self.device = device
        self.precision = precision
        _check_compiler()
        if threads:
            torch.set_num_threads(threads)
        self._checkpoint: NetworkSource | None = checkpoint
        self._key = graph_key(checkpoint, self.name, ('torch',), precision=precision,
                              processor=cpu_name(), device=device,
                              # The number of threads is compiled in.
                              threads=str(torch.get_num_threads()))
        self._network = lru_cache(MAX_SHAPES)(self._load)

    @torch.inference_mode()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return round(255 P), uint8 (N, H, W, K)."""
        with library_errors(self.name, self.device, (RuntimeError,)):
            batch = torch.from_numpy(images).contiguous().to(self.device)
            result: np.ndarray = self._network(images.shape)(batch).contiguous().cpu().numpy()
        return result

    def close(self) -> None:
        """Free the memory."""
        self._network.cache_clear()
        self._checkpoint = None

    def _load(self, shape: tuple[int, ...]) -> Any:
        key = {**self._key, 'shape': 'x'.join(map(str, shape))}
        return default_cache().load(key, make=lambda: self._compile(shape),
                                    dump=lambda made: made.content, read=self._read,
                                    errors=(RuntimeError,)).run

    @torch.inference_mode(False)
    @torch.no_grad()
    def _compile(self, shape: tuple[int, ...]) -> _Package:
        assert self._checkpoint is not None, 'closed'
        graph = make_graph(self._checkpoint, self.precision, self.device)
        example = torch.zeros(shape, dtype=torch.uint8, device=self.device)
        program = torch.export.export(graph, (example,))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'network.pt2'
            torch._inductor.aoti_compile_and_package(program, package_path=str(path),
                                                     inductor_configs=_CONFIG)
            return self._read(path.read_bytes())

    def _read(self, content: bytes) -> _Package:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'network.pt2'
            path.write_bytes(content)
            return _Package(content, torch._inductor.aoti_load_package(str(path)))


def _check_compiler() -> None:
    compiler = os.environ.get('CXX', 'g++')
    if shutil.which(compiler) is None:
        raise InputError(f'backend: torch_compile needs a C++ compiler, found no '
                         f'{compiler!r} (apt install g++, or name another in CXX)')
