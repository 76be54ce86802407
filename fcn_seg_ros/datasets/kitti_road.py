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

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.datasets.images import read_rgb
from fcn_seg_ros.datasets.kitti_calib import calib_file, read_calib
from fcn_seg_ros.datasets.names import by_name, find_files, image_called, listed_name, read_split
from fcn_seg_ros.datasets.pairs import Pair, PairedFiles
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.resources import PACKAGE_DIR

CATEGORIES = ('um', 'umm', 'uu')
# The packaged splits of the images with a ground truth: blocks of consecutive frames, with a gap of
# unused frames around those of val.
SPLITS = ('train', 'val', 'gap')


class KittiRoad(PairedFiles):
    """
    The training set below ``root/training``: ``image_2`` and ``gt_image_2``.

    ``split`` is the name of a packaged split (SPLITS), or a text file with one sample name per line
    (``um_000061``), a path or a file in ``root``; without it, all images with a ground truth are
    used. Labels are 0 not road, 1 road, 255 not valid. Raises InputError for missing folders,
    samples or ground truth, and for an image and a ground truth of different size.
    """

    kind = 'kitti'
    title = 'KITTI Road'
    licence = 'CC BY-NC-SA 3.0 (KITTI Road), non-commercial'

    def __init__(self, root: str | Path, split: str | Path | None = None,
                 strict: bool = True) -> None:
        self.root = Path(root)
        training = self.root / 'training'
        self._images = training / 'image_2'
        self._truths = training / 'gt_image_2'
        for folder in (self._images, self._truths):
            if not folder.is_dir():
                raise InputError(f'{self.root}: expected a KITTI Road folder with '
                                 f'{folder.relative_to(self.root)}, found none{self._hint()}; '
                                 'other datasets are given as KIND:PATH, such as camvid:PATH or '
                                 'folder:PATH')
        self._named = by_name(self._images, find_files(self._images))
        names = self._all_names() if split is None else [
            listed_name(line, self._named) for line in _read_split(self.root, split)]
        super().__init__(names, self._pair, read_truth, strict)

    def geometry(self, name: str) -> np.ndarray | None:
        """Return the homography of the road plane from the calib file, None without one."""
        path = calib_file(self._images / f'{name}.png')
        return read_calib(path).homography if path.is_file() else None

    def submission_images(self) -> list[Path]:
        """
        Return the images to hand in: the test set, ``root/testing``, if there is one.

        Else the dataset's own that have a calib file, to compare with the benchmark's scripts.
        Raises InputError where there are none, and for a test image without a calib file: the
        benchmark takes complete submissions only.
        """
        images = _test_images(self.root)
        if not images:
            wanted = set(self.names)
            images = [image for image in self._named.values()
                      if image.stem in wanted and calib_file(image).is_file()]
        if not images:
            raise InputError(f'{self._images}: expected images of KITTI Road with calib files, '
                             'found none')
        return images

    @classmethod
    def only_test_images(cls, root: str) -> list[Path]:
        """Return the images of ``root/testing`` where there is no ``root/training``."""
        return [] if (Path(root) / 'training').is_dir() else _test_images(Path(root))

    def _all_names(self) -> list[str]:
        names = sorted(path.stem.replace('_road_', '_')
                       for path in find_files(self._truths, ('.png',)) if '_road_' in path.stem)
        if not names:
            raise InputError(f'{self._truths}: expected ground truth files *_road_*.png, '
                             'found none')
        return names

    def _hint(self) -> str:
        """Return what may be meant instead: the archive has a folder of its own, and a test set."""
        if (self.root / 'testing' / 'image_2').is_dir():
            return ' (testing alone has no ground truth: evaluate --submission takes it)'
        inner = next((path for path in (self.root / 'data_road', self.root.parent)
                      if (path / 'training' / 'image_2').is_dir()), None)
        return '' if inner is None else f' (there is one in {inner})'

    def _pair(self, name: str) -> Pair:
        if truth_file(self._images / f'{name}.png') is None:
            raise InputError(f'{self.root}: expected sample names such as um_000000, '
                             f'found {name!r}')
        image = image_called(name, self._images, self._named)
        truth = truth_file(image)
        if truth is None or not truth.is_file():
            raise InputError(f'{truth}: expected the ground truth of {image.name}, found none')
        return Pair(name, image, truth)


def _read_split(root: Path, split: str | Path) -> list[str]:
    """Return the names in a packaged split, or in a split file, which comes first."""
    if str(split) not in SPLITS or (root / split).is_file():
        return read_split(root, split)
    return read_split(PACKAGE_DIR / 'data' / 'kitti_road', f'{split}.txt')


def _test_images(root: Path) -> list[Path]:
    """Return the images of ``root/testing``; InputError for one without a calib file."""
    folder = root / 'testing' / 'image_2'
    images = find_files(folder) if folder.is_dir() else []
    for image in images:
        if not calib_file(image).is_file():
            raise InputError(f'{calib_file(image)}: expected the calib file of {image.name}, '
                             'found none')
    return images


def read_truth(path: Path) -> np.ndarray:
    """
    Read a ground truth file as labels, uint8 (H, W).

    Raises InputError for a damaged file and for colours other than KITTI Road's: red (not road),
    magenta (road), black and blue (not valid).
    """
    rgb = read_rgb(path)
    wrong = (rgb[..., 1] > 0) | ((rgb != 0) & (rgb != 255)).any(-1)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(f'{path}: expected red (not road), magenta (road) and black pixels, '
                         f'found {tuple(rgb[row, column].tolist())} at row {row}, '
                         f'column {column}')
    return decode_truth(rgb)


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
    Return the path of the ground truth for an image of KITTI Road.

    For ``image_2/um_000061.jpg`` it is ``gt_image_2/um_road_000061.png``; None for a file with
    another kind of name.
    """
    category, _, number = image.stem.partition('_')
    if image.parent.name != 'image_2' or category not in CATEGORIES or not number:
        return None
    return image.parent.parent / 'gt_image_2' / f'{category}_road_{number}.png'
