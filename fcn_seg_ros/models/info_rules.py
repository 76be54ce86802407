# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rules for a checkpoint's metadata, since a file may come from anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from fcn_seg_ros.errors import quote

# A 4K camera in portrait; the size for each image is checked separately.
_LARGEST_HEIGHT = 4096
_SMALLEST_HEIGHT = 32
_FEWEST_PIXELS, _MOST_PIXELS = 32 * 32, 4096 * 2176
_MOST_CHANNELS = 65536
_LONGEST_NAME = 100


def check_info(info: Mapping[str, Any]) -> None:
    """Raise ValueError for the first wrong value, with a text that continues "expected"."""
    for name, right, holds in _RULES:
        value = info[name]
        if not holds(value):
            raise ValueError(f'{name} to be {right}, found {quote(value)}')
    number, colours, road_ids = len(info['classes']), len(info['palette']), info['road_ids']
    if not all(road < number for road in road_ids):
        raise ValueError(f'road_ids to name some of the {number} classes, found {quote(road_ids)}')
    if len(info['class_sources']) not in (0, number):
        raise ValueError(f'class_sources to have names for each of the {number} classes, found '
                         f'{quote(info["class_sources"])}')
    if colours != number:
        raise ValueError(f'palette to have a colour for each class, found {colours} colours for '
                         f'{number} classes')


def _is_integer(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_number(value: Any, least: float, most: float) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)
            and math.isfinite(value) and least <= value <= most)


def _all(holds: Callable[..., bool], *limits: float, count: int | None = None
         ) -> Callable[[Any], bool]:
    """Return a test for tuples of ``count`` items (None: any number) that all satisfy ``holds``."""
    return lambda value: (isinstance(value, tuple) and count in (None, len(value))
                          and all(holds(item, *limits) for item in value))


def _is_range(value: Any) -> bool:
    return (isinstance(value, list | tuple) and len(value) == 3
            and all(_is_number(end, -1e9, 1e9) for end in value)
            and value[0] < value[1] < value[2])


def _is_text(value: Any) -> bool:
    """Return whether a value is valid Unicode text (JSON may hold lone surrogates)."""
    return isinstance(value, str) and not any('\ud800' <= c <= '\udfff' for c in value)


def _is_name(value: Any) -> bool:
    return _is_text(value) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _some(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: bool(value) and holds(value)


# The rule for each field, in words and as a function.
_RULES: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ('encoder', 'a name', _is_name),
    ('decoder', 'a name', _is_name),
    ('classes', f'names of at most {_LONGEST_NAME} characters', _some(_all(_is_name))),
    ('road_ids', 'numbers of classes', _some(_all(_is_integer, 0, _MOST_CHANNELS))),
    ('palette', 'colours of three values from 0 to 255', _all(_all(_is_integer, 0, 255, count=3))),
    ('mean', 'three numbers', _all(_is_number, -1e3, 1e3, count=3)),
    ('std', 'three numbers greater than 0', _all(_is_number, 1e-6, 1e3, count=3)),
    ('channel_order', 'rgb or bgr', lambda value: value in ('rgb', 'bgr')),
    ('network_height', f'an integer from {_SMALLEST_HEIGHT} to {_LARGEST_HEIGHT}',
     lambda value: _is_integer(value, _SMALLEST_HEIGHT, _LARGEST_HEIGHT)),
    ('skip_scales', 'two numbers', _all(_is_number, -1e6, 1e6, count=2)),
    ('network_pixels', f'0 or an integer from {_FEWEST_PIXELS} to {_MOST_PIXELS}',
     lambda value: value == 0 or _is_integer(value, _FEWEST_PIXELS, _MOST_PIXELS)),
    ('threshold', 'a number from 0 to 1', lambda value: _is_number(value, 0, 1)),
    ('temperature', 'a number greater than 0', lambda value: _is_number(value, 1e-6, 1e6)),
    ('scores', 'a table', lambda value: isinstance(value, dict)),
    ('training_data', 'a text', _is_text),
    ('licence', 'a text', _is_text),
    ('git_commit', 'a text', _is_text),
    ('class_sources', f'lists of names of at most {_LONGEST_NAME} characters',
     _all(_all(_is_name))),
    ('statistics', 'a table of three rising numbers each',
     lambda value: isinstance(value, dict) and all(map(_is_range, value.values()))),
)
