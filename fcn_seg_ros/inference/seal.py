# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The seal of an exported OpenVINO model: hashes inside of the .xml, so that damage is noticed.

OpenVINO takes whatever lies in the .bin for weights, and any number in the .xml for the network's.
The .xml therefore holds the SHA-256 of the .bin, and its own, made with zeros in its place.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from fcn_seg_ros.errors import InputError

# Keys in rt_info.
BIN_KEY = 'fcn_seg_ros_bin_sha256'
XML_KEY = 'fcn_seg_ros_xml_sha256'
_DIGITS = 64
_ZEROS = '0' * _DIGITS


def prepare(model: Any) -> None:
    """Give an openvino.Model places for the hashes, which ``seal`` fills once it is written."""
    for key in (BIN_KEY, XML_KEY):
        model.set_rt_info(_ZEROS, [key])


def seal(path: Path) -> None:
    """Fill in the hashes of a model that was just written."""
    text = _with_value(path.read_bytes(), BIN_KEY, _sha256(path.with_suffix('.bin').read_bytes()))
    text = _with_value(text, XML_KEY, _ZEROS)
    path.write_bytes(_with_value(text, XML_KEY, _sha256(text)))


def check_seal(path: Path, text: bytes, weights: bytes) -> None:
    """
    Raise InputError where the content of an .xml and its .bin is not what was written.

    That is for damage; whoever changes a model on purpose can also make its hashes.
    """
    own, of_weights = _value(text, XML_KEY), _value(text, BIN_KEY)
    if own is None or of_weights is None:
        raise InputError(f'{path}: expected a whole OpenVINO model with the hashes that `export` '
                         'writes, found a broken or foreign one, or one of an older version: '
                         'export it again')
    if own != _sha256(_with_value(text, XML_KEY, _ZEROS)):
        raise InputError(f'{path}: expected the model that its hash was made of, found another: '
                         'the file is damaged')
    if of_weights != _sha256(weights):
        raise InputError(f'{path.with_suffix(".bin")}: expected the weights whose hash is in '
                         f'{path.name}, found others: the file is damaged, or of another model')


def _pattern(key: str) -> re.Pattern[bytes]:
    # Values are escaped, so no text in the file looks like an element.
    return re.compile(rf'(<{key} value=")([0-9a-f]{{{_DIGITS}}})(")'.encode())


def _value(text: bytes, key: str) -> str | None:
    found = _pattern(key).findall(text)
    return found[0][1].decode() if len(found) == 1 else None


def _with_value(text: bytes, key: str, value: str) -> bytes:
    return _pattern(key).sub(rf'\g<1>{value}\g<3>'.encode(), text)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
