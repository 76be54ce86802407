# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Describe the machine and software of a measurement, without names of hosts or people."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch

from fcn_seg_ros.inference.backends.hardware import describe_cpu
from fcn_seg_ros.versions import installed_versions

LIBRARIES = ('torch', 'torchvision', 'openvino', 'onnxruntime', 'nncf', 'numpy',
             'opencv-python-headless', 'ros-rclpy')
# CPU flags of 8- and 16-bit arithmetic, as Linux names them.
_FLAGS = ('avx2', 'avx512f', 'avx512_bf16', 'avx512_fp16', 'avx512_vnni', 'avx_vnni', 'amx_bf16',
          'amx_int8', 'asimddp', 'bf16', 'i8mm')


def describe_machine() -> dict[str, Any]:
    """Return processor, memory, GPU and library versions as JSON values."""
    cpu = describe_cpu()
    flags = cpu.get('flags', cpu.get('Features', '')).split()
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    pages = os.sysconf('SC_PHYS_PAGES')
    return {
        'processor': cpu.get('model name') or platform.processor() or platform.machine(),
        'cores': len(os.sched_getaffinity(0)),
        'arithmetic': [flag for flag in _FLAGS if flag in flags],
        'memory_gib': round(pages * os.sysconf('SC_PAGE_SIZE') / 2**30, 1), 'gpu': gpu,
        'system': f'{platform.system()} {platform.machine()}',
        'python': platform.python_version(), 'libraries': installed_versions(LIBRARIES),
        # Any other load on the machine makes all figures worse.
        'load_before': round(os.getloadavg()[0], 2)}
