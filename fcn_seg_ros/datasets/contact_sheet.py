# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A picture that shows how datasets were understood: images next to their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from fcn_seg_ros.datasets.balance import count
from fcn_seg_ros.datasets.base import IGNORE, RoadDataset, Sample
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.text import text_size, write_text

# Samples of each dataset, two in a row, each an image and its labels.
_SAMPLES = 6
_TILE = 400
_LINE = 22
ROAD, UNLABELLED = (0, 220, 80), (200, 0, 220)
LEGEND = 'green: road, dark: not road, violet: not labelled'
# Of classes, by id; later ones repeat.
_COLOURS = ((230, 25, 75), (60, 180, 75), (255, 225, 25), (0, 130, 200), (245, 130, 48),
            (145, 30, 180), (70, 240, 240), (240, 50, 230), (210, 245, 60), (250, 190, 212),
            (0, 128, 128), (170, 110, 40), (128, 0, 0), (128, 128, 0), (0, 0, 128))


def contact_sheet(titles: Sequence[str], datasets: Sequence[RoadDataset]) -> np.ndarray | None:
    """
    Return a sheet of some samples of each dataset, uint8 RGB (H, W, 3), None without any sample.

    Samples are spread evenly. Each is its image, and the image tinted by its labels, or by its
    classes where the dataset knows them. Samples that cannot be read are left out.
    """
    parts = []
    for title, dataset in zip(titles, datasets, strict=True):
        tiles = [tile for index in _spread(len(dataset))
                 if (tile := _tile(dataset, index)) is not None]
        if tiles:
            parts += [_text([title]), _legend(dataset), *_rows(tiles)]
    return np.vstack(parts) if parts else None


def tinted(sample: Sample) -> np.ndarray:
    """Return an image tinted by its labels (LEGEND), uint8 (H, W, 3)."""
    shown = sample.image // 3
    for label, colour in ((1, ROAD), (IGNORE, UNLABELLED)):
        where = sample.labels == label
        shown[where] = _blend(sample.image[where], colour)
    return shown


def by_class(image: np.ndarray, ids: np.ndarray, names: Mapping[int, str]) -> np.ndarray:
    """Return an image tinted by its classes, uint8 (H, W, 3); ids without a name stay dark."""
    shown = image // 3
    for number in names:
        where = ids == number
        shown[where] = _blend(image[where], _COLOURS[number % len(_COLOURS)])
    return shown


def _spread(length: int) -> list[int]:
    return sorted({int(index) for index in np.linspace(0, length - 1, min(_SAMPLES, length))})


def _tile(dataset: RoadDataset, index: int) -> np.ndarray | None:
    """Return an image and its labels side by side under their name, None if it cannot be read."""
    try:
        sample, classes = dataset[index], dataset.classes(index)
    except InputError:
        return None
    if sample.image.shape[:2] != sample.labels.shape:
        return None
    understood = tinted(sample) if classes is None else by_class(sample.image, classes.ids,
                                                                 classes.names)
    height, width = sample.labels.shape
    size = (_TILE, max(1, round(_TILE * height / width)))
    pair = np.hstack([cv2.resize(part, size, interpolation=cv2.INTER_AREA)
                      for part in (sample.image, understood)])
    other, road, unlabelled = 100 * count(sample.labels) / sample.labels.size
    return np.vstack([_text([f'{sample.name}: {road:.0f} % road, {other:.0f} % not road, '
                             f'{unlabelled:.0f} % not labelled'], pair.shape[1]), pair])


def _rows(tiles: list[np.ndarray]) -> list[np.ndarray]:
    """Return tiles two in a row, padded to the same height."""
    rows = []
    for at in range(0, len(tiles), 2):
        pair = tiles[at:at + 2]
        pair += [np.zeros_like(pair[0])] * (2 - len(pair))
        tallest = max(len(tile) for tile in pair)
        rows.append(np.hstack([np.pad(tile, ((0, tallest - len(tile)), (0, 0), (0, 0)))
                               for tile in pair]))
    return rows


def _legend(dataset: RoadDataset) -> np.ndarray:
    """Return a line that says what the colours are, or the names of the classes in theirs."""
    try:
        classes = dataset.classes(0)
    except InputError:
        classes = None
    if classes is None:
        return _text([LEGEND])
    strip, left = _text(['dark: no class']), 150
    for number, name in classes.names.items():
        colour = _COLOURS[number % len(_COLOURS)]
        write_text(strip, name, (left, _LINE - 7), colour=colour)
        left += text_size(name)[0] + 16
    return strip


def _text(lines: Sequence[str], width: int = 4 * _TILE) -> np.ndarray:
    """Return lines of text, white on black, uint8 (H, width, 3)."""
    strip = np.zeros((_LINE * len(lines), width, 3), np.uint8)
    for number, line in enumerate(lines):
        write_text(strip, line, (6, _LINE * (number + 1) - 7))
    return strip


def _blend(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (0.5 * pixels + 0.5 * np.array(colour)).astype(np.uint8)
