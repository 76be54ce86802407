# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Datasets made of pairs of files: an image and its ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES, read_rgb, read_size
from fcn_seg_ros.errors import InputError, one_line


class SizeMismatch(InputError):
    """An image and a ground truth of different size."""


@dataclass(frozen=True)
class Pair:
    """The two files of a sample."""

    name: str
    image: Path
    truth: Path


class PairedFiles(RoadDataset):
    """
    Samples that are pairs of files, found by name.

    ``find`` returns the files for a name, or raises InputError if one is missing; ``labels`` reads
    a ground truth file as uint8 (H, W), or raises InputError. The sizes of all files are read
    immediately. A faulty pair raises InputError, or, if not ``strict``, is left out and its error
    listed in ``faults``.
    """

    def __init__(self, names: Iterable[str], find: Callable[[str], Pair],
                 labels: Callable[[Path], np.ndarray], strict: bool = True) -> None:
        self.pairs: list[Pair] = []
        self._faults: list[InputError] = []
        self._labels = labels
        for name in names:
            try:
                pair = find(name)
                _compare_sizes(pair)
            except InputError as error:
                if strict:
                    raise
                self._faults.append(error)
            else:
                self.pairs.append(pair)
        self.names = [pair.name for pair in self.pairs]

    @property
    def faults(self) -> list[InputError]:
        """Return the faults of the pairs that were left out."""
        return self._faults

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample; raises InputError for a damaged file."""
        pair = self.pairs[index]
        return Sample(pair.name, read_rgb(pair.image), self._labels(pair.truth))


def image_file(folder: Path, name: str) -> Path:
    """Return the image ``name`` (.png, .jpg or .jpeg) in a folder; raises InputError for none."""
    candidates = [folder / f'{name}{suffix}' for suffix in IMAGE_SUFFIXES]
    image = next((path for path in candidates if path.is_file()), None)
    if image is None:
        raise InputError(f'{candidates[0]}: expected the image of sample {name} (.png, .jpg), '
                         'found none')
    return image


def image_files(folder: Path) -> list[Path]:
    """Return the sorted image files in a folder."""
    return sorted(path for path in folder.iterdir()
                  if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def image_names(folder: Path) -> list[str]:
    """Return the sorted stems of the images in a folder; raises InputError for none."""
    names = sorted({path.stem for path in image_files(folder)})
    if not names:
        raise InputError(f'{folder}: expected images (.png, .jpg), found none')
    return names


def read_split(root: Path, split: str | Path) -> list[str]:
    """
    Return the names in a split file, one per line; it is a path or a file in ``root``.

    Raises InputError for a file that is missing, empty or not text.
    """
    path = Path(split) if Path(split).is_file() else root / split
    if not path.is_file():
        raise InputError(f'{split}: expected a split file, found none there nor in {root}')
    try:
        names = path.read_text().split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f'{path}: expected one sample name a line, found a file that is no text '
                         f'({one_line(error)})') from None
    if not names:
        raise InputError(f'{path}: expected one sample name a line, found an empty file')
    return names


def _compare_sizes(pair: Pair) -> None:
    image, truth = read_size(pair.image), read_size(pair.truth)
    if image != truth:
        raise SizeMismatch(f'{pair.truth}: expected the size of {pair.image.name}, '
                           f'{image[0]}x{image[1]}, found {truth[0]}x{truth[1]}')
