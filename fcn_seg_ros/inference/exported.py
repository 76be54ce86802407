# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A model that `export --format openvino` wrote, in place of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.inference.backends import Backend, resolve_device
from fcn_seg_ros.inference.backends.machine import cpu_has_bf16
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, CheckpointInfo, parse_info

SUFFIX = '.xml'
# Keys in rt_info beside METADATA_KEY: the precision of the weights, and the hash of the network
# that the model was made of.
PRECISION_KEY = 'fcn_seg_ros_precision'
HASH_KEY = 'fcn_seg_ros_network'


@dataclass(frozen=True)
class ExportedModel:
    """A network as openvino.Model with dynamic shapes, and what is known of it."""

    path: Path
    info: CheckpointInfo
    weights: str
    model: Any = field(repr=False)
    # Of the network that it was made of (``hash_network``).
    network_hash: str = ''
    # It was compared with its checkpoint before it was written.
    self_test: None = None
    # Why it runs.
    reason: str = 'exported for it'


def is_exported(path: str | Path) -> bool:
    """Return whether a file is taken for an exported model, by its name."""
    return Path(path).suffix == SUFFIX


def load_exported(path: str | Path) -> ExportedModel:
    """
    Read an exported model.

    Raises InputError, one line with the file and the reason, for a missing, broken or foreign
    file, for one of a newer format, and where OpenVINO is not installed.
    """
    path = Path(path)
    core = _openvino_core(path)
    for file in (path, path.with_suffix('.bin')):
        if not file.is_file():
            raise InputError(f'{file}: expected a file that `export --format openvino` wrote, '
                             'found nothing')
    try:
        model = core.read_model(str(path))
    except RuntimeError as error:
        raise InputError(f'{path}: expected a whole OpenVINO model, found a broken or foreign '
                         f'one ({one_line(error)})') from None
    texts = {key: model.get_rt_info([key]).astype(str)
             for key in (METADATA_KEY, PRECISION_KEY, HASH_KEY) if model.has_rt_info([key])}
    return ExportedModel(path, parse_info(path, texts), texts.get(PRECISION_KEY, 'fp32'), model,
                         texts.get(HASH_KEY, ''))


def make_exported_backend(exported: ExportedModel, device: str = 'auto', precision: str = 'auto',
                          threads: int = 0, name: str = 'auto') -> Backend:
    """
    Return the backend that runs an exported model; parameters as of ``make_backend``.

    Raises InputError for another device than a CPU, another backend than openvino, and another
    precision than int8 for a quantised one.
    """
    path, own = exported.path, ('int8',) if exported.weights == 'int8' else ('fp32', 'bf16')
    if device != 'auto' and resolve_device(device) != 'cpu':
        raise InputError(f'{path}: expected the device auto or cpu for an exported model, found '
                         f'{device!r}')
    if name not in ('auto', 'openvino'):
        raise InputError(f'{path}: expected the backend auto or openvino for an exported model, '
                         f'found {name!r}')
    if precision == 'auto':
        precision = 'bf16' if own != ('int8',) and cpu_has_bf16() else own[0]
    if precision not in own or (precision == 'bf16' and not cpu_has_bf16()):
        raise InputError(f'{path}: expected the precision auto or {" or ".join(own)} for a model '
                         f'with weights in {exported.weights}, found {precision!r}')
    from fcn_seg_ros.inference.backends.openvino import OpenVinoBackend
    backend = OpenVinoBackend(exported.model, 'cpu', precision, threads)
    backend.reason = exported.reason
    return backend


def _openvino_core(path: Path) -> Any:
    try:
        from fcn_seg_ros.inference.backends.openvino import core
    except ImportError:
        raise InputError(f'{path}: expected the package openvino to run it, found none '
                         '(pip install openvino)') from None
    return core()
