# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Any folder of images and masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, Classes
from fcn_seg_ros.datasets.class_file import ClassList, read_class_file
from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES, is_turned
from fcn_seg_ros.datasets.mask_file import MASK_SUFFIXES, read_mask, read_values
from fcn_seg_ros.datasets.mask_format import MaskFormat
from fcn_seg_ros.datasets.names import by_name, find_files, listed_name, read_split
from fcn_seg_ros.datasets.options import DatasetOptions, FolderOptions
from fcn_seg_ros.datasets.pairs import Pair, PairedFiles
from fcn_seg_ros.errors import InputError, quoted

# Masks that are looked at to explain what they hold.
_LOOKED_AT = 40


class PlainFolder(PairedFiles):
    """
    The images in ``root/images`` with the masks of the same names in ``root/masks``.

    Masks hold 0 not road, 1 road, 255 not labelled, unless the options say otherwise. That cannot
    be guessed: in a mask of 0 and 255, 255 may be road as well as unlabelled. ``split`` is a text
    file with one name per line, a path or a file in ``root``. Raises InputError, with the option
    that is likely missing, for missing folders, images or masks, for options that contradict each
    other, and for pairs of different size.
    """

    kind = 'folder'
    title = 'folder of images'
    licence = 'that of the images'
    Options: ClassVar[type[DatasetOptions]] = FolderOptions
    named_by_root = True

    def __init__(self, root: str | Path, split: str | Path | None = None,
                 options: FolderOptions | None = None, strict: bool = True,
                 classes: ClassList | None = None) -> None:
        self.root, self._options = Path(root), options or FolderOptions()
        self._classes = classes or self._read_classes()
        self._format = (MaskFormat.of(self._options) if self._classes is None else
                        MaskFormat.of_classes(self._classes, self._options))
        for name, choices in (('exif', ('turn', 'ignore')), ('missing', ('refuse', 'skip'))):
            if getattr(self._options, name) not in choices:
                raise InputError(f'{name}: expected {" or ".join(choices)}, found '
                                 f'{quoted(getattr(self._options, name))}')
        if self._options.nearest not in (0, 1):
            raise InputError(f'nearest: expected 0 or 1, found {self._options.nearest}')
        self._image_files, self._mask_files = self._files()
        self._skipped = 0
        turn = self._options.exif == 'turn'
        self._read = partial(read_mask, format=self._format, turn=turn)
        super().__init__(self._names(split), self._pair, self._labels_in, strict, turn)

    @classmethod
    def open(cls, root: str, split: str | None, options: Any, strict: bool) -> PlainFolder:
        """Open a folder; raises InputError."""
        return cls(root, split, options, strict)

    def classes(self, index: int) -> Classes | None:
        """Return the classes of a sample, where a classes file names them; raises InputError."""
        if self._classes is None:
            return None
        return Classes(self._read(self.pairs[index].truth), dict(enumerate(self._classes.names)))

    @property
    def remarks(self) -> Sequence[str]:
        """Return how masks were rounded, what was left out, and which images are turned."""
        found = []
        if self._skipped:
            found.append(f'{self._skipped} images without a mask are left out')
        if self._format.nearest:
            found.append('each pixel of a mask counts as the nearest of the values given: look at '
                         'edges and thin parts')
        turned = self._turn and next(
            (pair.name for pair in self.pairs if is_turned(pair.image)), None)
        if turned:
            found.append(f'images are turned by their EXIF orientation, such as {turned}')
        return found

    def explain_labels(self) -> str:
        """Return which values the masks hold, and the option that is likely missing."""
        counts: Counter[int] = Counter()
        step = -(-len(self.pairs) // _LOOKED_AT) or 1
        for pair in self.pairs[::step]:
            values, clear, _ = read_values(pair.truth, self._format)
            counts.update(dict(zip(*(part.tolist() for part in np.unique(
                values[~clear], return_counts=True)), strict=True)))
        return self._format.explain(counts)

    def _read_classes(self) -> ClassList | None:
        name = self._options.classes
        if not name:
            return None
        inside = self.root / name
        return read_class_file(inside if inside.is_file() else name)

    def _labels_in(self, path: Path) -> np.ndarray:
        """Read a mask as road labels."""
        labels = self._read(path)
        if self._classes is None:
            return labels
        table = np.zeros(256, np.uint8)
        table[list(self._classes.road_ids)], table[IGNORE] = 1, IGNORE
        return table[labels]

    def _files(self) -> tuple[dict[str, Path], dict[str, Path]]:
        """Return images and masks by name; raises InputError for folders without any."""
        options = self._options
        images, masks = (self.root / name for name in (options.images, options.masks))
        if not self.root.is_dir():
            raise InputError(f'{self.root}: expected a folder with images and masks, found no '
                             'such folder')
        for folder, name in ((images, 'images'), (masks, 'masks')):
            if not folder.is_dir():
                raise InputError(f'{self.root}: expected a folder with images and masks, found no '
                                 f'{getattr(options, name)}{self._others(name)}')
        if images == masks and options.suffix == options.image_suffix:
            raise InputError(f'{self.root}: expected suffix, which tells masks from images in the '
                             'same folder, such as suffix=_mask or image_suffix=.jpg&suffix=.png')
        mask_files = by_name(masks, find_files(masks, MASK_SUFFIXES, nested=True), options.suffix)
        taken = set(mask_files.values())
        image_files = by_name(images, [
            path for path in find_files(images, nested=True) if path not in taken
            and not (images in masks.parents and masks in path.parents)], options.image_suffix)
        for found, folder, suffix, kinds in (
                (image_files, images, options.image_suffix, IMAGE_SUFFIXES),
                (mask_files, masks, options.suffix, MASK_SUFFIXES)):
            if not found:
                raise InputError(f'{folder}: expected files *{suffix} ({", ".join(kinds)}), found '
                                 f'{_contents(folder)}')
        return image_files, mask_files

    def _others(self, name: str) -> str:
        """Return the subfolders that there are, as options."""
        if not self.root.is_dir():
            return ''
        known = {self._options.images, self._options.masks}
        found = sorted(path.name for path in self.root.iterdir()
                       if path.is_dir() and path.name not in known and path.name[0] != '.')
        return f' but {", ".join(found[:8])}: say {name}= and the one with {name}' if found else ''

    def _names(self, split: str | Path | None) -> list[str]:
        if split is not None:
            options = self._options
            return [listed_name(line, self._image_files, options.images, options.image_suffix)
                    for line in read_split(self.root, split)]
        if self._options.missing == 'skip':
            names = sorted(self._mask_files)
            self._skipped = len(self._image_files.keys() - self._mask_files.keys())
            return names
        return sorted({*self._image_files, *self._mask_files})

    def _pair(self, name: str) -> Pair:
        options = self._options
        image, mask = self._image_files.get(name), self._mask_files.get(name)
        if image is None:
            raise InputError(f'{self.root / options.images / name}{options.image_suffix}.png: '
                             f'expected the image of sample {name} (.png, .jpg), found none'
                             f'{_alike(name, self._image_files, "image_suffix")}')
        if mask is None:
            some = len(self._image_files.keys() & self._mask_files.keys())
            skip = (f'; {some} of {len(self._image_files)} images have one: say missing=skip to '
                    'leave out the others' if some else '')
            raise InputError(f'{self.root / options.masks / name}{options.suffix}.png: expected '
                             f'the mask of {image.name}, found none'
                             f'{_alike(name, self._mask_files, "suffix") or skip}')
        return Pair(name, image, mask)


def _alike(name: str, files: dict[str, Path], option: str) -> str:
    """Return the option that would find a file whose name only begins with ``name``."""
    found = [other for other in files if other.startswith(name) and other != name]
    if len(found) != 1:
        return ''
    return f' but {files[found[0]].name}: say {option}={found[0].removeprefix(name)}'


def _contents(folder: Path) -> str:
    """Return what is in a folder, by extension."""
    kinds = Counter(path.suffix.lower() or 'without extension' for path in folder.rglob('*')
                    if path.is_file() and path.name[0] != '.')
    return ', '.join(f'{count} {kind}' for kind, count in kinds.most_common(5)) or 'no files'
