# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The classes file: the classes of a network or of masks, in YAML.

It has ``classes``, a list, whose order gives the numbers 0, 1, ..., and optionally ``ignore``:

    classes:
    - {name: road, colour: [128, 64, 128], road: true, ids: [7], from: [lane marking]}
    - {name: car, colour: [0, 0, 142], ids: [26, 27], colours: [[0, 0, 142]]}
    ignore: {ids: [255], colours: [[0, 0, 0]], from: [unlabelled]}

``from`` lists the names that other datasets use for the class; a name listed in several classes
means any of them. ``ids`` and ``colours`` are the class's values in single-channel and in RGB
masks.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.errors import InputError, one_line, quote
from fcn_seg_ros.files import read_file
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo

Colour = tuple[int, int, int]

# The numbers above are for pixels that may be one of several classes, and for IGNORE.
MOST_CLASSES = 200
_LARGEST_ID = 2**16 - 1
_MOST_BYTES = 2**20
_SOURCES = ('ids', 'colours', 'from')
_KEYS = ('name', 'colour', 'road', *_SOURCES)


@dataclass(frozen=True)
class Source:
    """What represents a class: values in single-channel masks, RGB colours, and other names."""

    ids: tuple[int, ...] = ()
    colours: tuple[Colour, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class NamedClass:
    """A class with the colour (RGB) in which it is drawn, and whether it is road."""

    name: str
    colour: Colour
    road: bool = False
    source: Source = Source()


@dataclass(frozen=True)
class ClassList:
    """
    The classes of a classes file, numbered from 0 in order, and what is ignored.

    ``text`` is that of a file with the same content.
    """

    classes: tuple[NamedClass, ...]
    ignored: Source = Source()
    text: str = field(default='', compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the classes."""
        return tuple(item.name for item in self.classes)

    @property
    def palette(self) -> tuple[Colour, ...]:
        """Return the colours of the classes, RGB."""
        return tuple(item.colour for item in self.classes)

    @property
    def road_ids(self) -> tuple[int, ...]:
        """Return the numbers of the classes that are road."""
        return tuple(number for number, item in enumerate(self.classes) if item.road)

    @property
    def sources(self) -> tuple[tuple[str, ...], ...]:
        """Return the other names of each class, () if no class has any."""
        found = tuple(item.source.names for item in self.classes)
        return found if any(found) else ()

    def mask_values(self) -> dict[int, int]:
        """
        Return the number of the class for each value in a mask of one channel; 255 is ignored.

        If no class of the file has ``ids``, the values are the numbers themselves.
        """
        values = dict.fromkeys(self.ignored.ids, IGNORE)
        for number, item in enumerate(self.classes):
            values |= dict.fromkeys(item.source.ids, number)
        if not any(item.source.ids for item in self.classes):
            values |= {number: number for number in range(len(self.classes))}
        return {IGNORE: IGNORE} | values

    def mask_colours(self) -> dict[Colour, int]:
        """
        Return the number of the class, or 255 for ignored, for each colour in an RGB mask.

        If no class of the file has ``colours``, they are those in which the classes are drawn.
        """
        values = dict.fromkeys(self.ignored.colours, IGNORE)
        drawn = not any(item.source.colours for item in self.classes)
        for number, item in enumerate(self.classes):
            values |= dict.fromkeys([item.colour] if drawn else item.source.colours, number)
        return values

    def members(self, name: str) -> tuple[int, ...]:
        """Return the numbers of the classes that a dataset's ``name`` means, () for none."""
        return tuple(number for number, item in enumerate(self.classes)
                     if name == item.name or name in item.source.names)


# The classes that a network learns without a classes file.
ROAD_CLASSES = ClassList((NamedClass('not road', (0, 0, 0)),
                          NamedClass('road', (0, 200, 80), road=True)))


def classes_of(info: CheckpointInfo) -> ClassList:
    """Return the classes of a checkpoint."""
    sources = info.class_sources or ((),) * len(info.classes)
    items = [{'name': name, 'colour': list(colour), 'from': list(source)}
             | ({'road': True} if number in info.road_ids else {})
             for number, (name, colour, source) in enumerate(
                 zip(info.classes, info.palette, sources, strict=True))]
    return parse_classes(json.dumps({'classes': items}), 'the classes of the checkpoint')


def read_class_file(path: str | Path) -> ClassList:
    """Read a classes file; raises InputError, one line that names the file and the fault."""
    content = read_file(Path(path), 'a classes file', _MOST_BYTES)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f'{path}: expected a classes file in UTF-8, found other bytes '
                         f'({one_line(error)})') from None
    return parse_classes(text, str(path))


def parse_classes(text: str, origin: str) -> ClassList:
    """Return the classes in the text of a classes file; ``origin`` names it in an InputError."""
    import yaml

    from fcn_seg_ros.yaml_text import parse_yaml
    values = parse_yaml(text, origin)
    try:
        return replace(_class_list(values), text=yaml.safe_dump(values, sort_keys=False))
    except ValueError as error:
        raise InputError(f'{origin}: expected {error}') from None


def _class_list(values: Any) -> ClassList:
    """Return the classes in parsed YAML; raises ValueError, in words that follow "expected"."""
    if not isinstance(values, dict) or not isinstance(values.get('classes'), list):
        raise ValueError(f'a list `classes`, found {quote(values)}')
    _check_keys('the file', values, ('classes', 'ignore'))
    classes = tuple(_named_class(number, item) for number, item in enumerate(values['classes']))
    ignored = values.get('ignore') or {}
    if not isinstance(ignored, dict):
        raise ValueError(f'ignore with {", ".join(_SOURCES)}, found {quote(ignored)}')
    _check_keys('ignore', ignored, _SOURCES)
    found = ClassList(classes, _source('ignore', ignored))
    _check_together(found)
    return found


def _named_class(number: int, item: Any) -> NamedClass:
    where = f'class {number}'
    if not isinstance(item, dict):
        raise ValueError(f'{where} to have a name and a colour, found {quote(item)}')
    name = _text(f'{where}: a name', item.get('name'))
    where = f'class {name!r}'
    _check_keys(where, item, _KEYS)
    road = item.get('road', False)
    if not isinstance(road, bool):
        raise ValueError(f'{where}: road to be true or false, found {quote(road)}')
    return NamedClass(name, _colour(f'{where}: colour', item.get('colour')), road,
                      _source(where, item))


def _source(where: str, item: Mapping[str, Any]) -> Source:
    """Return what ``ids``, ``colours`` and ``from`` of an item list."""
    return Source(_list(f'{where}: ids', item.get('ids'), _mask_value),
                  _list(f'{where}: colours', item.get('colours'), _colour),
                  _list(f'{where}: from', item.get('from'), _text))


def _list(where: str, values: Any, read: Callable[[str, Any], Any]) -> tuple[Any, ...]:
    if values is None:
        return ()
    if not isinstance(values, list):
        raise ValueError(f'{where} to be a list, found {quote(values)}')
    return tuple(read(f'{where}: each', value) for value in values)


def _text(where: str, value: Any) -> str:
    # Unquoted, YAML reads no, off or 12 as something else.
    if not isinstance(value, str) or not value or not value.isprintable() or len(value) > 100:
        raise ValueError(f'{where} to be a text of at most 100 characters, in quotes if YAML reads '
                         f'it otherwise, found {quote(value)}')
    return value


def _mask_value(where: str, value: Any) -> int:
    if not _is_integer(value, _LARGEST_ID):
        raise ValueError(f'{where} to be an integer from 0 to {_LARGEST_ID}, found {quote(value)}')
    return int(value)


def _colour(where: str, value: Any) -> Colour:
    if not isinstance(value, list) or len(value) != 3 or not all(
            _is_integer(part, 255) for part in value):
        raise ValueError(f'{where} to be [red, green, blue] of 0 to 255, found {quote(value)}')
    red, green, blue = value
    return red, green, blue


def _is_integer(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _check_keys(where: str, item: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = [key for key in item if key not in known]
    if unknown:
        raise ValueError(f'{where} to have only {", ".join(known)}, found {quote(unknown[0])}')


def _check_together(found: ClassList) -> None:
    """Refuse classes that contradict each other, by a ValueError."""
    number, roads = len(found.classes), len(found.road_ids)
    if not 2 <= number <= MOST_CLASSES:
        raise ValueError(f'2 to {MOST_CLASSES} classes, found {number}')
    if not 0 < roads < number:
        raise ValueError(f'`road: true` in some of the {number} classes, found it in {roads}')
    sources = [item.source for item in found.classes] + [found.ignored]
    _check_once('name', found.names)
    _check_once('mask value', (value for source in sources for value in source.ids))
    _check_once('mask colour', (value for source in sources for value in source.colours))
    others = {name for source in sources for name in source.names}
    for name in found.names:
        if name in others:
            raise ValueError(f'the name of class {name!r} in no `from`, found it there')
    for name in found.ignored.names:
        if found.members(name):
            raise ValueError(f'{name!r} in a class or in ignore, found it in both')


def _check_once(what: str, values: Iterable[Any]) -> None:
    for value, times in Counter(values).items():
        if times > 1:
            raise ValueError(f'each {what} once, found {quote(value)} {times} times')
