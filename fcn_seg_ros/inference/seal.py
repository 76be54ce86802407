# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Hashes inside an exported model's files (its "seal"), so that damage is noticed.

OpenVINO accepts any bytes in the .bin as weights and any numbers in the .xml; ONNX Runtime does the
same with an .onnx. The .xml therefore holds the SHA-256 of the .bin, and .xml and .onnx hold their
own SHA-256, computed with zeros in its place.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from fcn_seg_ros.errors import InputError

# Keys in rt_info or metadata_props: the hash of the network that a model was made from
# (``hash_network``), of the .bin, and of the .xml or .onnx itself.
NETWORK_KEY = 'fcn_seg_ros_network'
BIN_KEY = 'fcn_seg_ros_bin_sha256'
OWN_KEY = 'fcn_seg_ros_xml_sha256'
_DIGITS = 64
_ZEROS = '0' * _DIGITS


def prepare(model: Any) -> None:
    """Reserve places for the hashes in an openvino.Model; ``seal`` fills them in its file."""
    for key in (BIN_KEY, OWN_KEY):
        model.set_rt_info(_ZEROS, [key])


def prepare_onnx(properties: dict[str, str]) -> None:
    """Reserve a place for the hash in an ONNX model's metadata_props, for ``seal`` to fill."""
    properties[OWN_KEY] = _ZEROS


def seal(path: Path) -> None:
    """Fill in the hashes of a model that was just written."""
    text = path.read_bytes()
    if sealed_value(text, BIN_KEY) is not None:
        text = _with_value(text, BIN_KEY, _sha256(path.with_suffix('.bin').read_bytes()))
    text = _with_value(text, OWN_KEY, _ZEROS)
    path.write_bytes(_with_value(text, OWN_KEY, _sha256(text)))


def check_seal(path: Path, content: bytes, weights: bytes | None = None) -> None:
    """
    Raise InputError if a model's content, or that of an IR's .bin, has changed since export.

    This catches damage only; anybody who changes a model on purpose can recompute the hashes.
    """
    own, of_weights = sealed_value(content, OWN_KEY), sealed_value(content, BIN_KEY)
    if own is None or (of_weights is None) != (weights is None):
        kind = 'ONNX' if weights is None else 'OpenVINO'
        raise InputError(f'{path}: expected a complete {kind} model with the hashes that `export` '
                         'writes, found a broken, foreign or older one: export it again')
    if own != _sha256(_with_value(content, OWN_KEY, _ZEROS)):
        raise InputError(f'{path}: the content does not match its hash: the file is damaged')
    if weights is not None and of_weights != _sha256(weights):
        raise InputError(f'{path.with_suffix(".bin")}: the content does not match the hash in '
                         f'{path.name}: the file is damaged, or belongs to another model')


def sealed_value(content: bytes, key: str) -> str | None:
    """Return the hash stored under a key in an .xml's or .onnx's content; None if there is none."""
    found = _pattern(key).findall(content)
    return found[0][1].decode() if len(found) == 1 else None


def _pattern(key: str) -> re.Pattern[bytes]:
    # An XML attribute, whose values are escaped, so that no text in the file looks like one; or
    # field 2 (64 bytes) of an ONNX StringStringEntryProto.
    return re.compile(
        rf'(<{key} value="|{key}\x12\x40)([0-9a-f]{{{_DIGITS}}})'.encode('latin-1'))


def _with_value(content: bytes, key: str, value: str) -> bytes:
    return _pattern(key).sub(rf'\g<1>{value}'.encode(), content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
