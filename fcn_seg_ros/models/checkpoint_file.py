# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The checkpoint: one safetensors file that holds the network and all that is known of it.

Read without PyTorch, whose import takes seconds: a node that finds its network compiled in the
cache needs the weights for nothing but to see that they are the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, CheckpointInfo, parse_info

if TYPE_CHECKING:
    from fcn_seg_ros.models.fcn import FCN

# As safetensors names them: weights in half and single precision, counters, images. Whether NumPy
# has others, such as bfloat16, depends on what else the process has imported.
_TYPES = ('F16', 'F32', 'I64', 'U8')
# Tensors of this name are not weights.
_SELF_TEST = 'self_test.'


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
    the weights do not fit the network that the file names.
    """

    weights: Mapping[str, np.ndarray]
    info: CheckpointInfo
    path: Path
    self_test: SelfTest | None = None

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
    Read a checkpoint file; no code from the file runs.

    Raises InputError, one line with the file and the reason, for a missing, truncated or foreign
    file, and for one of a newer format.
    """
    path = Path(path)
    tensors, info = _read(path)
    return StoredCheckpoint(tensors, info, path, _take_self_test(path, tensors))


def write_checkpoint(path: Path, tensors: Mapping[str, np.ndarray], info: CheckpointInfo) -> None:
    """Write contiguous arrays and metadata; the file is never partial."""
    make_folder(path.parent)
    metadata = {METADATA_KEY: json.dumps(dataclasses.asdict(info), sort_keys=True)}
    write_file(path, save(dict(tensors), metadata))


def with_info(path: str | Path, info: CheckpointInfo) -> None:
    """Replace the metadata of a checkpoint file and keep its weights as they are."""
    write_checkpoint(Path(path), _read(Path(path))[0], info)


def with_self_test(path: str | Path, expected: SelfTest) -> None:
    """Put a self-test into a checkpoint file, or replace the one in it."""
    tensors, info = _read(Path(path))
    own = {f'{_SELF_TEST}{name}': np.ascontiguousarray(value, np.uint8)
           for name, value in vars(expected).items()}
    write_checkpoint(Path(path), tensors | own, info)


def _read(path: Path) -> tuple[dict[str, np.ndarray], CheckpointInfo]:
    """Return all tensors of a file, the self-test's too, and its metadata."""
    tensors = {}
    with _open(path) as file:
        info = parse_info(path, file.metadata())
        for name in file.keys():  # noqa: SIM118
            kind = file.get_slice(name).get_dtype()
            if kind not in _TYPES:
                raise InputError(f'{path}: expected tensors of type {", ".join(_TYPES)}, found '
                                 f'{name} of {kind}')
            tensors[name] = file.get_tensor(name)
    return tensors, info


def _take_self_test(path: Path, tensors: dict[str, np.ndarray]) -> SelfTest | None:
    """Remove the self-test from the tensors of a file and return it, None where there is none."""
    own = {name.removeprefix(_SELF_TEST): tensors.pop(name) for name in list(tensors)
           if name.startswith(_SELF_TEST)}
    if not own:
        return None
    image, probability = own.get('image'), own.get('probability')
    if (image is None or probability is None or image.dtype != np.uint8 or image.ndim != 3
            or image.shape[2] != 3 or probability.dtype != np.uint8
            or probability.shape != image.shape[:2]):
        shapes = ', '.join(f'{name} {value.dtype} {value.shape}' for name, value in own.items())
        raise InputError(f'{path}: expected a self-test of an image, uint8 (H, W, 3), and its '
                         f'probability, uint8 (H, W), found {shapes}')
    return SelfTest(image, probability)


def _open(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f'{path}: expected a checkpoint file (.safetensors), found '
                         f'{"a folder" if path.is_dir() else "nothing"}')
    try:
        return safe_open(str(path), framework='np')
    except (SafetensorError, OSError) as error:
        raise InputError(f'{path}: expected a whole safetensors file, found a broken or foreign '
                         f'one ({error})') from None
