# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The checkpoint: one safetensors file that holds the network and all that is known of it.

Read without PyTorch, whose import takes seconds: a node that finds its network compiled in the
cache needs the weights for nothing but to see that they are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from fcn_seg_ros.errors import InputError, one_line, quote
from fcn_seg_ros.files import make_folder, read_file, write_file
from fcn_seg_ros.models.checkpoint_info import (
    METADATA_KEY,
    CheckpointInfo,
    parse_info,
    read_values,
    to_json,
)

if TYPE_CHECKING:
    from fcn_seg_ros.models.fcn import FCN

# By their names in safetensors: weights in half and single precision, counters, images.
_TYPES: dict[str, type[np.generic]] = {'F16': np.float16, 'F32': np.float32, 'I64': np.int64,
                                       'U8': np.uint8}
# Tensors of this name are not weights.
_SELF_TEST = 'self_test.'
# In the metadata: the SHA-256 of the rest of it and of all tensors. Files of format 1 have none.
_HASH = 'sha256'
# Metadata on which a probability does not depend.
_NOT_ANSWERED = ('threshold', 'palette', 'scores', 'training_data', 'licence', 'git_commit',
                 'format_version')
# VGG16's weights in single precision are a quarter of it.
MOST_BYTES = 2 * 2**30


@dataclass(frozen=True)
class SelfTest:
    """
    What the network must answer to one image, so that whoever loads it can see that it works.

    ``image`` is uint8 RGB (H, W, 3), rendered; ``probability`` uint8 (H, W), round(255 P(road)) of
    that image in fp32 at the checkpoint's network height.
    """

    image: np.ndarray
    probability: np.ndarray


class NetworkSource(Protocol):
    """A network to be compiled: a Checkpoint, or a StoredCheckpoint that makes it when asked."""

    @property
    def info(self) -> CheckpointInfo:
        """Return what is known of it."""
        ...

    @property
    def path(self) -> Path | None:
        """Return the file that it came from."""
        ...

    @property
    def self_test(self) -> SelfTest | None:
        """Return what it must answer to one image."""
        ...

    @property
    def network(self) -> FCN:
        """Return the network in eval mode with float32 weights."""
        ...

    def hash_weights(self) -> str:
        """Return the SHA-256 of names, types, shapes and values of the weights."""
        ...


@dataclass(frozen=True, eq=False)
class StoredCheckpoint:
    """
    A checkpoint file as read, with the weights as they are in it.

    ``network`` is made when it is first asked for, and imports PyTorch. It raises InputError where
    the weights do not fit the network that the file names. ``file_hash`` is the SHA-256 of the
    file.
    """

    weights: Mapping[str, np.ndarray]
    info: CheckpointInfo
    path: Path
    self_test: SelfTest | None = None
    file_hash: str = ''

    @cached_property
    def network(self) -> FCN:
        """Return the network in eval mode with float32 weights."""
        from fcn_seg_ros.models.checkpoint import restore
        return restore(self)

    def hash_weights(self) -> str:
        """Return the SHA-256 of the weights, as of those of ``network``."""
        return hash_arrays((name, value.astype(np.float32) if value.dtype == np.float16 else value)
                           for name, value in self.weights.items())


def hash_arrays(named: Iterable[tuple[str, np.ndarray]]) -> str:
    """Return the SHA-256 of names, types, shapes and values, in the order of the names."""
    digest = hashlib.sha256()
    for name, value in sorted(named, key=lambda pair: pair[0]):
        digest.update(f'{name} {value.dtype} {value.shape}'.encode())
        digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()


def read_checkpoint(path: str | Path) -> StoredCheckpoint:
    """
    Read a checkpoint file; no code from the file runs, and nothing done to it later matters.

    Raises InputError, one line with the file and the reason, for a missing, truncated, damaged or
    foreign file, for one of a newer format, and for weights that are not finite.
    """
    path = Path(path)
    content = _content(path)
    tensors, info = _parse(path, content)
    self_test = _take_self_test(path, tensors)
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise InputError(f'{path}: expected finite weights, found NaN or infinity in '
                             f'{quote(name)}')
    return StoredCheckpoint(tensors, info, path, self_test, hashlib.sha256(content).hexdigest())


def write_checkpoint(path: Path, tensors: Mapping[str, np.ndarray], info: CheckpointInfo) -> None:
    """Write contiguous arrays and metadata with their hash; the file is never partial."""
    make_folder(path.parent)
    sha256 = _hash_content(to_json(info), tensors)
    metadata = {METADATA_KEY: to_json(info, **{_HASH: sha256})}
    write_file(path, save(dict(tensors), metadata))


def with_info(path: str | Path, info: CheckpointInfo) -> None:
    """
    Replace the metadata of a checkpoint file and keep its weights as they are.

    Its self-test is kept too, unless with the new metadata the network answers otherwise.
    """
    path = Path(path)
    tensors, before = _parse(path, _content(path))
    if any(getattr(before, name) != value for name, value in vars(info).items()
           if name not in _NOT_ANSWERED):
        _take_self_test(path, tensors)
    write_checkpoint(path, tensors, info)


def with_self_test(path: str | Path, expected: SelfTest) -> None:
    """Put a self-test into a checkpoint file, or replace the one in it."""
    path = Path(path)
    tensors, info = _parse(path, _content(path))
    write_checkpoint(path, tensors | _as_tensors(expected), info)


def pack_self_test(expected: SelfTest) -> bytes:
    """Return a self-test for a file that holds no tensors."""
    return save(_as_tensors(expected))


def unpack_self_test(path: Path, content: bytes) -> SelfTest | None:
    """Return what ``pack_self_test`` packed; InputError, naming ``path``, for anything else."""
    return _take_self_test(path, _tensors(path, content))


def _content(path: Path) -> bytes:
    return read_file(path, 'a checkpoint file (.safetensors)', MOST_BYTES)


def _parse(path: Path, content: bytes) -> tuple[dict[str, np.ndarray], CheckpointInfo]:
    """Return all tensors of a file, the self-test's too, and its metadata."""
    tensors = _tensors(path, content)
    # It was read as safetensors, so this is a table of tables.
    header = json.loads(content[8:8 + int.from_bytes(content[:8], 'little')])
    metadata = header.get('__metadata__')
    info = parse_info(path, metadata)
    values = read_values(path, metadata)
    stored = values.pop(_HASH, None)
    if stored is None and info.format_version > 1:
        raise InputError(f'{path}: expected the hash of weights and metadata, found none: the file '
                         'is damaged')
    if stored is not None and stored != _hash_content(json.dumps(values, sort_keys=True), tensors):
        raise InputError(f'{path}: expected the weights and metadata that its hash was made of, '
                         'found others: the file is damaged')
    return tensors, info


def _tensors(path: Path, content: bytes) -> dict[str, np.ndarray]:
    try:
        found = deserialize(content)
    except SafetensorError as error:
        raise InputError(f'{path}: expected a whole safetensors file, found a broken or foreign '
                         f'one ({one_line(error)})') from None
    for name, tensor in found:
        if tensor['dtype'] not in _TYPES:
            raise InputError(f'{path}: expected tensors of type {", ".join(_TYPES)}, found '
                             f'{one_line(name)} of {tensor["dtype"]}')
    return {name: np.frombuffer(tensor['data'], _TYPES[tensor['dtype']]).reshape(tensor['shape'])
            for name, tensor in found}


def _hash_content(text: str, tensors: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of metadata, as JSON with sorted keys, and tensors."""
    return hashlib.sha256(f'{text} {hash_arrays(tensors.items())}'.encode()).hexdigest()


def _as_tensors(expected: SelfTest) -> dict[str, np.ndarray]:
    return {f'{_SELF_TEST}{name}': np.ascontiguousarray(value, np.uint8)
            for name, value in vars(expected).items()}


def _take_self_test(path: Path, tensors: dict[str, np.ndarray]) -> SelfTest | None:
    """Remove the self-test from the tensors of a file and return it, None where there is none."""
    own = {name.removeprefix(_SELF_TEST): tensors.pop(name) for name in list(tensors)
           if name.startswith(_SELF_TEST)}
    if not own:
        return None
    image, probability = own.get('image'), own.get('probability')
    if (image is None or probability is None or image.dtype != np.uint8 or image.ndim != 3
            or image.shape[2] != 3 or not image.size or probability.dtype != np.uint8
            or probability.shape != image.shape[:2]):
        shapes = one_line(', '.join(f'{name} {value.dtype} {value.shape}'
                                    for name, value in own.items()))
        raise InputError(f'{path}: expected a self-test of an image, uint8 (H, W, 3), and its '
                         f'probability, uint8 (H, W), found {shapes}')
    return SelfTest(image, probability)
