# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A checkpoint's converted models: files next to it that a backend loads directly.

Converting a network needs PyTorch, by far the largest part of an installation. For
``road.safetensors``, OpenVINO loads ``road_fp32.xml`` (with its ``.bin``) and ONNX Runtime
``road_fp32.onnx``, both written by ``export``. They hold the result of the backend's own
conversion, so masks are bit-identical; the checkpoint's self-test is run on them too.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import read_file
from fcn_seg_ros.inference.cache_key import hash_network
from fcn_seg_ros.inference.seal import NETWORK_KEY, check_seal, sealed_value

if TYPE_CHECKING:
    from fcn_seg_ros.models.checkpoint_file import NetworkSource

IR, ONNX = '.xml', '.onnx'
_MOST_BYTES = 2 * 2**30

_logger = logging.getLogger(__name__)


def converted_file(checkpoint: str | Path, suffix: str) -> Path:
    """Return the path where a backend looks for a checkpoint's converted model."""
    path = Path(checkpoint)
    return path.with_name(f'{path.stem}_fp32{suffix}')


def has_converted(checkpoint: NetworkSource, suffix: str) -> bool:
    """Return whether a backend has a converted model to load; it may be damaged."""
    return (bool(suffix) and checkpoint.path is not None
            and converted_file(checkpoint.path, suffix).is_file())


def read_converted(checkpoint: NetworkSource, suffix: str) -> tuple[bytes, bytes] | None:
    """
    Return the contents of a checkpoint's converted model, including the .bin of an IR.

    Returns None if there is none, or, with a warning, if it is damaged or made from other weights.
    """
    if checkpoint.path is None or not has_converted(checkpoint, suffix):
        return None
    path = converted_file(checkpoint.path, suffix)
    try:
        content = read_file(path, 'a model that `export` wrote', _MOST_BYTES)
        weights = (read_file(path.with_suffix('.bin'), 'the weights that `export` wrote',
                             _MOST_BYTES) if suffix == IR else None)
        check_seal(path, content, weights)
        if sealed_value(content, NETWORK_KEY) != hash_network(checkpoint):
            raise InputError(f'{path}: made from weights or metadata other than those of '
                             f'{checkpoint.path.name}; export it again')
    except InputError as error:
        _logger.warning('%s; converting the checkpoint instead', error)
        return None
    return content, weights or b''
