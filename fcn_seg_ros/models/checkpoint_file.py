# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The checkpoint: one safetensors file with a network's weights and metadata.

It is read without PyTorch, whose import takes seconds: a node whose compiled network is in the
cache needs the weights only to check that they are the same.
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

# In safetensors' terms: weights in half and single precision, counters, images.
_TYPES: dict[str, type[np.generic]] = {'F16': np.float16, 'F32': np.float32, 'I64': np.int64,
                                       'U8': np.uint8}
# The prefix of tensors that are not weights.
_SELF_TEST = 'self_test.'
# The metadata key for the SHA-256 of all other metadata and all tensors; format 1 lacks it.
_HASH = 'sha256'
# Metadata that do not affect the probability.
_NO_EFFECT = ('threshold', 'palette', 'scores', 'training_data', 'licence', 'git_commit',
              'format_version', 'statistics')
# Four times the size of VGG16's weights in single precision.
MOST_BYTES = 2 * 2**30


@dataclass(frozen=True)
class SelfTest:
    """
    An image and the network's answer to it, used to test a loaded network.

    ``image`` is uint8 RGB (H, W, 3), rendered; ``probability`` is uint8 (H, W), round(255 P(road))
    in fp32 at the checkpoint's network height.
    """

    image: np.ndarray
    probability: np.ndarray


class NetworkSource(Protocol):
    """A network to compile: a Checkpoint, or a StoredCheckpoint, which builds it on demand."""

    @property
    def info(self) -> CheckpointInfo:
        """Return the metadata."""
        ...

    @property
    def path(self) -> Path | None:
        """Return the file it was read from."""
        ...

    @property
    def self_test(self) -> SelfTest | None:
        """Return the self-test."""
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
    A checkpoint file as read, with the weights as stored.

    ``network`` is built on first use, which imports PyTorch; it raises InputError if the weights do
    not fit the network that the file names. ``file_hash`` is the SHA-256 of the file.
    """

    weights: Mapping[str, np.ndarray]
    info: CheckpointInfo
    path: Path
    self_test: SelfTest | None = None
    file_hash: str = ''

    @cached_property
    def network(self) -> FCN:
        """Return the network in eval mode with float32 weights."""
        from fcn_seg_ros.models.restore import restore_network
        return restore_network(self.weights, self.info, self.path)

    def hash_weights(self) -> str:
        """Return the SHA-256 of the weights as in ``network``."""
        return hash_arrays((name, value.astype(np.float32) if value.dtype == np.float16 else value)
                           for name, value in self.weights.items())


def hash_arrays(named: Iterable[tuple[str, np.ndarray]]) -> str:
    """Return the SHA-256 of names, types, shapes and values, sorted by name."""
    digest = hashlib.sha256()
    for name, value in sorted(named, key=lambda pair: pair[0]):
        digest.update(f'{name} {value.dtype} {value.shape}'.encode())
        digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()


def read_checkpoint(path: str | Path) -> StoredCheckpoint:
    """
    Read a whole checkpoint file; no code from it runs.

    Raises InputError, one line with the file and the reason, for a missing, truncated, damaged or
    foreign file, for one with a newer format, and for weights that are not finite.
    """
    path = Path(path)
    content = _content(path)
    tensors, info = _parse(path, content)
    self_test = _take_self_test(path, tensors)
    for name, value in tensors.items():
        if not np.isfinite(value).all():
            raise InputError(f'{path}: NaN or infinity among the weights of {quote(name)}')
    return StoredCheckpoint(tensors, info, path, self_test, hashlib.sha256(content).hexdigest())


def write_checkpoint(path: Path, tensors: Mapping[str, np.ndarray], info: CheckpointInfo) -> None:
    """Write contiguous arrays and metadata with their hash; the file is never partial."""
    make_folder(path.parent)
    sha256 = _hash_content(to_json(info), tensors)
    metadata = {METADATA_KEY: to_json(info, **{_HASH: sha256})}
    write_file(path, save(dict(tensors), metadata))


def with_info(path: str | Path, info: CheckpointInfo) -> None:
    """
    Replace the metadata of a checkpoint file.

    The self-test is dropped if the new metadata change the network's answer.
    """
    path = Path(path)
    tensors, before = _parse(path, _content(path))
    if any(getattr(before, name) != value for name, value in vars(info).items()
           if name not in _NO_EFFECT):
        _take_self_test(path, tensors)
    write_checkpoint(path, tensors, info)


def with_self_test(path: str | Path, expected: SelfTest) -> None:
    """Add a self-test to a checkpoint file, or replace its self-test."""
    path = Path(path)
    tensors, info = _parse(path, _content(path))
    write_checkpoint(path, tensors | _as_tensors(expected), info)


def pack_self_test(expected: SelfTest) -> bytes:
    """Serialise a self-test for a file format without tensors."""
    return save(_as_tensors(expected))


def unpack_self_test(path: Path, content: bytes) -> SelfTest | None:
    """Parse the result of ``pack_self_test``; raises InputError, which names ``path``."""
    return _take_self_test(path, _tensors(path, content))


def _content(path: Path) -> bytes:
    return read_file(path, 'a checkpoint file (.safetensors)', MOST_BYTES)


def _parse(path: Path, content: bytes) -> tuple[dict[str, np.ndarray], CheckpointInfo]:
    """Return a file's metadata and all its tensors, including the self-test's."""
    tensors = _tensors(path, content)
    # safetensors has parsed it, so this is a JSON object of objects.
    header = json.loads(content[8:8 + int.from_bytes(content[:8], 'little')])
    metadata = header.get('__metadata__')
    info = parse_info(path, metadata)
    values = read_values(path, metadata)
    stored = values.pop(_HASH, None)
    if stored is None and info.format_version > 1:
        raise InputError(f'{path}: the hash of weights and metadata is missing: the file is '
                         'damaged')
    if stored is not None and stored != _hash_content(json.dumps(values, sort_keys=True), tensors):
        raise InputError(f'{path}: weights and metadata do not match the hash: the file is damaged')
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
    """Return the SHA-256 of the metadata, as JSON with sorted keys, and the tensors."""
    return hashlib.sha256(f'{text} {hash_arrays(tensors.items())}'.encode()).hexdigest()


def _as_tensors(expected: SelfTest) -> dict[str, np.ndarray]:
    return {f'{_SELF_TEST}{name}': np.ascontiguousarray(value, np.uint8)
            for name, value in vars(expected).items()}


def _take_self_test(path: Path, tensors: dict[str, np.ndarray]) -> SelfTest | None:
    """Remove the self-test from a file's tensors and return it, None if there is none."""
    parts = {name.removeprefix(_SELF_TEST): tensors.pop(name) for name in list(tensors)
             if name.startswith(_SELF_TEST)}
    if not parts:
        return None
    image, probability = parts.get('image'), parts.get('probability')
    if (image is None or probability is None or image.dtype != np.uint8 or image.ndim != 3
            or image.shape[2] != 3 or not image.size or probability.dtype != np.uint8
            or probability.shape != image.shape[:2]):
        shapes = one_line(', '.join(f'{name} {value.dtype} {value.shape}'
                                    for name, value in parts.items()))
        raise InputError(f'{path}: expected a self-test of an image, uint8 (H, W, 3), and its '
                         f'probability, uint8 (H, W), found {shapes}')
    return SelfTest(image, probability)
