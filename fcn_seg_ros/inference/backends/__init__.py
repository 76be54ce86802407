# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backends: where and how the network runs, and which of them fits this machine."""

from __future__ import annotations

import importlib.util

import torch

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends.base import Backend
from fcn_seg_ros.models.checkpoint import Checkpoint

PRECISIONS = ('auto', 'fp32', 'bf16', 'fp16')


def make_backend(checkpoint: Checkpoint, device: str = 'auto', precision: str = 'auto',
                 threads: int = 0) -> Backend:
    """
    Return the fastest backend for a device.

    ``device`` is ``auto`` (a GPU where PyTorch finds one, else the CPU), ``cpu``, ``cuda`` or
    ``cuda:N``; ``precision`` is ``auto`` (half on a GPU, bf16 on a CPU that has it), ``fp32``,
    ``bf16`` or ``fp16``; ``threads`` limits a CPU backend (0: its own choice). Raises InputError
    for other values, and for a device or precision that this machine does not have.
    """
    if precision not in PRECISIONS:
        raise InputError(f'precision: expected one of {", ".join(PRECISIONS)}, '
                         f'found {precision!r}')
    device = resolve_device(device)
    if device != 'cpu':
        from fcn_seg_ros.inference.backends.torch_eager import TorchBackend
        return TorchBackend(checkpoint, device, 'fp16' if precision == 'auto' else precision)
    if precision == 'fp16':
        raise InputError('precision: expected auto, bf16 or fp32 on a CPU, found fp16')
    return _make_cpu_backend(checkpoint, precision, threads)


def resolve_device(device: str) -> str:
    """Return ``cpu`` or ``cuda:N`` for a device parameter; InputError where there is none."""
    if device == 'auto':
        return 'cuda:0' if torch.cuda.is_available() else 'cpu'
    if device == 'cpu':
        return 'cpu'
    kind, _, number = device.partition(':')
    if kind != 'cuda' or (number and not number.isdigit()):
        raise InputError(f'device: expected auto, cpu, cuda or cuda:N, found {device!r}')
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= count:
        raise InputError(f'device: expected one of the {count} CUDA devices that PyTorch finds '
                         f'here, found {device!r}')
    return f'cuda:{int(number or 0)}'


def _make_cpu_backend(checkpoint: Checkpoint, precision: str, threads: int) -> Backend:
    if importlib.util.find_spec('openvino') is not None:
        from fcn_seg_ros.inference.backends.openvino import OpenVinoBackend, cpu_has_bf16
        if precision == 'bf16' and not cpu_has_bf16():
            raise InputError('precision: expected auto or fp32 on a CPU without bfloat16 '
                             'arithmetic, found bf16')
        if precision == 'auto':
            precision = 'bf16' if cpu_has_bf16() else 'fp32'
        return OpenVinoBackend(checkpoint, precision, threads)
    from fcn_seg_ros.inference.backends.torch_eager import TorchBackend
    return TorchBackend(checkpoint, 'cpu', 'fp32' if precision == 'auto' else precision, threads)
