# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Datasets whose labels are named shapes from annotation tools, drawn when a sample is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, Classes, RoadDataset, Sample
from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES, read_rgb, read_size
from fcn_seg_ros.datasets.names import listed_name, read_split
from fcn_seg_ros.datasets.options import ShapeOptions
from fcn_seg_ros.datasets.pairs import SizeMismatch
from fcn_seg_ros.errors import InputError, quoted
from fcn_seg_ros.files import read_file
from fcn_seg_ros.images.structure import MAX_PIXELS

# The largest annotation file of COCO itself has 0.5 GB.
MOST_BYTES = 2**31
BACKGROUND = 'background'
# Fractions of a pixel in OpenCV's fixed-point coordinates.
_SHIFT = 4
_FAR = 2**20


@dataclass(frozen=True)
class Shape:
    """
    A named region: the union of polygons, float (N, 2) in pixels (x, y), or of a mask.

    The corner of the image is (0, 0). ``mask`` is bool (h, w) with its upper left pixel at ``left``
    and ``top``.
    """

    name: str
    polygons: tuple[np.ndarray, ...] = ()
    mask: np.ndarray | None = None
    left: int = 0
    top: int = 0

    def __post_init__(self) -> None:
        """Refuse, by a ValueError, what cannot be drawn."""
        if not all(np.isfinite(polygon).all() for polygon in self.polygons):
            raise ValueError('coordinates that are no numbers')


@dataclass(frozen=True)
class Annotated:
    """An image, its size (width, height) as the annotation says, and its shapes, last on top."""

    name: str
    image: Path
    size: tuple[int, int]
    shapes: tuple[Shape, ...]


class ShapeDataset(RoadDataset):
    """
    Images with named shapes; those called ``road`` are road, those called ``ignore`` not labelled.

    Everything else is not road. A subclass implements ``read``. Images without a shape are left out
    unless ``empty=other``, since an image that nobody has labelled looks the same. Raises
    InputError for damaged files, images that are missing or have another size, and if nothing is
    called road.
    """

    licence = 'that of the own images'
    Options = ShapeOptions
    named_by_root = True

    def __init__(self, root: str | Path, split: str | None = None,
                 options: ShapeOptions | None = None, strict: bool = True) -> None:
        self.root, self._options = Path(root), options or ShapeOptions()
        if self._options.empty not in ('skip', 'other'):
            raise InputError(f'empty: expected skip or other, found {quoted(self._options.empty)}')
        self._road, self._ignore = (tuple(filter(None, map(str.strip, text.split(','))))
                                    for text in (self._options.road, self._options.ignore))
        self._faults: list[InputError] = []
        found, self._left_out = self._chosen(self.read(split), split), 0
        self.samples: list[Annotated] = []
        for sample in found:
            if not sample.shapes and self._options.empty == 'skip':
                self._left_out += 1
            elif self._checked(sample, strict):
                self.samples.append(sample)
        self.names = [sample.name for sample in self.samples]
        self._labelled = sorted({shape.name for sample in found for shape in sample.shapes})
        if not set(self._labelled) & set(self._road):
            raise InputError(f'{self.root}: expected shapes called {" or ".join(self._road)}, '
                             f'found {", ".join(self._labelled[:20]) or "no shapes"}: say road= '
                             'and the names that are road')

    @classmethod
    def open(cls, root: str, split: str | None, options: Any, strict: bool) -> RoadDataset:
        """Open the dataset; raises InputError."""
        return cls(root, split, options, strict)

    def read(self, split: str | None) -> list[Annotated]:
        """Return all images and shapes, of a split that is a folder; raises InputError."""
        raise NotImplementedError

    def has_split(self, split: str) -> bool:
        """Tell whether a split is one of the annotations, not a file of names."""
        return False

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample; raises InputError for a damaged file."""
        sample = self.samples[index]
        return Sample(sample.name, read_rgb(sample.image), self.labels(index))

    def labels(self, index: int) -> np.ndarray:
        """Return the labels alone."""
        return draw(self.samples[index], lambda name: 1 if name in self._road else
                    IGNORE if name in self._ignore else 0)

    def classes(self, index: int) -> Classes | None:
        """Return the classes of a sample, None if no other class than road is drawn."""
        names = [name for name in self._labelled if name not in self._ignore]
        if set(names) <= set(self._road):
            return None
        return Classes(draw(self.samples[index], lambda name: names.index(name) + 1
                            if name in names else IGNORE),
                       {0: BACKGROUND, **dict(enumerate(names, 1))})

    @property
    def faults(self) -> Sequence[InputError]:
        """Return the faults of the samples that were left out."""
        return self._faults

    @property
    def remarks(self) -> Sequence[str]:
        """Return how many images are left out because nothing is drawn on them."""
        return [f'{self._left_out} images without a shape are left out (empty=other takes them as '
                'not road)'] if self._left_out else []

    def explain_labels(self) -> str:
        """Return which classes are drawn, and what they count as."""
        words = [f'{name} (road)' if name in self._road else
                 f'{name} (not labelled)' if name in self._ignore else name
                 for name in self._labelled[:20]]
        return f'the shapes are {", ".join(words)}; all but road is not road'

    def _chosen(self, found: list[Annotated], split: str | None) -> list[Annotated]:
        """Return the samples in a split file; raises InputError."""
        if split is None or self.has_split(split):
            return found
        folder = self.root if self.root.is_dir() else self.root.parent
        named = {sample.name: sample for sample in found}
        names = [listed_name(line, {name: sample.image for name, sample in named.items()}, 'images')
                 for line in read_split(folder, split)]
        missing = next((name for name in names if name not in named), None)
        if missing is not None:
            raise InputError(f'{split}: expected names of annotated images, found {missing}')
        return [named[name] for name in names]

    def _checked(self, sample: Annotated, strict: bool) -> bool:
        """Tell whether an image has the size of its annotation; keep or raise the fault."""
        try:
            if not sample.image.is_file():
                raise InputError(f'{sample.image}: expected the image of sample {sample.name}, '
                                 'found none: say images= and its folder')
            size = read_size(sample.image)
            if size != sample.size:
                raise SizeMismatch(f'{sample.image}: expected the size in its annotation, '
                                   f'{sample.size[0]}x{sample.size[1]}, found {size[0]}x{size[1]}')
        except InputError as error:
            if strict:
                raise
            self._faults.append(error)
            return False
        return True


def draw(sample: Annotated, value: Callable[[str], int]) -> np.ndarray:
    """Return the shapes, later ones on top, as values of their names, uint8 (H, W); 0 elsewhere."""
    width, height = sample.size
    drawn = np.zeros((height, width), np.uint8)
    for shape in sample.shapes:
        number = value(shape.name)
        for polygon in shape.polygons:
            # OpenCV's coordinates are those of pixel centres.
            corners = np.rint((np.clip(polygon, -_FAR, _FAR) - 0.5) * 2**_SHIFT).astype(np.int32)
            cv2.fillPoly(drawn, [corners], number, shift=_SHIFT)
        if shape.mask is not None:
            part = drawn[max(shape.top, 0):, max(shape.left, 0):]
            mask = shape.mask[max(-shape.top, 0):, max(-shape.left, 0):]
            mask = mask[:part.shape[0], :part.shape[1]]
            part[:mask.shape[0], :mask.shape[1]][mask] = number
    return drawn


def ellipse(x: float, y: float, across: float, down: float) -> np.ndarray:
    """Return an ellipse with these half axes as a polygon."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return np.stack([x + across * np.cos(angle), y + down * np.sin(angle)], 1)


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return a box as a polygon."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def find_image(name: str, folders: Iterable[Path], images: str, root: Path) -> Path:
    """Return an image by its file name, in the option's folder or the first that may have it."""
    name = name.replace('\\', '/')
    places = [Path(images), root / images] if images else list(folders)
    for place in places:
        for path in (place / name, place / Path(name).name):
            if path.is_file():
                return path
    return places[0] / name


def run_lengths(counts: Sequence[int], pixels: int) -> np.ndarray:
    """Return runs of False and True in turns as bool (pixels,); ValueError for another number."""
    if not 0 <= pixels <= MAX_PIXELS or sum(counts) != pixels:
        raise ValueError(f'run lengths of {pixels} pixels expected, {sum(counts)} found')
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts)


def stem_of(name: str) -> str:
    """Return an image's file name as the name of a sample, without the extension."""
    path = Path(name.replace('\\', '/'))
    bare = path.with_suffix('') if path.suffix.lower() in IMAGE_SUFFIXES else path
    return bare.as_posix().removeprefix('./').removeprefix('images/').lstrip('/')


def read_text(path: Path, what: str) -> str:
    """Return the text of an annotation file; raises InputError."""
    try:
        return read_file(path, what, MOST_BYTES).decode('utf-8-sig')
    except UnicodeDecodeError:
        raise InputError(f'{path}: expected {what} in UTF-8, found other bytes') from None


def broken(path: Path, what: str, error: BaseException) -> InputError:
    """Return the error for an annotation file that is not what it should be."""
    return InputError(f'{path}: expected {what}, found a fault ({type(error).__name__}: {error})')
