# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Any folder of images and masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, DatasetOptions
from fcn_seg_ros.datasets.images import read_indices
from fcn_seg_ros.datasets.pairs import Pair, PairedFiles, image_file, image_names, read_split
from fcn_seg_ros.errors import InputError


@dataclass(frozen=True)
class FolderOptions(DatasetOptions):
    """``road`` is the value of road pixels in the masks, 1 or 255."""

    road: int = 1


class PlainFolder(PairedFiles):
    """
    The images in ``root/images`` with the masks ``root/masks/STEM.png`` of the same stem.

    Masks have one channel: 0 not road, 1 road, 255 not labelled. With ``road=255`` they are black
    and white instead: 0 not road, 255 road, nothing unlabelled. This cannot be guessed, since a
    mask of 0 and 255 may mean either. ``split`` is a text file with one stem per line, a path or a
    file in ``root``. Raises InputError for missing folders, images or masks, and for pairs of
    different size.
    """

    kind = 'folder'
    title = 'own images'
    licence = 'that of the own images'
    Options = FolderOptions
    named_by_root = True

    def __init__(self, root: str | Path, split: str | Path | None = None, road: int = 1,
                 strict: bool = True) -> None:
        self.root = Path(root)
        self._images, self._masks = self.root / 'images', self.root / 'masks'
        if road not in (1, 255):
            raise InputError(f'{self.root}: expected road=1 or road=255, found road={road}')
        for folder in (self._images, self._masks):
            if not folder.is_dir():
                raise InputError(f'{self.root}: expected a folder with images and masks, '
                                 f'found no {folder.name}')
        names = (read_split(self.root, split) if split is not None else
                 sorted({*image_names(self._images), *image_names(self._masks)}))
        super().__init__(names, self._pair, partial(read_mask, road=road), strict)

    def _pair(self, name: str) -> Pair:
        image = image_file(self._images, name)
        mask = self._masks / f'{name}.png'
        if not mask.is_file():
            raise InputError(f'{mask}: expected the mask of {image.name}, found none')
        return Pair(name, image, mask)


def read_mask(path: Path, road: int = 1) -> np.ndarray:
    """
    Read a mask of 0, 1 and 255 (not labelled), or of 0 and 255 (road) where ``road`` is 255.

    Returns uint8 (H, W). Raises InputError for a damaged file and for other values.
    """
    mask = read_indices(path)
    allowed = (0, 1, IGNORE) if road == 1 else (0, 255)
    others = np.setdiff1d(mask, allowed)
    if others.size:
        raise InputError(f'{path}: expected a mask of {", ".join(map(str, allowed))}, '
                         f'found {others[0]}')
    return mask if road == 1 else (mask // 255)
