# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Datasets by name: what a command line or a configuration says becomes a dataset.

``kind:PATH?option=value&option=value``, for instance ``kitti:data/kitti_road?split=train.txt``,
``camvid:data/camvid?split=train&weight=0.5``, ``folder:data/mine?road=255``,
``rendered?drives=30&frames=2`` or ``rendered?drives=300&frames=2&world=all``. A plain path is
KITTI Road.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fcn_seg_ros.datasets.base import Part, RoadDataset
from fcn_seg_ros.datasets.camvid import CamVid
from fcn_seg_ros.datasets.frames import Frames
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.plain_folder import PlainFolder
from fcn_seg_ros.datasets.rendered_road import open_rendered
from fcn_seg_ros.errors import InputError

if TYPE_CHECKING:
    from fcn_seg_ros.datasets.mixture import Mixture

SYNTAX = 'KIND:PATH?option=value&option=value'


@dataclass(frozen=True)
class DatasetSpec:
    """
    What to open: the kind, its folder, which part of it, and its weight in a mixture.

    ``taught`` (``teacher=0`` in a spec is False) lets a teacher speak of it. ``part`` (``from=0``,
    ``to=88``) keeps the samples between two percentages, in their order: consecutive frames stay
    together. ``options`` are those of the kind: ``road`` of a folder, ``every`` of frames,
    ``drives``, ``frames``, ``first_seed``, ``world``, ``conditions``, ``aspect`` and ``fov`` of
    rendered drives. Raises InputError for a kind or an option that is unknown.
    """

    kind: str
    root: str = ''
    split: str | None = None
    weight: float = 1.0
    taught: bool = True
    part: tuple[int, int] = (0, 100)
    options: Mapping[str, int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be opened."""
        if self.kind not in KINDS:
            raise InputError(f'dataset: expected one of {", ".join(KINDS)}, found {self.kind!r}')
        kind = KINDS[self.kind]
        if bool(self.root) != kind.has_folder:
            expected = f'{self.kind}:PATH' if kind.has_folder else f'{self.kind} without a path'
            raise InputError(f'dataset: expected {expected}, found {self.kind}:{self.root}')
        if self.split is not None and (not kind.has_folder or self.kind == 'frames'):
            raise InputError(f'dataset {self.kind}: expected no split, found {self.split!r}')
        if not 0 <= self.part[0] < self.part[1] <= 100:
            raise InputError(f'dataset {self}: from and to must be percentages, from below to')
        if not 0 < self.weight < 1000:
            raise InputError(f'dataset {self}: expected a weight above 0, found {self.weight:g}')
        for name in self.options:
            if name not in kind.options:
                split = ('split',) if kind.has_folder else ()
                allowed = ', '.join(('weight', 'teacher', 'from', 'to', *split, *kind.options))
                raise InputError(f'dataset {self.kind}: expected the options {allowed}; '
                                 f'found {name!r}')

    def __str__(self) -> str:
        """Return the text that ``parse_spec`` reads."""
        values: dict[str, object] = {} if self.split is None else {'split': self.split}
        if self.weight != 1:
            values['weight'] = f'{self.weight:g}'
        if not self.taught:
            values['teacher'] = 0
        if self.part != (0, 100):
            values |= {'from': self.part[0], 'to': self.part[1]}
        values |= self.options
        text = f'{self.kind}:{self.root}' if self.root else self.kind
        return text + ('?' if values else '') + '&'.join(f'{k}={v}' for k, v in values.items())


@dataclass(frozen=True)
class Kind:
    """How a kind of dataset is opened, and what a model card says of it."""

    title: str
    licence: str
    has_folder: bool
    options: tuple[str, ...]
    open: Callable[..., Any]


#: Options whose value is a word; the others' are numbers.
_WORDS = ('world', 'conditions', 'aspect')

KINDS = {
    'kitti': Kind('KITTI Road', 'CC BY-NC-SA 3.0 (KITTI Road), non-commercial', True, (),
                  KittiRoad),
    'camvid': Kind('CamVid', 'CC BY-NC 4.0 (CamVid), non-commercial', True, (), CamVid),
    'folder': Kind('own images', 'that of the own images', True, ('road',), PlainFolder),
    'frames': Kind('unlabelled frames', 'that of the frames', True, ('every',), Frames),
    'rendered': Kind('rendered drives', 'Apache-2.0 (rendered drives)', False,
                     ('drives', 'frames', 'first_seed', 'fov', *_WORDS), open_rendered),
}


def parse_spec(text: str) -> DatasetSpec:
    """
    Read a spec from ``kind:PATH?option=value&option=value``; a plain path is KITTI Road.

    Raises InputError for a kind, an option or a value that is unknown.
    """
    place, _, query = text.partition('?')
    kind, colon, root = place.partition(':')
    if not colon:
        kind, root = (place, '') if place in KINDS else ('kitti', place)
    values: dict[str, str] = {}
    for word in filter(None, query.split('&')):
        name, equals, value = word.partition('=')
        if not equals or not value or name in values:
            raise InputError(f'dataset {text!r}: expected {SYNTAX}, found {word!r}')
        values[name] = value
    split = values.pop('split', None)
    weight = _number(text, 'weight', values.pop('weight', '1'), float)
    taught = _number(text, 'teacher', values.pop('teacher', '1'), int)
    if taught not in (0, 1):
        raise InputError(f'dataset {text!r}: teacher: must be 0 or 1, found {taught:g}')
    part = tuple(int(_number(text, name, values.pop(name, default), int))
                 for name, default in (('from', '0'), ('to', '100')))
    options = {name: value if name in _WORDS else int(_number(text, name, value, int))
               for name, value in values.items()}
    return DatasetSpec(kind, str(Path(root).expanduser()) if root else '', split, weight,
                       bool(taught), (part[0], part[1]), options)


def open_dataset(spec: DatasetSpec, strict: bool = True) -> RoadDataset:
    """
    Open a dataset.

    Raises InputError for the first pair at fault; where not ``strict``, pairs at fault are left
    out and listed in the dataset's ``faults``.
    """
    dataset = _open_whole(spec, strict)
    if spec.part == (0, 100):
        return dataset
    first, last = (round(percent * len(dataset) / 100) for percent in spec.part)
    return Part(dataset, range(first, last))


def _open_whole(spec: DatasetSpec, strict: bool) -> RoadDataset:
    kind = KINDS[spec.kind]
    if not kind.has_folder:
        return kind.open(**spec.options)
    if spec.kind == 'frames':
        return kind.open(spec.root, **spec.options)
    return kind.open(spec.root, split=spec.split, strict=strict, **spec.options)


def open_datasets(specs: Sequence[DatasetSpec]) -> Mixture:
    """Open several datasets as one, with their weights; raises InputError."""
    from fcn_seg_ros.datasets.mixture import Mixture  # needs PyTorch, which scoring does not
    return Mixture([open_dataset(spec) for spec in specs], [spec.weight for spec in specs])


def training_data(specs: Sequence[DatasetSpec], mixture: Mixture) -> str:
    """Return what a model card says: ``KITTI Road, 171 images (train.txt); CamVid, ...``."""
    texts = []
    for spec, part in zip(specs, mixture.parts, strict=True):
        weight = '' if spec.weight == 1 else f', weight {spec.weight:g}'
        if spec.kind == 'rendered':
            drives = f'{spec.options.get("drives", 30)} rendered drives'
            if 'world' in spec.options:
                drives += f' (world {spec.options["world"]})'
            texts.append(f'{len(part)} frames of {drives}{weight}')
            continue
        title = KINDS[spec.kind].title
        if spec.kind in ('folder', 'frames'):
            title += f' {Path(spec.root).stem}'
        which = spec.split or ('all' if spec.part == (0, 100) else
                               f'{spec.part[0]} to {spec.part[1]} %')
        texts.append(f'{title}, {len(part)} images ({which}){weight}')
    return '; '.join(texts)


def licences(specs: Sequence[DatasetSpec]) -> str:
    """Return the licences of the training data, those of rendered drives left out."""
    kinds = dict.fromkeys(spec.kind for spec in specs if spec.kind != 'rendered')
    return '; '.join(KINDS[kind].licence for kind in kinds) or KINDS['rendered'].licence


def _number(text: str, name: str, value: str, kind: type[int] | type[float]) -> float:
    try:
        if re.fullmatch(r'[-+0-9.eE]+', value):
            return kind(value)
    except ValueError:
        pass
    raise InputError(f'dataset {text!r}: expected a number for {name}, found {value!r}')
