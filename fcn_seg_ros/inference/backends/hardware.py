# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The hardware of this machine: its CPU's name and instructions, its CUDA devices."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import platform
import re
from pathlib import Path

from fcn_seg_ros.errors import InputError

# Named as by the Linux kernel. Without one of these bfloat16 is emulated, and slower than float32.
_BF16_FLAGS = {'avx512_bf16', 'amx_bf16'}
# Without one of these, sums of 8-bit products may overflow.
_INT8_FLAGS = {'avx512_vnni', 'avx_vnni', 'amx_int8'}


def cpu_has_bf16() -> bool:
    """Return whether this CPU has bfloat16 instructions (AVX512-BF16 or AMX)."""
    return bool(_BF16_FLAGS & _flags())


def cpu_has_int8() -> bool:
    """Return whether this CPU sums 8-bit products exactly (VNNI or AMX)."""
    return bool(_INT8_FLAGS & _flags())


def cpu_name() -> str:
    """Return the CPU's model and features, as the kernel reports them."""
    cpu = describe_cpu()
    model = cpu.get('model name', platform.processor())
    return f'{platform.machine()} {model} {cpu.get("flags", cpu.get("Features", ""))}'


def has_cuda_driver() -> bool:
    """Return whether the NVIDIA driver is installed; without it no library finds a GPU."""
    try:
        ctypes.CDLL('libcuda.so.1')
    except OSError:
        return False
    return True


def has_torch() -> bool:
    """Return whether PyTorch is installed, without importing it."""
    return importlib.util.find_spec('torch') is not None


def check_device_name(device: str) -> None:
    """Raise InputError for a device parameter that is not valid on any machine."""
    if not re.fullmatch(r'auto|cpu|cuda(:\d{1,4})?', device, re.ASCII):
        raise InputError(f'device: expected auto, cpu, cuda or cuda:N, found {device[:100]!r}')


def resolve_device(device: str) -> str:
    """Return ``cpu`` or ``cuda:N`` for a device parameter; raises InputError if there is none."""
    check_device_name(device)
    if device == 'cpu':
        return 'cpu'
    count = _cuda_devices()
    if device == 'auto':
        return 'cuda:0' if count else 'cpu'
    number = int(device.partition(':')[2] or 0)
    if not has_torch():
        raise InputError(f'device: {device} needs PyTorch, which is not installed (pip install '
                         'torch)')
    if number >= count:
        raise InputError(f'device: expected one of the {count} CUDA devices that PyTorch finds '
                         f'here, found {device!r}')
    return f'cuda:{number}'


def _flags() -> set[str]:
    return set(describe_cpu().get('flags', '').split())


def _cuda_devices() -> int:
    if not has_cuda_driver() or not has_torch():
        return 0
    import torch
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


@functools.cache
def describe_cpu() -> dict[str, str]:
    """Return the kernel's description of the first CPU; empty on systems other than Linux."""
    try:
        first = Path('/proc/cpuinfo').read_text().split('\n\n')[0]
    except OSError:
        return {}
    pairs = (line.partition(':') for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
