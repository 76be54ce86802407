# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is known of a network, as the checkpoint file keeps it beside the weights."""

from __future__ import annotations

import json
import math
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fcn_seg_ros.errors import InputError

FORMAT_VERSION = 1
METADATA_KEY = 'fcn_seg_ros'
# Of every network here: height and width of its input are multiples of it.
STRIDE = 32


@dataclass(frozen=True)
class CheckpointInfo:
    """
    What a user of the network must know, stored beside the weights.

    ``mean`` and ``std`` are in units of pixel value / 255, in ``channel_order``. ``threshold`` is
    on the calibrated probability, softmax(logits / temperature) summed over ``road_ids``.
    ``palette`` holds one RGB colour per class. The network's input has ``network_pixels`` pixels in
    the image's aspect ratio, or ``network_height`` rows where that is 0. ``widths`` are the numbers
    of hidden channels of an encoder that is thinner than its name says (see ``models/thin.py``),
    else (). ``statistics`` are the ranges (low, middle, high) of figures of the training's images
    and of what the network says of them (see ``inference/familiar.py``), {} where they were not
    fitted.
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
    widths: tuple[int, ...] = ()
    network_pixels: int = 0
    threshold: float = 0.5
    temperature: float = 1.0
    scores: dict[str, Any] = field(default_factory=dict)
    training_data: str = ''
    licence: str = ''
    git_commit: str = ''
    statistics: dict[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION


def is_binary(info: CheckpointInfo) -> bool:
    """Return whether the classes are road and not road, so that one probability says it all."""
    return len(info.classes) == 2 and len(info.road_ids) == 1


def parse_info(path: Path, metadata: dict[str, str] | None) -> CheckpointInfo:
    """Return the metadata of a file from its table of texts; raises InputError naming the file."""
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        raise InputError(f'{path}: expected the metadata {METADATA_KEY!r} of a checkpoint that '
                         '`train` wrote, found a safetensors file without it')
    try:
        values = json.loads(text)
        version = values.get('format_version')
        if version != FORMAT_VERSION:
            raise InputError(f'{path}: expected checkpoint format {FORMAT_VERSION}, '
                             f'found {version}')
        known = typing.get_type_hints(CheckpointInfo)
        info = CheckpointInfo(**{key: _tuples(value) if _is_tuple(known[key]) else value
                                 for key, value in values.items() if key in known})
        _check(info)
    except InputError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f'{path}: expected complete checkpoint metadata, found a fault in it '
                         f'({error})') from None
    return info


def _check(info: CheckpointInfo) -> None:
    ids = range(len(info.classes))
    if not info.road_ids or any(road not in ids for road in info.road_ids):
        raise ValueError(f'road_ids {info.road_ids} do not name classes of {info.classes}')
    if len(info.palette) != len(info.classes):
        raise ValueError(f'{len(info.palette)} colours for {len(info.classes)} classes')
    if info.channel_order not in ('rgb', 'bgr'):
        raise ValueError(f'channel_order {info.channel_order!r} is neither rgb nor bgr')
    if info.network_height < STRIDE or not 0 <= info.threshold <= 1 or info.temperature <= 0:
        raise ValueError('network_height, threshold or temperature is out of range')
    if info.network_pixels and info.network_pixels < STRIDE * STRIDE:
        raise ValueError(f'network_pixels {info.network_pixels} is out of range')
    _check_statistics(info.statistics)


def _check_statistics(statistics: Any) -> None:
    for name, ends in statistics.items():
        if len(ends) != 3 or not -math.inf < ends[0] < ends[1] < ends[2] < math.inf:
            raise ValueError(f'statistics: {name} is {ends}, expected three rising numbers')


def _is_tuple(hint: Any) -> bool:
    return typing.get_origin(hint) is tuple and not isinstance(hint, types.UnionType)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
