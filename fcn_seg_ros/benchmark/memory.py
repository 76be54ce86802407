# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measure one variant's memory and time to first mask in a separate process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.benchmark.variants import Variant
from fcn_seg_ros.inference.subprocess_call import call_in_subprocess

_FRAMES = 20


def footprint(variant: Variant, image: np.ndarray) -> dict[str, Any]:
    """
    Measure a process that does nothing but segment with one variant; return JSON values.

    ``first_mask_s`` are the seconds from reading the checkpoint to the first mask, including the
    import of the backend's library; ``peak_rss_mib`` is the peak resident memory of the process;
    ``gpu_mib`` is its GPU memory as PyTorch counts it, None on a CPU.
    """
    return in_own_process(_measure, variant, image)


def in_own_process(measure: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    """Run a function of a module in a separate process and return its result."""
    # A new interpreter, because a fork would start with the parent's memory.
    result: dict[str, Any] = json.loads(call_in_subprocess(_as_json, measure, *arguments))
    return result


def _as_json(measure: Callable[..., dict[str, Any]], *arguments: object) -> bytes:
    return json.dumps(measure(*arguments)).encode()


def _measure(variant: Variant, image: np.ndarray) -> dict[str, Any]:
    start = time.perf_counter()
    segmenter = variant.open()
    segmenter.segment(image)
    first = time.perf_counter() - start
    for _ in range(_FRAMES):
        segmenter.segment(image)
    return {'first_mask_s': round(first, 2), 'peak_rss_mib': round(resident_mib('VmHWM')),
            'gpu_mib': _gpu_mib() if segmenter.backend.device != 'cpu' else None}


def _gpu_mib() -> int:
    import torch  # on a CPU this would add to the memory measured
    return round(torch.cuda.max_memory_reserved() / 2**20)


def resident_mib(line: str = 'VmRSS', process: str = 'self') -> float:
    """Return the resident memory of a process, now or at its peak (``VmHWM``), as Linux counts."""
    # Not getrusage's ru_maxrss, which a new process inherits from its parent.
    lines = Path(f'/proc/{process}/status').read_text().splitlines()
    return next(int(text.split()[1]) for text in lines if text.startswith(f'{line}:')) / 1024
