# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""LabelMe's annotations: a JSON file an image (wkentaro's labelme)."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.names import find_files
from fcn_seg_ros.datasets.shapes import (
    Annotated,
    Shape,
    ShapeDataset,
    box,
    broken,
    ellipse,
    find_image,
    read_text,
)
from fcn_seg_ros.errors import InputError

_WHAT = 'an annotation by LabelMe'


class LabelMe(ShapeDataset):
    """
    The JSON files in a folder and its subfolders, and the images that they name.

    Polygons, rectangles, circles and masks count; lines and points do not.
    """

    kind = 'labelme'
    title = 'own images (LabelMe)'

    def read(self, split: str | None) -> list[Annotated]:
        """Return all images with their shapes in the order of the files."""
        files = find_files(self.root, ('.json',), nested=True) if self.root.is_dir() else []
        if not files:
            raise InputError(f'{self.root}: expected JSON files by LabelMe, found none')
        return [self._sample(path) for path in files]

    def _sample(self, path: Path) -> Annotated:
        try:
            content = json.loads(read_text(path, _WHAT))
            name = path.relative_to(self.root).with_suffix('').as_posix()
            size = int(content['imageWidth']), int(content['imageHeight'])
            shapes = [shape for entry in content['shapes'] if (shape := _shape(entry))]
            image = find_image(content['imagePath'], [path.parent], self._options.images, self.root)
        except InputError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise broken(path, _WHAT, error) from None
        return Annotated(name, image, size, tuple(shapes))


def _shape(entry: dict[str, Any]) -> Shape | None:
    """Return a shape, None for one without an area."""
    points = np.array(entry['points'], float).reshape(-1, 2)
    name, kind = str(entry['label']), entry.get('shape_type', 'polygon')
    if kind == 'rectangle':
        return Shape(name, (box(*points.min(0).tolist(), *points.max(0).tolist()),))
    if kind == 'circle':
        radius = float(np.hypot(*(points[1] - points[0])))
        return Shape(name, (ellipse(points[0, 0], points[0, 1], radius, radius),))
    if kind == 'mask':
        from PIL import Image
        with Image.open(io.BytesIO(base64.b64decode(entry['mask'])), formats=('PNG',)) as picture:
            mask = np.asarray(picture) > 0
        left, top = np.rint(points[0]).astype(int).tolist()
        return Shape(name, mask=mask, left=left, top=top)
    return Shape(name, (points,)) if kind == 'polygon' and len(points) > 2 else None
