# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""CVAT's exports "CVAT for images 1.1" (XML) and "Segmentation mask 1.1" (coloured masks)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.class_file import ClassList, NamedClass, Source
from fcn_seg_ros.datasets.options import FolderOptions, ShapeOptions
from fcn_seg_ros.datasets.plain_folder import PlainFolder
from fcn_seg_ros.datasets.shapes import (
    Annotated,
    Shape,
    ShapeDataset,
    box,
    broken,
    ellipse,
    find_image,
    read_text,
    run_lengths,
    stem_of,
)
from fcn_seg_ros.errors import InputError, quoted

_WHAT = 'an export "CVAT for images 1.1"'
_XML, _LABELS = 'annotations.xml', 'labelmap.txt'


class Cvat(ShapeDataset):
    """
    The folder of an unpacked export, with ``annotations.xml`` or ``labelmap.txt``.

    Images are looked for in ``images`` and its subfolders, or in ``images=`` for an export without
    them. Polygons, masks, boxes and ellipses count.
    """

    kind = 'cvat'
    title = 'own images (CVAT)'

    @classmethod
    def open(cls, root: str, split: str | None, options: Any, strict: bool) -> RoadDataset:
        """Open either export; raises InputError."""
        if (Path(root) / _LABELS).is_file() and not (Path(root) / _XML).is_file():
            return _masks(Path(root), split, options, strict)
        return cls(root, split, options, strict)

    def read(self, split: str | None) -> list[Annotated]:
        """Return all images with their shapes, those of a higher z_order later."""
        path = self.root if self.root.is_file() else self.root / _XML
        if not path.is_file():
            raise InputError(f'{self.root}: expected the folder of an unpacked export by CVAT, '
                             f'with {_XML} ("CVAT for images") or {_LABELS} ("Segmentation '
                             'mask"), found neither')
        images = path.parent / 'images'
        places = [images, *sorted(part for part in images.glob('*') if part.is_dir()), path.parent]
        try:
            return [Annotated(
                stem_of(item.attrib['name']),
                find_image(item.attrib['name'], places, self._options.images, path.parent),
                (int(item.attrib['width']), int(item.attrib['height'])), _shapes(item))
                for item in ElementTree.fromstring(read_text(path, _WHAT)).iter('image')]
        except InputError:
            raise
        except (ElementTree.ParseError, ValueError, KeyError) as error:
            raise broken(path, _WHAT, error) from None


def _shapes(item: ElementTree.Element) -> tuple[Shape, ...]:
    entries = sorted(item, key=lambda entry: int(entry.attrib.get('z_order', 0)))
    return tuple(shape for entry in entries if (shape := _shape(entry)))


def _shape(entry: ElementTree.Element) -> Shape | None:
    """Return a shape, None for one without an area."""
    given, name = entry.attrib, entry.attrib.get('label', '')
    if entry.tag == 'polygon':
        return Shape(name, (np.array([point.split(',') for point in given['points'].split(';')],
                                     float),))
    if entry.tag == 'box':
        return Shape(name, (box(*(float(given[key]) for key in ('xtl', 'ytl', 'xbr', 'ybr'))),))
    if entry.tag == 'ellipse':
        return Shape(name, (ellipse(*(float(given[key]) for key in ('cx', 'cy', 'rx', 'ry'))),))
    if entry.tag == 'mask':
        left, top, width, height = (int(given[key]) for key in ('left', 'top', 'width', 'height'))
        flat = run_lengths([int(word) for word in given['rle'].split(',')], height * width)
        return Shape(name, mask=flat.reshape(height, width), left=left, top=top)
    return None


def _masks(root: Path, split: str | None, options: ShapeOptions, strict: bool) -> PlainFolder:
    """Return the coloured masks of an export; raises InputError."""
    path = root / _LABELS
    if options.empty != 'skip':
        raise InputError('empty: expected skip, since an export "Segmentation mask" has no mask of '
                         f'an image without a shape, found {quoted(options.empty)}')
    road, ignored = (tuple(map(str.strip, text.split(','))) for text in
                     (options.road, options.ignore))
    colours: dict[str, tuple[int, int, int]] = {}
    try:
        for line in read_text(path, 'names and colours of classes').splitlines():
            if line.strip() and not line.startswith('#'):
                name, colour = line.split(':')[:2]
                red, green, blue = (int(part) for part in colour.split(','))
                colours[name] = (red, green, blue)
    except ValueError as error:
        raise broken(path, 'lines such as road:128,64,128::', error) from None
    if not set(colours) & set(road):
        raise InputError(f'{path}: expected a class called {" or ".join(road)}, found '
                         f'{", ".join(colours)}: say road= and the names that are road')
    classes = ClassList(tuple(NamedClass(name, colour, name in road, Source(colours=(colour,)))
                              for name, colour in colours.items() if name not in ignored),
                        Source(colours=tuple(colours[name] for name in ignored if name in colours)))
    folder = FolderOptions(images=options.images or 'JPEGImages', masks='SegmentationClass',
                           missing='skip')
    return PlainFolder(root, split, folder, strict, classes)
