# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of backends, and the choice of one for a network on this machine."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.inference.backends.hardware import (
    check_device_name,
    cpu_has_bf16,
    has_cuda_driver,
    has_torch,
    resolve_device,
)
from fcn_seg_ros.inference.backends.row import CHECKPOINT, BackendRow
from fcn_seg_ros.inference.converted import IR, ONNX, converted_file
from fcn_seg_ros.plugins import register_installed, resolve, with_installed
from fcn_seg_ros.resources import find_checkpoint

if TYPE_CHECKING:
    from fcn_seg_ros.inference.backends.base import Backend

PRECISIONS = ('auto', 'fp32', 'bf16', 'fp16', 'int8')
ENTRY_POINTS = 'fcn_seg_ros.backends'
_X86 = ('x86_64', 'AMD64')
_BACKENDS = 'fcn_seg_ros.inference.backends'

_logger = logging.getLogger(__name__)

_exported = functools.partial(
    BackendRow, 'openvino', f'{_BACKENDS}.openvino:run_exported', 'exported for it', ('openvino',),
    suffix='.xml', read='fcn_seg_ros.inference.exported:load_exported')

# In ``auto``'s order of preference, the fastest first as measured. PyTorch can run everything, so
# ``auto`` never reaches the rows below it.
_TABLE: list[BackendRow] = [
    BackendRow('cuda_graph', f'{_BACKENDS}.cuda_graph:CudaGraphBackend', 'the fastest on a GPU',
               ('torch',), cuda=('fp16', 'bf16', 'fp32')),
    # After bf16 on CPUs that have it, since bf16's masks are closer to those of fp32.
    BackendRow('openvino', 'fcn_seg_ros.inference.quantised:run_int8',
               'the fastest on a CPU without bfloat16', ('openvino',), cpu=('int8',),
               auto_if='fcn_seg_ros.inference.quantised:prefers_int8'),
    BackendRow('openvino', f'{_BACKENDS}.openvino:run_checkpoint', 'the fastest on x86-64 CPUs',
               ('openvino',), ('torch',), IR, cpu=('bf16', 'fp32'), machines=_X86),
    BackendRow('onnxruntime', f'{_BACKENDS}.onnxruntime:OnnxRuntimeBackend',
               'faster than PyTorch on a CPU', ('onnxruntime',), ('torch', 'onnx', 'onnxscript'),
               ONNX, cpu=('fp32',), cuda=('fp16', 'fp32')),
    BackendRow('torch', f'{_BACKENDS}.torch_eager:TorchBackend',
               'no faster one is installed for this device', ('torch',),
               cpu=('bf16', 'fp32'), cuda=('fp16', 'bf16', 'fp32')),
    BackendRow('torch_compile', f'{_BACKENDS}.torch_compile:TorchCompileBackend',
               'faster than eager PyTorch', ('torch',), cpu=('bf16', 'fp32')),
    _exported(cpu=('bf16', 'fp32'), runs='openvino'),
    _exported(cpu=('int8',), runs='openvino int8'),
]


def register_backend(row: BackendRow) -> None:
    """
    Add a backend at the end of the table.

    It can then be chosen by name wherever a backend can be named. An installed package has its rows
    registered through an entry point in the group ``fcn_seg_ros.backends`` with the backend's name.
    Raises ValueError if the table has a row of this name for the same kind of network.
    """
    if any((row.name, row.runs) == (other.name, other.runs) for other in _TABLE):
        raise ValueError(f'backend {row.name!r} is registered already')
    _TABLE.append(row)


def backend_names() -> tuple[str, ...]:
    """Return the names of all backends, whether or not they are installed."""
    return tuple(with_installed(ENTRY_POINTS, (row.name for row in _TABLE)))


def available_backends(device: str = 'cpu') -> dict[str, tuple[str, ...]]:
    """Return the names and precisions of the backends that can run checkpoints on a device here."""
    return {row.name: row.precisions(device) for row in _rows()
            if row.runs == CHECKPOINT and row.auto_if is None and row.precisions(device)
            and not row.missing()}


def list_backends(device: str = 'auto') -> list[str]:
    """
    Return the names of the installed backends that can run on a device of this machine.

    ``device`` is ``auto`` (a GPU if there is one, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.
    Raises InputError for a device that this machine does not have.

    >>> from fcn_seg_ros import list_backends
    >>> 'torch' in list_backends('cpu')
    True
    """
    return list(available_backends(resolve_device(device)))


def open_network(path: str | Path) -> Any:
    """
    Read a network: a packaged one by name, a checkpoint, or an exported model by its suffix.

    Raises InputError as the reader of the file does.
    """
    path = find_checkpoint(path)
    reader = next((row.read for row in _rows() if row.read and row.suffix == path.suffix),
                  'fcn_seg_ros.models.checkpoint_file:read_checkpoint')
    return resolve(reader)(path)


def make_backend(network: Any, device: str = 'auto', precision: str = 'auto', threads: int = 0,
                 name: str = 'auto') -> Backend:
    """
    Return a backend for a network, by default the fastest.

    ``network`` is a checkpoint or an exported model (``open_network``). ``device`` is ``auto`` (a
    GPU if PyTorch finds one, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``; ``precision`` is one
    of PRECISIONS, ``auto`` means the fastest (fp16 on a GPU, bf16 on a CPU that has it);
    ``threads`` limits a CPU backend (0: it decides); ``name`` is ``auto`` or one of
    ``backend_names()``. The backend's ``reason`` says why it was chosen. Raises InputError for
    other values, for a device or precision that this machine lacks, and for a backend whose
    packages are not installed; BackendError if the device fails.
    """
    kind = getattr(network, 'kind', CHECKPOINT)
    rows = [row for row in _rows() if row.runs == kind]
    try:
        _check_words(precision, name)
        device = _device_for(rows, device)
        candidates = _candidates(rows, network, device, precision, name)
    except InputError as error:
        raise error if kind == CHECKPOINT else InputError(f'{network.path}: {error}') from None
    remarks = ''
    for row in candidates:
        optional = row.auto_if is not None and precision == 'auto'
        used = row.precisions(device)[0] if precision == 'auto' else precision
        try:
            backend: Backend = resolve(row.make)(network, device, used, threads)
        except InputError as error:
            if not optional:
                raise
            remarks += f'; not in {used}: {error}'
            continue
        asked = name != 'auto' or (row.auto_if is not None and not optional)
        backend.reason = ('asked for' if asked else _reason(row, candidates, device)) + remarks
        return backend
    raise InputError(f'backend: none of {", ".join(row.name for row in candidates)} can run this '
                     f'network{remarks}')


def _rows() -> list[BackendRow]:
    """Return the table, including the rows of installed packages."""
    for point, error in register_installed(
            ENTRY_POINTS, register_backend, lambda name: name not in {row.name for row in _TABLE}):
        _logger.warning('backend %s (%s) does not load: %s', point.name, point.value,
                        type_and_words(error))
    return _TABLE


def _candidates(rows: Sequence[BackendRow], network: Any, device: str, precision: str, name: str
                ) -> list[BackendRow]:
    """Return the rows that fit, the best first; raises InputError if none does."""
    named = [row for row in rows if name in ('auto', row.name)]
    if not any(row.precisions(device) for row in named):
        raise InputError(f'backend: expected {_one_of(_names(rows, device))} on {device}, found '
                         f'{name!r}')
    fitting = [row for row in named if row.precisions(device)
               and precision in ('auto', *row.precisions(device))
               and (precision != 'auto' or row.auto_if is None or resolve(row.auto_if)(network))]
    installed = [row for row in fitting if not row.missing(network)]
    if installed:
        return sorted(installed, key=lambda row: not row.suits(device))
    if name == 'auto' and len(fitting) > 1:
        raise InputError(_nothing_runs(fitting, network))
    if fitting:
        missing = fitting[0].missing(network)
        raise InputError(f'backend: {fitting[0].name} needs the package {" and ".join(missing)} '
                         f'(pip install {" ".join(missing)})')
    offered = {each for row in named for each in row.precisions(device)}
    what = '' if name == 'auto' else f'for {name} '
    raise InputError(f'precision: expected auto or {" or ".join(sorted(offered))} {what}on '
                     f'{_device_in_words(device)}, found {precision}')


def _nothing_runs(rows: Sequence[BackendRow], network: Any) -> str:
    """Return the error line for when no installed backend can run a checkpoint."""
    runtimes = [row for row in rows if row.converted and not row.missing()]
    if not runtimes:
        return ('backend: needs openvino, onnxruntime or torch, and none is installed (in a clone '
                "of fcn_seg_ros: pip install '.[cpu]')")
    path, suffix = network.path or Path('network'), runtimes[0].converted
    return (f'{path}: converting it for {runtimes[0].name} needs PyTorch, which is not installed '
            '(pip install torch; or, on a machine that has it, run `fcn_seg_ros export '
            f'{path.name} --format {"onnx" if suffix == ONNX else "openvino"} --out '
            f'{converted_file(path, suffix).name}` and put the files it writes next to the '
            'checkpoint)')


def _reason(row: BackendRow, candidates: Sequence[BackendRow], device: str) -> str:
    names = list(dict.fromkeys(each.name for each in candidates))
    reason = row.why if len(names) == 1 else (f'{row.why}; of those installed here: '
                                              f'{", ".join(names)}')
    if device == 'cpu' and row.runs == CHECKPOINT and has_cuda_driver() and not has_torch():
        reason += '; on a GPU it needs PyTorch, which is not installed'
    return reason


def _check_words(precision: str, name: str) -> None:
    if precision not in PRECISIONS:
        raise InputError(f'precision: expected {_one_of(PRECISIONS)}, found {precision!r}')
    names = ('auto', *backend_names())
    if name not in names:
        raise InputError(f'backend: expected {_one_of(names)}, found {name!r}')


def _device_for(rows: Sequence[BackendRow], device: str) -> str:
    """Return ``cpu`` or ``cuda:N``; raises InputError for a device that no row supports."""
    check_device_name(device)
    on_gpu = any(row.cuda for row in rows)
    device = 'cpu' if device == 'auto' and not on_gpu else resolve_device(device)
    if device != 'cpu' and not on_gpu:
        raise InputError(f'device: expected auto or cpu, found {device!r}')
    return device


def _names(rows: Sequence[BackendRow], device: str) -> list[str]:
    return list(dict.fromkeys(row.name for row in rows if row.precisions(device)))


def _one_of(names: Sequence[str]) -> str:
    return f'one of {", ".join(names)}' if len(names) > 1 else f'auto or {names[0]}'


def _device_in_words(device: str) -> str:
    if device != 'cpu':
        return device
    return 'a CPU' if cpu_has_bf16() else 'a CPU without bfloat16 arithmetic'
