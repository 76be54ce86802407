# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
KITTI Road in its official layout.

Fritsch, Kuehnl, Geiger, "A New Performance Measure and Evaluation Benchmark for Road Detection
Algorithms", ITSC 2013.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from fcn_seg_ros.datasets.base import IGNORE, Sample
from fcn_seg_ros.datasets.images import read_rgb
from fcn_seg_ros.errors import InputError

CATEGORIES = ('um', 'umm', 'uu')
_IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg')


class KittiRoad:
    """
    The training set below ``root/training``: ``image_2`` and ``gt_image_2``.

    ``split`` names a text file with one sample a line (``um_000061``), looked for as given and in
    ``root``; without it all images that have a ground truth are taken. Image files may be PNG or
    JPEG. Raises InputError for missing folders, samples or ground truth, and for an image and a
    ground truth of different size.
    """

    def __init__(self, root: str | Path, split: str | Path | None = None) -> None:
        self.root = Path(root)
        training = self.root / 'training'
        self._images = training / 'image_2'
        self._truths = training / 'gt_image_2'
        for folder in (self._images, self._truths):
            if not folder.is_dir():
                raise InputError(f'{self.root}: expected a KITTI Road folder with '
                                 f'{folder.relative_to(self.root)}, found none')
        self.names = self._all_names() if split is None else self._read_split(Path(split))
        self._files = [self._pair(name) for name in self.names]

    def __len__(self) -> int:
        """Return the number of image pairs."""
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample with labels 0 not road, 1 road, 255 not valid."""
        image, truth = self._files[index]
        return Sample(self.names[index], read_rgb(image), decode_truth(read_rgb(truth)))

    def _all_names(self) -> list[str]:
        names = sorted(path.stem.replace('_road_', '_')
                       for path in self._truths.glob('*_road_*.png'))
        if not names:
            raise InputError(f'{self._truths}: expected ground truth files *_road_*.png, '
                             'found none')
        return names

    def _read_split(self, split: Path) -> list[str]:
        path = split if split.is_file() else self.root / split
        if not path.is_file():
            raise InputError(f'{split}: expected a split file, found none there nor in '
                             f'{self.root}')
        names = path.read_text().split()
        if not names:
            raise InputError(f'{path}: expected one sample name a line, found an empty file')
        return names

    def _pair(self, name: str) -> tuple[Path, Path]:
        if truth_file(self._images / f'{name}.png') is None:
            raise InputError(f'{self.root}: expected sample names such as um_000000, '
                             f'found {name!r}')
        candidates = [self._images / f'{name}{suffix}' for suffix in _IMAGE_SUFFIXES]
        image = next((path for path in candidates if path.is_file()), None)
        if image is None:
            raise InputError(f'{candidates[0]}: expected the image of sample {name} (.png, .jpg), '
                             'found none')
        truth = truth_file(image)
        if truth is None or not truth.is_file():
            raise InputError(f'{truth}: expected the ground truth of {image.name}, found none')
        sizes = [_size(image), _size(truth)]
        if sizes[0] != sizes[1]:
            raise InputError(f'{truth}: expected the size of {image.name}, {sizes[0]}, '
                             f'found {sizes[1]}')
        return image, truth


def decode_truth(rgb: np.ndarray) -> np.ndarray:
    """
    Return the labels of a KITTI Road ground truth image, uint8 (H, W).

    Valid where the red channel is > 0, road where blue is > 0 as well (uint8 RGB in).
    """
    valid = rgb[..., 0] > 0
    labels = np.where(rgb[..., 2] > 0, 1, 0)
    return np.where(valid, labels, IGNORE).astype(np.uint8)


def truth_file(image: Path) -> Path | None:
    """
    Return where the ground truth of an image of KITTI Road lies.

    ``image_2/um_000061.jpg`` has ``gt_image_2/um_road_000061.png``; None for a file that is not
    named like that.
    """
    category, _, number = image.stem.partition('_')
    if image.parent.name != 'image_2' or category not in CATEGORIES or not number:
        return None
    return image.parent.parent / 'gt_image_2' / f'{category}_road_{number}.png'


def _size(path: Path) -> str:
    try:
        with Image.open(path) as image:
            return f'{image.width}x{image.height}'
    except OSError:
        raise InputError(f'{path}: expected an image that can be decoded, found none') from None
