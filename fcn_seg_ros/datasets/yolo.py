# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""YOLO's segmentation labels: a text file an image, a polygon a line (Ultralytics' format)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.images import read_size
from fcn_seg_ros.datasets.names import by_name, find_files
from fcn_seg_ros.datasets.shapes import Annotated, Shape, ShapeDataset, broken, read_text
from fcn_seg_ros.errors import InputError, one_line, quoted

_WHAT = 'lines of a class and a polygon, "0 x y x y x y ..." from 0 to 1'


class Yolo(ShapeDataset):
    """
    Images in ``images`` and labels in ``labels``, with the classes' names in ``data.yaml``.

    A split (``train``, ``val``, ``test``) is a folder below or above these. Without ``data.yaml``
    classes are called by their numbers.
    """

    kind = 'yolo'
    title = 'own images (YOLO)'

    def has_split(self, split: str) -> bool:
        """Tell whether a split is a folder."""
        return any((self.root / place).is_dir() for place in (f'images/{split}', f'{split}/images'))

    def read(self, split: str | None) -> list[Annotated]:
        """Return all images with their polygons in the order of the lines."""
        if self._options.images:
            raise InputError('images: expected none, since yolo has images beside the labels, '
                             f'found {quoted(self._options.images)}')
        inner = split is not None and self.has_split(split)
        folders = [(self.root / 'images', self.root / 'labels')]
        if inner:
            folders = [(self.root / 'images' / str(split), self.root / 'labels' / str(split)),
                       (self.root / str(split) / 'images', self.root / str(split) / 'labels')]
        elif not folders[0][0].is_dir():
            folders = [(path, path.parent / 'labels')
                       for path in sorted(self.root.glob('*/images'))]
        names = self._names()
        found = []
        for images, labels in folders:
            if images.is_dir():
                texts = by_name(labels, find_files(labels, ('.txt',), nested=True)) \
                    if labels.is_dir() else {}
                files = by_name(images, find_files(images, nested=True))
                found += [_sample(name, image, texts.get(name), names)
                          for name, image in files.items()]
        if not found:
            raise InputError(f'{self.root}: expected images/ and labels/, or these in train/, val/ '
                             'and test/, found no image there')
        return found

    def _names(self) -> dict[int, str]:
        """Return the names of the classes in data.yaml; raises InputError."""
        path = next((path for path in (self.root / 'data.yaml', self.root / 'data.yml')
                     if path.is_file()), None)
        if path is None:
            return {}
        from fcn_seg_ros.yaml_text import parse_yaml
        content = parse_yaml(read_text(path, 'names of classes'), path)
        try:
            names = content['names']
            pairs = names.items() if isinstance(names, dict) else enumerate(names)
            return {int(number): str(name) for number, name in pairs}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f'{path}: expected the names of the classes under names, found a '
                             f'fault ({one_line(error)})') from None


def _sample(name: str, image: Path, text: Path | None, names: dict[int, str]) -> Annotated:
    try:
        size = read_size(image)
    except InputError:
        size = 0, 0  # which is noticed, with the reason, like any other fault of an image
    return Annotated(name, image, size, () if text is None else _shapes(text, names, size))


def _shapes(path: Path, names: dict[int, str], size: tuple[int, int]) -> tuple[Shape, ...]:
    shapes = []
    try:
        for line in read_text(path, _WHAT).splitlines():
            words = line.split()
            if not words:
                continue
            if len(words) == 5:
                raise InputError(f'{path}: expected polygons, found a box ("{line[:60]}"): export '
                                 'labels for segmentation')
            number, values = int(words[0]), np.array(words[1:], float)
            if len(values) < 6 or len(values) % 2:
                raise ValueError(f'{len(values)} numbers in a line')
            shapes.append(Shape(names.get(number, str(number)),
                                (values.reshape(-1, 2) * np.array(size),)))
    except InputError:
        raise
    except ValueError as error:
        raise broken(path, _WHAT, error) from None
    return tuple(shapes)
