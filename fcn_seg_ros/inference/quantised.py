# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A checkpoint's int8 version: the model beside it that `export --precision int8` wrote.

Quantising needs training images, which a vehicle does not have, so this is made once, where the
network was trained. Of ``road.safetensors`` it is ``road_int8.xml`` (with its ``.bin``).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends.cache_key import hash_network
from fcn_seg_ros.inference.backends.choose import TABLE
from fcn_seg_ros.inference.backends.hardware import (
    cpu_has_bf16,
    cpu_has_int8,
    resolve_device,
)
from fcn_seg_ros.inference.exported import SUFFIX, ExportedModel, load_exported
from fcn_seg_ros.models.checkpoint_file import NetworkSource


def int8_file(checkpoint: str | Path) -> Path:
    """Return where the int8 version of a checkpoint file is looked for."""
    path = Path(checkpoint)
    return path.with_name(f'{path.stem}_int8{SUFFIX}')


def load_int8(checkpoint: NetworkSource) -> ExportedModel:
    """
    Return the int8 version of a checkpoint, to run in its place with the checkpoint's metadata.

    Raises InputError, one line, where there is none, for a broken or foreign one, and for one that
    was made of other weights.
    """
    if checkpoint.path is None:
        raise InputError('precision: expected a checkpoint file for int8, which is in a file '
                         'beside it, found a network without one')
    file = int8_file(checkpoint.path)
    if not file.is_file():
        raise InputError(f'precision: expected {file} for int8 (`export --format openvino '
                         '--precision int8` writes it), found nothing')
    exported = load_exported(file)
    if exported.weights != 'int8':
        raise InputError(f'{file}: expected weights in int8, found {exported.weights}')
    if exported.network_hash != hash_network(checkpoint):
        raise InputError(f'{file}: expected the int8 version of {checkpoint.path.name} as it is, '
                         'found one of other weights or metadata; export it again')
    return dataclasses.replace(exported, reason='asked for')


def in_int8(checkpoint: NetworkSource, device: str, precision: str, backend: str
            ) -> tuple[ExportedModel | None, str]:
    """
    Return a checkpoint's int8 version where that is to run, and why it is not where it might be.

    With the parameters of ``make_backend``: on a CPU with OpenVINO, where ``precision`` is
    ``int8``, or ``auto`` and the CPU computes exactly in int8, as where the version was scored,
    but not in bfloat16, in which masks are closer to fp32. Raises InputError where it is asked for
    and ``load_int8`` raises.
    """
    if (precision not in ('int8', 'auto') or backend not in ('openvino', 'auto')
            or (precision == 'auto' and (cpu_has_bf16() or not cpu_has_int8()))
            or resolve_device(device) != 'cpu'):
        return None, ''
    if precision == 'int8':
        return load_int8(checkpoint), ''
    if (TABLE['openvino'].missing() or checkpoint.path is None
            or not int8_file(checkpoint.path).is_file()):
        return None, ''
    try:
        exported = load_int8(checkpoint)
    except InputError as error:
        return None, f'not in int8: {error}'
    return dataclasses.replace(exported, reason='the fastest on a CPU without bfloat16'), ''
