# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Datasets by name: open the dataset that a command line or configuration names.

``kind:PATH?option=value&option=value``, for instance ``kitti:data/kitti_road?split=train``,
``camvid:data/camvid?split=train&weight=0.5``, ``folder:data/mine?road=255``,
``rendered?drives=30&frames=2`` or ``rendered?drives=300&frames=2&world=all``. A plain path is
KITTI Road.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fcn_seg_ros.datasets.base import Part, RoadDataset
from fcn_seg_ros.datasets.camvid import CamVid
from fcn_seg_ros.datasets.cityscapes import Cityscapes
from fcn_seg_ros.datasets.coco import Coco
from fcn_seg_ros.datasets.cvat import Cvat
from fcn_seg_ros.datasets.frames import Frames
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.labelme import LabelMe
from fcn_seg_ros.datasets.options import SYNTAX, DatasetOptions
from fcn_seg_ros.datasets.plain_folder import PlainFolder
from fcn_seg_ros.datasets.rendered_road import Rendered
from fcn_seg_ros.datasets.yolo import Yolo
from fcn_seg_ros.errors import InputError, did_you_mean, type_and_words
from fcn_seg_ros.plugins import register_installed, with_installed

if TYPE_CHECKING:
    from fcn_seg_ros.datasets.mixture import Mixture

ENTRY_POINTS = 'fcn_seg_ros.datasets'
_DATASETS: tuple[type[RoadDataset], ...] = (
    KittiRoad, CamVid, PlainFolder, Cityscapes, Coco, Yolo, LabelMe, Cvat, Frames, Rendered)
_KINDS: dict[str, type[RoadDataset]] = {dataset.kind: dataset for dataset in _DATASETS}


def register_dataset(dataset: type[RoadDataset]) -> None:
    """
    Make a class of datasets available under its ``kind`` wherever a dataset can be named.

    An installed package has its class registered through an entry point in the group
    ``fcn_seg_ros.datasets`` with the kind's name. Raises ValueError if the kind is taken, or if a
    fact that a model card needs is missing.
    """
    if dataset.kind in _KINDS:
        raise ValueError(f'dataset {dataset.kind!r} is registered already')
    if not (dataset.kind and dataset.title and dataset.licence):
        raise ValueError(f'{dataset.__name__} needs a kind, a title and a licence')
    _KINDS[dataset.kind] = dataset


def list_datasets() -> list[str]:
    """
    Return the kinds of datasets that ``train``, ``evaluate`` and ``check_dataset`` can open.

    >>> from fcn_seg_ros import list_datasets
    >>> list_datasets()[:4]
    ['kitti', 'camvid', 'folder', 'cityscapes']
    """
    return with_installed(ENTRY_POINTS, _KINDS)


@dataclass(frozen=True)
class DatasetSpec:
    """
    What to open: kind, folder, part, and weight in a mixture.

    ``taught`` (False for ``teacher=0`` in a spec) lets a teacher label it. ``part`` (``from=0``,
    ``to=88``) keeps the samples between two percentages, in their order, so that consecutive frames
    stay together. ``options`` are those of the kind, by default its ``Options()``. Raises
    InputError for an unknown kind and for values that do not fit it.
    """

    kind: str
    root: str = ''
    split: str | None = None
    weight: float = 1.0
    taught: bool = True
    part: tuple[int, int] = (0, 100)
    options: DatasetOptions = field(default_factory=DatasetOptions)

    def __post_init__(self) -> None:
        """Refuse what cannot be opened."""
        dataset = _kind(self.kind)
        if type(self.options) is DatasetOptions:
            object.__setattr__(self, 'options', dataset.Options())
        if bool(self.root) != dataset.has_root:
            expected = f'{self.kind}:PATH' if dataset.has_root else f'{self.kind} without a path'
            raise InputError(f'dataset: expected {expected}, found {self.kind}:{self.root}')
        if self.split is not None and not dataset.has_splits:
            raise InputError(f'dataset {self.kind}: expected no split, found {self.split!r}')
        if not 0 <= self.part[0] < self.part[1] <= 100:
            raise InputError(f'dataset {self}: from and to must be percentages, from below to')
        if not 0 < self.weight < 1000:
            raise InputError(f'dataset {self}: expected a weight above 0 and below '
                             f'1000, found {self.weight:g}')

    def __str__(self) -> str:
        """Return the text that ``parse_spec`` reads."""
        values: dict[str, object] = {} if self.split is None else {'split': self.split}
        if self.weight != 1:
            values['weight'] = f'{self.weight:g}'
        if not self.taught:
            values['teacher'] = 0
        if self.part != (0, 100):
            values |= {'from': self.part[0], 'to': self.part[1]}
        values |= {field.name: value for field in dataclasses.fields(self.options)
                   if (value := getattr(self.options, field.name)) != field.default}
        text = f'{self.kind}:{self.root}' if self.root else self.kind
        return text + ('?' if values else '') + '&'.join(f'{k}={v}' for k, v in values.items())

    def describe(self, images: int) -> str:
        """Return a model card's description of ``images`` images."""
        which = self.split or ('all' if self.part == (0, 100) else
                               f'{self.part[0]} to {self.part[1]} %')
        weight = '' if self.weight == 1 else f', weight {self.weight:g}'
        return _kind(self.kind).describe(self.root, self.options, images, which) + weight


def parse_spec(text: str, scoring: bool = False) -> DatasetSpec:
    """
    Read a spec from ``kind:PATH?option=value&option=value``; a plain path is KITTI Road.

    ``scoring``: options that are not given are the kind's for scoring instead of for training.
    Raises InputError for an unknown kind, option or value.
    """
    place, _, query = text.partition('?')
    kind, colon, root = place.partition(':')
    if not colon:
        kind, root = (place, '') if place in list_datasets() else (KittiRoad.kind, place)
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
    return DatasetSpec(kind, os.path.expanduser(root), split, weight, bool(taught),
                       (part[0], part[1]), _options(text, kind, values, scoring))


def open_dataset(spec: DatasetSpec, strict: bool = True) -> RoadDataset:
    """
    Open a dataset.

    Raises InputError for the first faulty sample; unless ``strict``, faulty samples are left out
    and listed in the dataset's ``faults``.
    """
    try:
        dataset = _kind(spec.kind).open(spec.root, spec.split, spec.options, strict)
    except OSError as error:  # a name that is too long, a folder that may not be read
        raise InputError(f'{spec.root}: cannot be read ({error.strerror})') from None
    if spec.part == (0, 100):
        return dataset
    first, last = (round(percent * len(dataset) / 100) for percent in spec.part)
    return Part(dataset, range(first, last))


def only_test_images(spec: DatasetSpec) -> list[Path]:
    """Return the images of a benchmark's test set, where the dataset has no others; else none."""
    return _kind(spec.kind).only_test_images(spec.root)


def open_datasets(specs: Sequence[DatasetSpec]) -> Mixture:
    """Open several datasets as one, with their weights; raises InputError."""
    from fcn_seg_ros.datasets.mixture import Mixture  # needs PyTorch, which scoring does not
    return Mixture([open_dataset(spec) for spec in specs], [spec.weight for spec in specs])


def training_data(specs: Sequence[DatasetSpec], mixture: Mixture) -> str:
    """Return what a model card says: ``KITTI Road, 171 images (train); CamVid, ...``."""
    return '; '.join(spec.describe(len(part))
                     for spec, part in zip(specs, mixture.parts, strict=True))


def licences(specs: Sequence[DatasetSpec]) -> str:
    """Return the licences of the training data, the package's if none is a third party's."""
    kinds = dict.fromkeys(_kind(spec.kind) for spec in specs)
    others = [kind.licence for kind in kinds if kind.third_party]
    return '; '.join(others) or Rendered.licence


def _kind(name: str) -> type[RoadDataset]:
    if name not in _KINDS:
        for point, error in register_installed(ENTRY_POINTS, register_dataset,
                                               lambda found: found == name):
            raise InputError(f'dataset: {name!r} ({point.value}) does not load: '
                             f'{type_and_words(error)}')
    if name not in _KINDS:
        raise InputError(f'dataset: expected one of {", ".join(list_datasets())}, found {name!r}')
    return _KINDS[name]


def _options(text: str, kind: str, values: Mapping[str, str], scoring: bool) -> DatasetOptions:
    """Return a kind's options with the given values; raises InputError."""
    dataset = _kind(kind)
    hints = typing.get_type_hints(dataset.Options)
    for name in values:
        if name not in hints:
            split = ('split',) if dataset.has_root else ()
            known = ('weight', 'teacher', 'from', 'to', *split, *hints)
            raise InputError(f'dataset {kind}: unknown option {name!r}{did_you_mean(name, known)} '
                             f'(it takes {", ".join(known)})')
    given: dict[str, Any] = {
        name: int(_number(text, name, value, int)) if _is_number(hints[name]) else value
        for name, value in values.items()}
    default = (dataset.scoring_options if scoring else None) or dataset.Options()
    return dataclasses.replace(default, **given)


def _is_number(hint: Any) -> bool:
    return hint is int or int in typing.get_args(hint)


def _number(text: str, name: str, value: str, kind: type[int] | type[float]) -> float:
    try:
        if re.fullmatch(r'[-+0-9.eE]+', value):
            return kind(value)
    except ValueError:
        pass
    raise InputError(f'dataset {text!r}: expected a number for {name}, found {value!r}')
