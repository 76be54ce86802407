# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Models written by `export --format openvino`, which can run in place of a checkpoint."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.files import read_file
from fcn_seg_ros.inference.seal import NETWORK_KEY, check_seal
from fcn_seg_ros.models.checkpoint_file import (
    MOST_BYTES,
    SelfTest,
    pack_self_test,
    unpack_self_test,
)
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, CheckpointInfo, parse_info

SUFFIX = '.xml'
# Keys in rt_info besides METADATA_KEY and those in seal.py: the weights' precision, and the
# self-test.
PRECISION_KEY = 'fcn_seg_ros_precision'
SELF_TEST_KEY = 'fcn_seg_ros_self_test'
# Twice a 4K image with its probability.
_LARGEST_SELF_TEST = 2**26


@dataclass(frozen=True)
class ExportedModel:
    """A network as an openvino.Model with dynamic shapes, and its metadata."""

    path: Path
    info: CheckpointInfo
    weights: str
    model: Any = field(repr=False)
    # ``hash_network`` of the network that it was made from.
    network_hash: str = ''
    self_test: SelfTest | None = field(default=None, repr=False)
    # SHA-256 of the .xml, which holds that of the .bin.
    file_hash: str = ''

    @property
    def kind(self) -> str:
        """Return its kind, as the table of backends names it."""
        return 'openvino int8' if self.weights == 'int8' else 'openvino'


def is_exported(path: str | Path) -> bool:
    """Return whether a file is an exported model, judging by its suffix."""
    return Path(path).suffix == SUFFIX


def load_exported(path: str | Path) -> ExportedModel:
    """
    Read an exported model; later changes to its files have no effect.

    Raises InputError, one line with the file and the reason, for a missing, damaged or foreign
    file, for one with a newer format or no self-test, and if OpenVINO is not installed.
    """
    path = Path(path)
    text, weights = read_ir_files(path)
    check_seal(path, text, weights)
    model = parse_ir(path, text, weights)
    texts = {key: model.get_rt_info([key]).astype(str)
             for key in (METADATA_KEY, PRECISION_KEY, NETWORK_KEY, SELF_TEST_KEY)
             if model.has_rt_info([key])}
    return ExportedModel(path, parse_info(path, texts), texts.get(PRECISION_KEY, 'fp32'), model,
                         texts.get(NETWORK_KEY, ''), read_self_test(path, texts.get(SELF_TEST_KEY)),
                         file_hash=hashlib.sha256(text).hexdigest())


def read_ir(path: str | Path) -> Any:
    """Return any IR's openvino.Model; raises InputError."""
    return parse_ir(Path(path), *read_ir_files(Path(path)))


def read_ir_files(path: Path) -> tuple[bytes, bytes]:
    """
    Return the contents of an IR's two files, .xml and .bin; raises InputError if one is missing.

    They are read here because OpenVINO would map the weights into memory: overwriting the file
    would then change the network, and truncating it would end the process with SIGBUS.
    """
    text, weights = (read_file(file, 'a file written by `export --format openvino`', MOST_BYTES)
                     for file in (path, path.with_suffix('.bin')))
    return text, weights


def parse_ir(path: Path, text: bytes, weights: bytes) -> Any:
    """Return the openvino.Model of an IR from its files' contents; raises InputError."""
    core = _openvino_core(path)
    try:
        return core.read_model(text, weights)
    except RuntimeError as error:
        raise InputError(f'{path}: expected a complete OpenVINO model, found a broken or foreign '
                         f'one ({one_line(error)})') from None


def write_self_test(model: Any, expected: SelfTest) -> None:
    """Store a self-test in an openvino.Model."""
    packed = base64.b64encode(zlib.compress(pack_self_test(expected), 9)).decode()
    model.set_rt_info(packed, [SELF_TEST_KEY])


def read_self_test(path: Path, text: str | None) -> SelfTest:
    """Return the self-test stored by ``write_self_test``; raises InputError if it is invalid."""
    try:
        content = zlib.decompressobj().decompress(
            base64.b64decode((text or '').encode(), validate=True), _LARGEST_SELF_TEST)
        expected = unpack_self_test(path, content)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise InputError(f'{path}: no valid self-test ({one_line(error)}): export it '
                         'again') from None
    if expected is None:
        raise InputError(f'{path}: no self-test: export it again')
    return expected


def _openvino_core(path: Path) -> Any:
    try:
        from fcn_seg_ros.inference.openvino_library import core
    except ImportError:
        raise InputError(f'{path}: needs the package openvino (pip install openvino)') from None
    return core()
