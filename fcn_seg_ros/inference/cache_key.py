# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cache keys: everything that a compiled network depends on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fcn_seg_ros.models.checkpoint_file import NetworkSource

_PACKAGE = Path(__file__).resolve().parents[1]
# The code that defines and compiles the graph.
_CODE = ('models/*.py', 'inference/*.py', 'inference/backends/*.py', 'inference/convert/*.py')
# Metadata that does not affect what the network computes.
_NOT_COMPUTED = ('scores', 'training_data', 'licence', 'git_commit', 'threshold', 'palette',
                 'network_height', 'network_pixels', 'statistics', 'format_version')


def graph_key(checkpoint: NetworkSource, kind: str, libraries: tuple[str, ...],
              **details: str) -> dict[str, str]:
    """
    Return the key of a checkpoint's graph compiled by ``libraries`` (distribution names).

    It holds hashes of the weights, of the metadata used to build the graph and of the code that
    builds it, and the versions of the libraries. ``details`` are further dependencies: shape,
    precision, threads, processor.
    """
    versions = {f'version of {name}': importlib.metadata.version(name) for name in libraries}
    return {'kind': kind, 'weights': checkpoint.hash_weights(), 'info': _hash_info(checkpoint),
            'code': _hash_code(), **versions, **details}


def hash_network(checkpoint: NetworkSource) -> str:
    """Return the SHA-256 of a network's weights and of the metadata that affect its output."""
    both = f'{checkpoint.hash_weights()} {_hash_info(checkpoint)}'
    return hashlib.sha256(both.encode()).hexdigest()


def _hash_info(checkpoint: NetworkSource) -> str:
    # Defaults are left out, so that fields added by later versions change no hash.
    info = {field.name: value for field in dataclasses.fields(checkpoint.info)
            if field.name not in _NOT_COMPUTED
            and (value := getattr(checkpoint.info, field.name)) != field.default}
    return hashlib.sha256(json.dumps(info, sort_keys=True, default=str).encode()).hexdigest()


@functools.cache
def _hash_code() -> str:
    digest = hashlib.sha256()
    for pattern in _CODE:
        for path in sorted(_PACKAGE.glob(pattern)):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
