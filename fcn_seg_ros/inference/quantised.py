# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A checkpoint's int8 version: the model next to it, written by `export --precision int8`.

Quantising needs training images, which a vehicle does not have, so it is done once, where the
network is trained. The int8 version of ``road.safetensors`` is ``road_int8.xml`` with its ``.bin``.
"""

from __future__ import annotations

from pathlib import Path

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends.base import Backend
from fcn_seg_ros.inference.backends.hardware import cpu_has_bf16, cpu_has_int8
from fcn_seg_ros.inference.cache_key import hash_network
from fcn_seg_ros.inference.exported import SUFFIX, ExportedModel, load_exported
from fcn_seg_ros.models.checkpoint_file import NetworkSource


def int8_file(checkpoint: str | Path) -> Path:
    """Return the path of a checkpoint file's int8 version."""
    path = Path(checkpoint)
    return path.with_name(f'{path.stem}_int8{SUFFIX}')


def load_int8(checkpoint: NetworkSource) -> ExportedModel:
    """
    Return the int8 version of a checkpoint.

    Raises InputError, one line, if it is missing, broken, foreign, or made from other weights.
    """
    if checkpoint.path is None:
        raise InputError('precision: int8 needs a file next to the checkpoint, but this network '
                         'has no file')
    file = int8_file(checkpoint.path)
    if not file.is_file():
        raise InputError(f'precision: int8 needs {file}, which does not exist (`fcn_seg_ros export '
                         '--format openvino --precision int8` writes it)')
    exported = load_exported(file)
    if exported.weights != 'int8':
        raise InputError(f'{file}: expected int8 weights, found {exported.weights}')
    if exported.network_hash != hash_network(checkpoint):
        raise InputError(f'{file}: made from weights or metadata other than those of '
                         f'{checkpoint.path.name}; export it again')
    return exported


def prefers_int8(checkpoint: NetworkSource) -> bool:
    """
    Return whether ``auto`` should run a checkpoint's int8 version.

    There must be a valid one, and the CPU must sum 8-bit products exactly, as when the version was
    scored, and lack bfloat16, whose masks are closer to fp32.
    """
    return (cpu_has_int8() and not cpu_has_bf16() and checkpoint.path is not None
            and int8_file(checkpoint.path).is_file())


def run_int8(checkpoint: NetworkSource, device: str, precision: str, threads: int) -> Backend:
    """Return the backend of a checkpoint's int8 version; raises InputError as ``load_int8``."""
    from fcn_seg_ros.inference.backends.openvino import run_exported
    return run_exported(load_int8(checkpoint), device, precision, threads)
