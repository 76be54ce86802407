# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
CamVid with its eleven classes, reduced to road and not road.

Brostow, Fauqueur, Cipolla, "Semantic Object Classes in Video: A High-Definition Ground Truth
Database", PRL 2009; the layout and the eleven classes are those of SegNet's copy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, Classes
from fcn_seg_ros.datasets.images import read_indices
from fcn_seg_ros.datasets.names import image_called, images_by_name
from fcn_seg_ros.datasets.pairs import Pair, PairedFiles
from fcn_seg_ros.errors import InputError

NAMES = dict(enumerate((
    'sky', 'building', 'pole', 'road', 'pavement', 'tree', 'sign', 'fence', 'car', 'pedestrian',
    'cyclist', 'unlabelled')))
ROAD, UNLABELLED = 3, 11


class CamVid(PairedFiles):
    """
    The images in ``root/SPLIT`` with the label images in ``root/SPLITannot``.

    ``split`` is ``train``, ``val`` or ``test``; without it, all that exist are used. Labels are 1
    for CamVid's road, 255 for unlabelled, else 0. Raises InputError for missing folders, images or
    label images, and for pairs of different size.
    """

    kind = 'camvid'
    title = 'CamVid'
    licence = 'CC BY-NC 4.0 (CamVid), non-commercial'

    def __init__(self, root: str | Path, split: str | None = None, strict: bool = True) -> None:
        self.root = Path(root)
        splits = [split] if split is not None else [
            name for name in ('train', 'val', 'test') if (self.root / name).is_dir()]
        if not splits:
            raise InputError(f'{self.root}: expected a CamVid folder with train, val or test, '
                             'found none')
        for name in splits:
            for folder in (self.root / name, self.root / f'{name}annot'):
                if not folder.is_dir():
                    raise InputError(f'{self.root}: expected a CamVid folder with {folder.name}, '
                                     'found none')
        self._named = {folder: images_by_name(self.root / folder) for part in splits
                       for folder in (part, f'{part}annot')}
        self._split_of = {name: part for part in splits for folder in (part, f'{part}annot')
                          for name in self._named[folder]}
        super().__init__(self._split_of, self._pair, read_labels, strict)

    def classes(self, index: int) -> Classes:
        """Return the classes of a sample's pixels; raises InputError for a damaged file."""
        return Classes(read_classes(self.pairs[index].truth), NAMES)

    def _pair(self, name: str) -> Pair:
        split = self._split_of[name]
        image = image_called(name, self.root / split, self._named[split])
        truth = self._named[f'{split}annot'].get(name)
        if truth is None:
            raise InputError(f'{self.root / f"{split}annot" / name}.png: expected the label image '
                             f'of {image.name}, found none')
        return Pair(name, image, truth)


def read_classes(path: Path) -> np.ndarray:
    """
    Read a label image of the classes 0 to 11, uint8 (H, W).

    Raises InputError for a damaged file and for other values.
    """
    classes = read_indices(path)
    if classes.max() > UNLABELLED:
        raise InputError(f'{path}: expected the classes 0 to {UNLABELLED}, '
                         f'found {classes.max()}')
    return classes


def read_labels(path: Path) -> np.ndarray:
    """Read a label image as road labels, uint8 (H, W); raises InputError as ``read_classes``."""
    table = np.zeros(UNLABELLED + 1, np.uint8)
    table[ROAD], table[UNLABELLED] = 1, IGNORE
    return table[read_classes(path)]
