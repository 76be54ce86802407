# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the values of a mask mean: ids or colours for road, not road and not labelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.datasets.class_file import ClassList
from fcn_seg_ros.datasets.options import FolderOptions
from fcn_seg_ros.errors import InputError, quoted

# A value is an id, 0 to 65535, or a colour: this and 0xRRGGBB.
COLOUR = 1 << 24
WHITE = 255
TRANSPARENT = ('refuse', 'ignore', 'other')
_SHOWN = 6


@dataclass(frozen=True)
class MaskFormat:
    """
    The values in a mask, and what they are.

    ``known`` maps values to labels (0, 1, 255); ``rest`` is the label of all others, None if they
    are errors. ``white``: 255 is among the values that were given, so that masks of one bit hold
    0 and 255. ``transparent`` and ``nearest`` are as in FolderOptions. With ``names``, of a classes
    file, labels are the numbers of classes, and ``colours`` is the format of masks of colours;
    ``colour_modes`` are Pillow's modes of files that always are such.
    """

    known: Mapping[int, int]
    rest: int | None = None
    white: bool = False
    transparent: str = 'refuse'
    nearest: bool = False
    names: tuple[str, ...] = ()
    colours: MaskFormat | None = None
    colour_modes: tuple[str, ...] = ()

    @classmethod
    def of_classes(cls, classes: ClassList, options: FolderOptions) -> MaskFormat:
        """Return the formats of ids and colours in a classes file; raises InputError."""
        given = [name for name in ('road', 'ignore', 'other') if getattr(options, name)]
        if given:
            raise InputError(f'classes: expected no {given[0]}, which the file says, found '
                             f'{given[0]}={getattr(options, given[0])}')
        if options.transparent not in ('refuse', 'ignore'):
            raise InputError('transparent: expected refuse or ignore with classes, found '
                             f'{quoted(options.transparent)}')
        ids, colours = (any(getattr(item.source, what) for item in classes.classes)
                        for what in ('ids', 'colours'))
        modes = ('RGB', 'RGBA', *(() if ids else ('P',))) if colours else ()
        common = None, False, options.transparent, bool(options.nearest), classes.names
        return cls(classes.mask_values(), *common, cls({
            COLOUR + (red << 16) + (green << 8) + blue: number
            for (red, green, blue), number in classes.mask_colours().items()}, *common), modes)

    @classmethod
    def of(cls, options: FolderOptions) -> MaskFormat:
        """Return the format that the options of a folder describe; raises InputError."""
        if options.transparent not in TRANSPARENT:
            raise InputError(f'transparent: expected {", ".join(TRANSPARENT)}, found '
                             f'{quoted(options.transparent)}')
        given = {name: _values(name, getattr(options, name))
                 for name in ('road', 'ignore', 'other')}
        values = [value for part in given.values() for value in part]
        if len({value >= COLOUR for value in values}) > 1:
            raise InputError('road, ignore, other: expected either ids or colours, found both')
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise InputError('road, ignore, other: expected each value once, found '
                             f'{shown([twice])} twice')
        nearest = bool(options.nearest)
        if nearest and not given['road']:
            raise InputError('nearest: expected road, the value of road, such as '
                             'road=255&nearest=1, found none')
        if any(value >= COLOUR for value in values) and not given['road']:
            raise InputError('road: expected its colours, such as road=#804080, found none')
        return cls(*_meaning(given, nearest), WHITE in values, options.transparent, nearest)

    @property
    def of_colours(self) -> bool:
        """Tell whether the values are colours."""
        return any(value >= COLOUR for value in self.known)

    def to_labels(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return labels, uint8 (H, W), and where a value is an error, bool (H, W)."""
        if self.nearest:
            values = _rounded(values, list(self.known))
        labels = np.full(values.shape, -1 if self.rest is None else self.rest, np.int16)
        for value, label in self.known.items():
            labels[values == value] = label
        return labels.astype(np.uint8), labels < 0

    def explain(self, counts: Mapping[int, int]) -> str:
        """
        Return what values masks hold, and the option that would give them road and not road.

        ``counts`` are numbers of pixels by value. '' if there is nothing to say.
        """
        total = sum(counts.values())
        if not total:
            return ''
        shares = sorted(counts.items(), key=lambda item: -item[1])
        words = [f'{shown([value])}{self._name(value)} ({100 * count / total:.0f} %)'
                 for value, count in shares[:_SHOWN]]
        more = f' and {len(shares) - _SHOWN} more' if len(shares) > _SHOWN else ''
        return f'the masks hold {", ".join(words)}{more}{self._mend(counts)}'

    def _name(self, value: int) -> str:
        """Return the name of a value's class, where there are names."""
        if not self.names:
            return ''
        known = self.known if value in self.known else getattr(self.colours, 'known', {})
        number = known.get(value, IGNORE)
        return f' = {self.names[number] if number < len(self.names) else "ignored"}'

    def _mend(self, counts: Mapping[int, int]) -> str:
        """Return the likely option for masks in which road or not road is missing."""
        if self.names:
            return ''
        labels = {value: self.known.get(value, self.rest) for value in counts}
        if 1 not in labels.values():
            ignored = [value for value, label in labels.items() if label == IGNORE]
            if len(ignored) == 1 and set(labels) <= {0, *ignored}:
                white = shown(ignored)
                return f': say road={white} if that is road, road=0&other={white} if 0 is'
            others = [value for value in counts if value not in (0, COLOUR)]
            return f': say road= and {"one" if len(others) > 1 else "that"} of these' \
                if others else ': nobody has drawn a road'
        if 0 not in labels.values() and IGNORE in labels.values():
            ignored = [value for value, label in labels.items() if label == IGNORE]
            return f': say other={shown(ignored)} if that is not road'
        return ''


def describe_strange(values: np.ndarray, strange: np.ndarray, format: MaskFormat) -> str:
    """Return what a mask with unexpected values holds, and the option that would mend it."""
    said = f'expected a mask of {shown(list(format.known))}, found {shown(values[strange])}'
    if format.names:
        return f'{said}: name them in the classes file, under a class or ignore, or say nearest=1'
    ends = np.isin(values, (0, WHITE)).mean()
    if not format.of_colours and ends > 0.8 and len(np.unique(values)) > 4:
        return f'{said}: say road=255&nearest=1 to round them if they are soft edges'
    if format.known.get(1) == 1 and format.known.get(IGNORE) == IGNORE:
        return f'{said}: say which are road, such as road={shown(np.unique(values)[-1:])}'
    return f'{said}: name them in road, ignore or other'


def shown(values: Iterable[int] | np.ndarray) -> str:
    """Return values as a user writes them, the most frequent first."""
    found, counts = np.unique(np.asarray(list(values) if not isinstance(values, np.ndarray)
                                         else values), return_counts=True)
    order = found[np.argsort(-counts, kind='stable')]
    words = [f'#{value - COLOUR:06x}' if value >= COLOUR else str(value)
             for value in order[:_SHOWN].tolist()]
    return ','.join(words) + (f' and {len(order) - _SHOWN} more' if len(order) > _SHOWN else '')


def pack(colours: np.ndarray) -> np.ndarray:
    """Return RGB colours (H, W, 3) as values, int32 (H, W)."""
    red, green, blue = np.moveaxis(colours.astype(np.int32), -1, 0)
    return COLOUR + (red << 16) + (green << 8) + blue


def _meaning(given: Mapping[str, list[int]], nearest: bool) -> tuple[dict[int, int], int | None]:
    """Return the labels of the known values, and that of all others."""
    road, ignore, other = given['road'], given['ignore'], given['other']
    colours = any(value >= COLOUR for value in (*road, *ignore, *other))
    black = COLOUR if colours else 0
    two_valued = set(road) <= {1, WHITE}
    road = road or [1]
    if not ignore and not colours and not nearest and WHITE not in (*road, *other):
        ignore = [IGNORE]
    strict = bool(other) or nearest or two_valued
    if strict and not other and black not in (*road, *ignore):
        other = [black]
    known = {value: label for values, label in ((other, 0), (ignore, IGNORE), (road, 1))
             for value in values}
    return known, None if strict else 0


def _rounded(values: np.ndarray, choices: list[int]) -> np.ndarray:
    """Return the nearest choice of each value, by Euclidean distance for colours."""
    found, inverse = np.unique(values, return_inverse=True)
    distances = ((_parts(found)[:, None] - _parts(np.array(choices))[None]) ** 2).sum(-1)
    return np.array(choices)[distances.argmin(1)][inverse].reshape(values.shape)


def _parts(values: np.ndarray) -> np.ndarray:
    """Return values as points, int64 (N, 3): a colour's channels, or an id three times."""
    wide = values.astype(np.int64)
    return np.stack([np.where(wide >= COLOUR, wide >> shift & 255, wide)
                     for shift in (16, 8, 0)], -1)


def _values(name: str, text: str) -> list[int]:
    """Return the values in ``7,8`` or ``#804080,#f423e8``; raises InputError."""
    values = []
    for word in filter(None, (part.strip() for part in text.split(','))):
        if re.fullmatch(r'#[0-9a-fA-F]{6}', word):
            values.append(COLOUR + int(word[1:], 16))
        elif re.fullmatch(r'[0-9]{1,5}', word) and int(word) < 65536:
            values.append(int(word))
        else:
            raise InputError(f'{name}: expected ids from 0 to 65535 or colours such as #804080, '
                             f'found {quoted(word)}')
    return values
