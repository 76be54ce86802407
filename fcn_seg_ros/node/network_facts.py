# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the diagnostics say about the network: what runs where."""

from __future__ import annotations

from pathlib import Path

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.errors import one_line
from fcn_seg_ros.inference.segmenter import RoadSegmenter

_HASH_DIGITS = 12
_MIB = 2**20


def network_facts(segmenter: RoadSegmenter, checkpoint: Path, file_hash: str,
                  image_shape: tuple[int, ...]) -> dict[str, str]:
    """
    Return backend, device, precision, the size of the network's input, and the checkpoint.

    ``file_hash`` is the SHA-256 of the file as read, in the form that ``sha256sum`` prints; the
    result has its first digits.
    """
    rows, columns = segmenter.network_shape(image_shape)
    backend = segmenter.backend
    return {keys.BACKEND: backend.name, keys.DEVICE: backend.device,
            keys.PRECISION: backend.precision, keys.NETWORK_SIZE: f'{columns}x{rows}',
            keys.CHECKPOINT: checkpoint.name, keys.CHECKPOINT_SHA256: file_hash[:_HASH_DIGITS]}


def memory_facts(device: str) -> dict[str, str]:
    """
    Return GPU memory in MiB: of this process's tensors, in use by all, and total; {} on a CPU.

    Memory of other libraries (ONNX Runtime, a compiled graph) counts only as in use.
    """
    if not device.startswith('cuda'):
        return {}
    import torch
    try:
        free, total = torch.cuda.mem_get_info(device)
        allocated = torch.cuda.memory_allocated(device)
    except RuntimeError as error:  # the device is lost
        return {keys.GPU_MEMORY: f'unknown: {one_line(error)}'}
    return {keys.GPU_MEMORY: f'{allocated / _MIB:.0f}',
            keys.GPU_MEMORY_IN_USE: f'{(total - free) / _MIB:.0f}',
            keys.GPU_MEMORY_TOTAL: f'{total / _MIB:.0f}'}
