# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which backend runs a network on this machine, and why."""

from __future__ import annotations

import importlib
import importlib.util
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends.hardware import (
    cpu_has_bf16,
    has_cuda_driver,
    has_torch,
    resolve_device,
)
from fcn_seg_ros.inference.converted import IR, ONNX, converted_file, has_converted

if TYPE_CHECKING:
    from fcn_seg_ros.inference.backends.base import Backend
    from fcn_seg_ros.models.checkpoint_file import NetworkSource

# int8 is for a checkpoint that has such a version (inference/quantised.py).
PRECISIONS = ('auto', 'fp32', 'bf16', 'fp16', 'int8')
_X86 = ('x86_64', 'AMD64')


@dataclass(frozen=True)
class Entry:
    """
    One row of the table of backends.

    ``module`` and ``cls`` are where it is, ``needs`` the packages it imports; ``converter`` are
    those that convert a checkpoint for it, unless a converted model with the suffix ``converted``
    lies beside the checkpoint. ``cpu`` and ``cuda`` are the precisions it has on such a device, the
    fastest first. ``why`` is what the log says when it is chosen; ``machines`` are those for which
    ``auto`` takes it, empty: all.
    """

    module: str
    cls: str
    why: str
    needs: tuple[str, ...] = ()
    converter: tuple[str, ...] = ()
    converted: str = ''
    cpu: tuple[str, ...] = ()
    cuda: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()

    def precisions(self, device: str) -> tuple[str, ...]:
        """Return the precisions it has on a device of this machine, the fastest first."""
        if device != 'cpu':
            return self.cuda
        return tuple(name for name in self.cpu if name != 'bf16' or cpu_has_bf16())

    def missing(self, checkpoint: NetworkSource | None = None) -> list[str]:
        """Return the packages it needs, to run this checkpoint if given, that are not installed."""
        ready = checkpoint is None or has_converted(checkpoint, self.converted)
        needs = self.needs if ready else (*self.needs, *self.converter)
        return [name for name in needs if importlib.util.find_spec(name) is None]


# In the order of preference of ``auto``, which is that of speed as measured (docs/performance.md).
# torch can do everything, so what stands below is taken only when it is asked for.
TABLE = {
    'cuda_graph': Entry('cuda_graph', 'CudaGraphBackend', 'the fastest on a GPU', ('torch',),
                        cuda=('fp16', 'bf16', 'fp32')),
    'openvino': Entry('openvino', 'OpenVinoBackend', 'the fastest on x86-64 CPUs', ('openvino',),
                      ('torch',), IR, cpu=('bf16', 'fp32'), machines=_X86),
    'onnxruntime': Entry('onnxruntime', 'OnnxRuntimeBackend', 'faster than PyTorch on a CPU',
                         ('onnxruntime',), ('torch', 'onnx', 'onnxscript'), ONNX,
                         cpu=('fp32',), cuda=('fp16', 'fp32')),
    'torch': Entry('torch_eager', 'TorchBackend', 'no faster one is installed for this device',
                   ('torch',), cpu=('bf16', 'fp32'), cuda=('fp16', 'bf16', 'fp32')),
    'torch_compile': Entry('torch_compile', 'TorchCompileBackend', 'faster than eager PyTorch',
                           ('torch',), cpu=('bf16', 'fp32'), cuda=('fp16', 'bf16', 'fp32')),
}
BACKENDS = ('auto', *TABLE)


def make_backend(checkpoint: NetworkSource, device: str = 'auto', precision: str = 'auto',
                 threads: int = 0, name: str = 'auto') -> Backend:
    """
    Return a backend for a device, by default the fastest.

    ``device`` is ``auto`` (a GPU where PyTorch finds one, else the CPU), ``cpu``, ``cuda`` or
    ``cuda:N``; ``precision`` is ``auto`` (half on a GPU, bf16 on a CPU that has it), ``fp32``,
    ``bf16`` or ``fp16`` (``int8`` is no arithmetic for these weights; see ``quantised``);
    ``threads`` limits a CPU backend (0: its own choice); ``name`` is one of BACKENDS. The backend's
    ``reason`` says why it was taken. Raises InputError for other values, for a device or precision
    that this machine does not have, and for a backend whose packages are not installed;
    BackendError where the device fails.
    """
    if precision not in PRECISIONS:
        raise InputError(f'precision: expected one of {", ".join(PRECISIONS)}, '
                         f'found {precision!r}')
    if name not in BACKENDS:
        raise InputError(f'backend: expected one of {", ".join(BACKENDS)}, found {name!r}')
    device = resolve_device(device)
    if name == 'auto':
        name, reason = _choose(device, precision, checkpoint)
    else:
        _check(name, device, checkpoint)
        reason = 'asked for'
    entry = TABLE[name]
    offered = entry.precisions(device)
    if precision == 'auto':
        precision = offered[0]
    elif precision not in offered:
        raise InputError(f'precision: expected auto or {" or ".join(sorted(offered))} for {name} '
                         f'on {_device_in_words(device)}, found {precision}')
    module = importlib.import_module(f'fcn_seg_ros.inference.backends.{entry.module}')
    backend: Backend = getattr(module, entry.cls)(checkpoint, device, precision, threads)
    backend.reason = reason
    return backend


def available_backends(device: str = 'cpu', checkpoint: NetworkSource | None = None
                       ) -> dict[str, tuple[str, ...]]:
    """Return the backends that can run here on a device, that checkpoint, with their precisions."""
    return {name: entry.precisions(device) for name, entry in TABLE.items()
            if entry.precisions(device) and not entry.missing(checkpoint)}


def _choose(device: str, precision: str, checkpoint: NetworkSource | None = None
            ) -> tuple[str, str]:
    """Return the first backend of the table that fits, and why."""
    installed = available_backends(device, checkpoint)
    if not installed:
        raise InputError(_nothing_runs(checkpoint))
    fitting = [name for name in installed if precision in ('auto', *installed[name])]
    if not fitting:
        precisions = sorted({each for offered in installed.values() for each in offered})
        raise InputError(f'precision: expected auto or {" or ".join(precisions)} on '
                         f'{_device_in_words(device)}, found {precision}')
    for name in fitting:
        machines = TABLE[name].machines
        if not machines or device != 'cpu' or platform.machine() in machines:
            break
    reason = f'{TABLE[name].why}; of those installed here: {", ".join(installed)}'
    if device == 'cpu' and has_cuda_driver() and not has_torch():
        reason += '; on a GPU it needs PyTorch, which is not installed'
    return name, reason


def _nothing_runs(checkpoint: NetworkSource | None) -> str:
    """Return the error line where no backend that is installed can run a checkpoint."""
    runtimes = [name for name, entry in TABLE.items() if entry.converted and not entry.missing()]
    if not runtimes:
        return ('backend: expected openvino, onnxruntime or torch, found none of them (in a clone '
                "of fcn_seg_ros: pip install '.[cpu]')")
    path = (checkpoint and checkpoint.path) or Path('network')
    suffix = TABLE[runtimes[0]].converted
    return (f'{path}: expected PyTorch to convert it for {runtimes[0]}, found none (pip install '
            f'torch; or, where that is installed, run `export {path.name} --format '
            f'{"onnx" if suffix == ONNX else "openvino"} --out '
            f'{converted_file(path, suffix).name}` and put what it writes beside the checkpoint)')


def _check(name: str, device: str, checkpoint: NetworkSource) -> None:
    """Raise InputError where a backend does not run on a device or is not installed."""
    entry = TABLE[name]
    if not entry.precisions(device):
        others = [other for other, row in TABLE.items() if row.precisions(device)]
        raise InputError(f'backend: expected one of {", ".join(others)} on {device}, '
                         f'found {name!r}')
    missing = entry.missing(checkpoint)
    if missing:
        raise InputError(f'backend: expected the packages of {name}, found no '
                         f'{" and no ".join(missing)} (pip install {" ".join(missing)})')


def _device_in_words(device: str) -> str:
    if device != 'cpu':
        return device
    return 'a CPU' if cpu_has_bf16() else 'a CPU without bfloat16 arithmetic'
