# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The seal of an exported model: hashes inside the file, so that damage is noticed.

OpenVINO takes whatever lies in the .bin for weights, and any number in the .xml for the network's;
ONNX Runtime does the same with an .onnx. The .xml therefore holds the SHA-256 of the .bin, and each
file its own, computed with zeros in its place.
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
    """Give an openvino.Model places for the hashes, which ``seal`` fills once it is written."""
    for key in (BIN_KEY, OWN_KEY):
        model.set_rt_info(_ZEROS, [key])


def prepare_onnx(properties: dict[str, str]) -> None:
    """Give an ONNX model's metadata_props a place for the hash that ``seal`` fills."""
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
    Raise InputError if the content of a model, or of the .bin of an IR, is not as written.

    This catches damage; whoever changes a model on purpose can also compute its hashes.
    """
    own, of_weights = sealed_value(content, OWN_KEY), sealed_value(content, BIN_KEY)
    if own is None or (of_weights is None) != (weights is None):
        kind = 'ONNX' if weights is None else 'OpenVINO'
        raise InputError(f'{path}: expected a complete {kind} model with the hashes that `export` '
                         'writes, found a broken or foreign one, or one of an older version: '
                         'export it again')
    if own != _sha256(_with_value(content, OWN_KEY, _ZEROS)):
        raise InputError(f'{path}: the content does not match its hash: the file is damaged')
    if weights is not None and of_weights != _sha256(weights):
        raise InputError(f'{path.with_suffix(".bin")}: the content does not match the hash in '
                         f'{path.name}: the file is damaged, or belongs to another model')


def sealed_value(content: bytes, key: str) -> str | None:
    """Return the hash under a key in the content of an .xml or .onnx; None if there is none."""
    found = _pattern(key).findall(content)
    return found[0][1].decode() if len(found) == 1 else None


def _pattern(key: str) -> re.Pattern[bytes]:
    # An XML attribute, whose values are escaped, so that no text in the file looks like one; or
    # field 2, of 64 bytes, of an ONNX StringStringEntryProto.
    return re.compile(
        rf'(<{key} value="|{key}\x12\x40)([0-9a-f]{{{_DIGITS}}})'.encode('latin-1'))


def _with_value(content: bytes, key: str, value: str) -> bytes:
    return _pattern(key).sub(rf'\g<1>{value}'.encode(), content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
