# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Drafts of labels for CVAT and Label Studio to import.

CVAT takes the archive "Segmentation mask 1.1" (docs.cvat.ai), Label Studio its JSON of tasks with
predictions (labelstud.io/guide/predictions) for the tag PolygonLabels.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np

from fcn_seg_ros.images.encode import encode_png

#: Of the road in CVAT's masks and Label Studio's polygons.
COLOUR = (128, 64, 128)
CVAT, LABEL_STUDIO, LABEL_STUDIO_CONFIG = 'cvat.zip', 'label_studio.json', 'label_studio.xml'
_ROAD, _HOLE = 'road', 'not road'
_CONFIG = f"""<View>
  <Image name="image" value="$image" zoom="true"/>
  <PolygonLabels name="label" toName="image" strokeWidth="2" pointSize="small" opacity="0.3">
    <Label value="{_ROAD}" background="#{bytes(COLOUR).hex()}"/>
    <Label value="{_HOLE}" background="#e6194b"/>
  </PolygonLabels>
</View>
"""
# How far a polygon may be from the mask's edge, and areas that are too small to be corrected.
_OFF_PIXELS, _SMALLEST = 1.0, 5e-4


class CvatArchive:
    """CVAT's archive in work; the same masks give the same bytes."""

    def __init__(self, path: Path) -> None:
        """Begin the archive."""
        self._file = zipfile.ZipFile(path, 'w')
        self._names: list[str] = []

    def add(self, name: str, road: np.ndarray) -> None:
        """Add the mask of the image ``name`` (no extension), uint8 (H, W), 0 or 1."""
        picture = road[..., None] * np.array(COLOUR, np.uint8)
        self._write(f'SegmentationClass/{name}.png', encode_png(picture))
        self._names.append(name)

    def finish(self) -> None:
        """Complete the archive."""
        self._write('ImageSets/Segmentation/default.txt',
                    ''.join(f'{name}\n' for name in self._names).encode())
        self._write('labelmap.txt', 'background:0,0,0::\n'
                    f'{_ROAD}:{",".join(map(str, COLOUR))}::\n'.encode())
        self._file.close()

    def _write(self, name: str, content: bytes) -> None:
        self._file.writestr(zipfile.ZipInfo(name), content)  # dated 1980, whenever it is written


def label_studio_task(folder: str, name: str, road: np.ndarray, model: str, score: float
                      ) -> dict[str, Any]:
    """
    Return a task: the image ``folder/images/NAME.png`` below Label Studio's document root.

    ``road`` is uint8 (H, W), 0 or 1. Its polygons are the prediction of ``model``, what is enclosed
    in the road has polygons of its own on top.
    """
    height, width = road.shape
    common = {'type': 'polygonlabels', 'from_name': 'label', 'to_name': 'image',
              'original_width': width, 'original_height': height, 'image_rotation': 0}
    result = [{'id': f'{name}_{number}', **common, 'value': {
        'points': (100.0 * points / (width, height)).round(3).tolist(), 'closed': True,
        'polygonlabels': [label]}} for number, (label, points) in enumerate(polygons(road))]
    return {'data': {'image': f'/data/local-files/?d={quote(f"{folder}/images/{name}.png")}'},
            'predictions': [{'model_version': model, 'score': round(score, 4),
                             'result': result}]}


def write_label_studio(folder: Path, tasks: list[dict[str, Any]]) -> None:
    """Write tasks and labelling interface into a folder."""
    (folder / LABEL_STUDIO).write_text(json.dumps(tasks))
    (folder / LABEL_STUDIO_CONFIG).write_text(_CONFIG)


def polygons(road: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """
    Yield label and corners, float (N, 2) in pixels (x, y), of a mask's regions, holes last.

    The corner of the image is (0, 0). What is smaller than 0.05 % of the image is left out.
    """
    # At twice the size, the outline through the pixels' centres is a quarter of a pixel off.
    large = cv2.resize(road, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    found, tree = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = [] if tree is None else tree[0][:, 3]
    for label, is_hole in ((_ROAD, False), (_HOLE, True)):
        for contour, parent in zip(found, parents, strict=True):
            if (parent >= 0) == is_hole and cv2.contourArea(contour) >= _SMALLEST * large.size:
                corners = cv2.approxPolyDP(contour, 2 * _OFF_PIXELS, closed=True)[:, 0]
                if len(corners) > 2:
                    yield label, (corners + 0.5) / 2
