# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Map the class names of a dataset to the classes of a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, RoadDataset, Sample
from fcn_seg_ros.datasets.class_file import ClassList
from fcn_seg_ros.errors import InputError


class LabelCodes:
    """
    Codes for labels: the classes, out of a list, that a pixel may show.

    With N classes the codes 0 to N - 1 are one class each. The codes after that, in ``groups``, are
    sets of classes one of which is right: if a dataset labels only road, other pixels may be any
    class that is not road. 255 is not labelled. Raises InputError for a list that needs more codes.
    """

    def __init__(self, classes: ClassList) -> None:
        self.classes = classes
        number = len(classes.names)
        self._road = classes.road_ids
        self._other = tuple(index for index in range(number) if index not in self._road)
        sources = {name for item in classes.classes for name in item.source.names}
        sets = [self._other, self._road, *(classes.members(name) for name in sorted(sources))]
        self.groups = tuple(dict.fromkeys(members for members in sets if len(members) > 1))
        if number + len(self.groups) > IGNORE:
            raise InputError(f'classes: expected at most {IGNORE} classes and groups of them, '
                             f'found {number + len(self.groups)}')

    @property
    def members(self) -> np.ndarray:
        """Return which classes each code may be, bool (codes, N)."""
        number = len(self.classes.names)
        table = np.eye(number + len(self.groups), number, dtype=bool)
        for code, group in enumerate(self.groups, number):
            table[code, list(group)] = True
        return table

    def of_names(self, names: Mapping[int, str]) -> np.ndarray:
        """Return the code for each id of a dataset's ``Classes``, uint8 (256,)."""
        table = np.full(256, IGNORE, np.uint8)
        for number, name in names.items():
            table[number] = self._code(self.classes.members(name))
        return table

    def of_road(self) -> np.ndarray:
        """Return the code for each label of a dataset of road and not road, uint8 (256,)."""
        table = np.full(256, IGNORE, np.uint8)
        table[0], table[1] = self._code(self._other), self._code(self._road)
        return table

    def _code(self, members: tuple[int, ...]) -> int:
        if len(members) > 1:
            return len(self.classes.names) + self.groups.index(members)
        return members[0] if members else IGNORE


class Coded(RoadDataset):
    """A dataset whose samples have ``codes``, from its classes or, without any, from its labels."""

    def __init__(self, dataset: RoadDataset, codes: LabelCodes) -> None:
        self._dataset = dataset
        self._codes = codes

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample with its codes."""
        sample, found = self._dataset[index], self._dataset.classes(index)
        if found is None:
            return replace(sample, codes=self._codes.of_road()[sample.labels])
        return replace(sample, codes=self._codes.of_names(found.names)[found.ids])


def names_in(dataset: RoadDataset) -> tuple[str, ...] | None:
    """Return the names of a dataset's classes, those of its first sample; None without any."""
    found = dataset.classes(0) if len(dataset) else None
    return None if found is None else tuple(found.names.values())


def check_labelled(classes: ClassList, datasets: Iterable[RoadDataset]) -> list[str]:
    """
    Return the datasets' class names that match no class in the list, once each.

    Raises InputError for a class that no dataset labels unambiguously.
    """
    codes = LabelCodes(classes)
    labelled: set[int] = set()
    unknown: dict[str, None] = {}
    for dataset in datasets:
        names = names_in(dataset)
        table = codes.of_road()[:2] if names is None else codes.of_names(dict(enumerate(names)))
        labelled.update(table.tolist())
        unknown |= dict.fromkeys(
            name for name in names or () if not classes.members(name)
            and name not in classes.ignored.names)
    missing = [name for number, name in enumerate(classes.names) if number not in labelled]
    if missing:
        raise InputError(f'classes: expected datasets that label {", ".join(map(repr, missing))}, '
                         'found none; take the class out, or list the datasets\' name for it '
                         'under `from`')
    return list(unknown)
