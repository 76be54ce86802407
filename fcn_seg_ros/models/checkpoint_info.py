# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The metadata of a checkpoint."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fcn_seg_ros.errors import InputError, one_line, quote
from fcn_seg_ros.models.info_rules import check_info

# Since format 2 a file holds a hash of its content.
FORMAT_VERSION = 2
_READABLE = (1, FORMAT_VERSION)
# A hundred times the usual length.
_LONGEST_JSON = 2**20
_DEEPEST = 20
METADATA_KEY = 'fcn_seg_ros'
# Height and width of every network's input are multiples of it.
STRIDE = 32


@dataclass(frozen=True)
class CheckpointInfo:
    """
    What a user of the network needs to know, stored together with the weights.

    ``mean`` and ``std`` are in units of pixel value / 255, in ``channel_order``. ``threshold``
    applies to the calibrated probability, softmax(logits / temperature) summed over ``road_ids``.
    ``palette`` holds one RGB colour per class. The network's input has ``network_pixels`` pixels in
    the image's aspect ratio, or ``network_height`` rows if ``network_pixels`` is 0. ``statistics``
    holds ranges (low, middle, high) of figures of the training images and of the network's answers
    to them (see ``inference/familiar.py``), {} if they were not fitted. ``class_sources`` are the
    other names that datasets have for each class, () if there are none.
    """

    encoder: str
    decoder: str
    classes: tuple[str, ...]
    road_ids: tuple[int, ...]
    palette: tuple[tuple[int, int, int], ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channel_order: str
    network_height: int
    skip_scales: tuple[float, float] = (1.0, 1.0)
    network_pixels: int = 0
    threshold: float = 0.5
    temperature: float = 1.0
    scores: dict[str, Any] = field(default_factory=dict)
    training_data: str = ''
    licence: str = ''
    git_commit: str = ''
    statistics: dict[str, Any] = field(default_factory=dict)
    class_sources: tuple[tuple[str, ...], ...] = ()
    format_version: int = FORMAT_VERSION


def is_binary(info: CheckpointInfo) -> bool:
    """Return whether the only classes are road and not road, so that one probability suffices."""
    return len(info.classes) == 2 and len(info.road_ids) == 1


def to_json(info: CheckpointInfo, **more: str) -> str:
    """Return the metadata and ``more`` as JSON in the current format."""
    version = {'format_version': FORMAT_VERSION}
    return json.dumps(dataclasses.asdict(info) | version | more, sort_keys=True)


def parse_info(path: Path, metadata: Mapping[str, str] | None) -> CheckpointInfo:
    """Parse a file's metadata; raises InputError, which names the file."""
    values = read_values(path, metadata)
    known = typing.get_type_hints(CheckpointInfo)
    try:
        info = CheckpointInfo(**{key: _tuples(value) if _is_tuple(known[key]) else value
                                 for key, value in values.items() if key in known})
    except TypeError as error:  # one that is missing
        raise InputError(f'{path}: the checkpoint metadata is faulty or incomplete '
                         f'({one_line(error)})') from None
    try:
        check_info(vars(info))
    except ValueError as error:
        raise InputError(f'{path}: metadata: expected {error}') from None
    return info


def read_values(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """Parse a file's JSON, checking only the version; raises InputError."""
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        raise InputError(f'{path}: not a checkpoint written by `train`: it lacks the metadata '
                         f'{METADATA_KEY!r}')
    if len(text) > _LONGEST_JSON:
        raise InputError(f'{path}: expected metadata of at most {_LONGEST_JSON} characters, found '
                         f'{len(text)}')
    try:
        values = json.loads(text)
        _check_depth(values, _DEEPEST)
    except (ValueError, RecursionError) as error:
        raise InputError(f'{path}: the checkpoint metadata is faulty or incomplete '
                         f'({one_line(error)})') from None
    if not isinstance(values, dict):
        raise InputError(f'{path}: expected metadata that is a table, found {quote(values)}')
    version = values.get('format_version')
    if isinstance(version, bool) or version not in _READABLE:
        raise InputError(f'{path}: expected checkpoint format '
                         f'{" or ".join(map(str, _READABLE))}, found {quote(version)}')
    return values


def _check_depth(value: Any, levels: int) -> None:
    if levels == 0:
        raise ValueError(f'more than {_DEEPEST} levels')
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        _check_depth(item, levels - 1)


def _is_tuple(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple and not isinstance(hint, types.UnionType)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
