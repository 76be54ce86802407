# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
COCO's annotations: polygons and run lengths of instances.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; the format is that of
cocodataset.org. It is read here, in few lines, since pycocotools brings compiled code and draws
polygons by a raster of its own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.shapes import (
    Annotated,
    Shape,
    ShapeDataset,
    broken,
    find_image,
    read_text,
    run_lengths,
    stem_of,
)
from fcn_seg_ros.errors import InputError

_WHAT = 'instances in COCO\'s JSON'


class Coco(ShapeDataset):
    """
    The images and instances in a JSON file, or in the only one of a folder or its ``annotations``.

    Images are looked for beside the file, in ``images`` there and above, or in ``images=``.
    """

    kind = 'coco'
    title = 'own images (COCO)'

    def read(self, split: str | None) -> list[Annotated]:
        """Return all images with their instances in the order of the file."""
        path = self._file()
        try:
            content = json.loads(read_text(path, _WHAT))
            names = {entry['id']: str(entry['name']) for entry in content['categories']}
            shapes: dict[Any, list[Shape]] = defaultdict(list)
            for entry in content['annotations']:
                if not entry.get('segmentation'):
                    raise InputError(f'{path}: expected polygons, found a box (annotation '
                                     f'{entry["id"]}): export instances for segmentation')
                shapes[entry['image_id']].append(
                    _shape(names[entry['category_id']], entry['segmentation']))
            return [Annotated(stem_of(entry['file_name']), self._image(path, entry['file_name']),
                              (int(entry['width']), int(entry['height'])),
                              tuple(shapes[entry['id']])) for entry in content['images']]
        except InputError:
            raise
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise broken(path, _WHAT, error) from None

    def _file(self) -> Path:
        if self.root.is_file():
            return self.root
        found = [path for folder in (self.root, self.root / 'annotations')
                 for path in sorted(folder.glob('*.json')) if path.name[0] != '.']
        if len(found) != 1:
            raise InputError(f'{self.root}: expected one JSON file in it or its annotations, found '
                             f'{", ".join(path.name for path in found) or "none"}'
                             f'{": name it as coco:FILE" if found else ""}')
        return found[0]

    def _image(self, path: Path, name: str) -> Path:
        near = (path.parent, path.parent.parent)
        return find_image(name, [folder for place in near for folder in (place, place / 'images')],
                          self._options.images, path.parent)


def _shape(name: str, segmentation: Any) -> Shape:
    """Return an instance; raises ValueError, KeyError or TypeError."""
    if isinstance(segmentation, list):
        return Shape(name, tuple(np.array(part, float).reshape(-1, 2) for part in segmentation))
    height, width = segmentation['size']
    counts = segmentation['counts']
    flat = run_lengths(decompressed(counts) if isinstance(counts, str) else counts, height * width)
    return Shape(name, mask=flat.reshape(width, height).T)  # down the columns


def decompressed(text: str) -> list[int]:
    """Return the run lengths in COCO's text: 5 bits a character, differences from the third on."""
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return counts
