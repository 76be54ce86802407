# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Variants of an image: corrupted, of another size, or cropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.evaluation.corruptions import CORRUPTIONS, corrupt
from fcn_seg_ros.inference.preprocess import resize_image
from fcn_seg_ros.inference.region import Region

SIZES = (0.5, 0.75, 1.5, 2.0)
# Width to height.
SHAPES = {'4:3': Fraction(4, 3), '16:9': Fraction(16, 9), '21:9': Fraction(21, 9),
          'portrait 3:4': Fraction(3, 4)}
CORRUPTION, SIZE, CROP = 'corruption', 'size', 'crop'


@dataclass(frozen=True)
class Variant:
    """
    A variant of an image.

    ``view`` makes it from a sample; ``region`` returns, for an image's (height, width), the part
    that it shows, or None if it would be the unchanged image.
    """

    name: str
    group: str
    view: Callable[[Sample], np.ndarray]
    region: Callable[[tuple[int, int]], Region | None]


def corruptions() -> list[Variant]:
    """Return a variant for each of CORRUPTIONS."""
    return [Variant(kind, CORRUPTION, _corrupted(kind), _whole) for kind in CORRUPTIONS]


def geometry() -> list[Variant]:
    """Return the variants of other sizes and aspect ratios."""
    return [*(Variant(f'{factor:g} x', SIZE, _scaled(factor), _whole) for factor in SIZES),
            *(Variant(name, CROP, _cropped(shape), _crop(shape))
              for name, shape in SHAPES.items())]


def crop_to(height: int, width: int, shape: Fraction) -> Region | None:
    """
    Return the largest region with an aspect ratio; None if the image's differs by less than 2 %.

    Columns are cropped equally on both sides. Rows are cropped at the top, as the road is at the
    bottom, up to a quarter of the image, to keep the horizon; the rest at the bottom.
    """
    if abs(width / height / shape - 1) < 0.02:
        return None
    columns = min(width, round(height * shape))
    rows = min(height, round(width / shape))
    return Region((width - columns) // 2, min(height - rows, height // 4), columns, rows)


def _whole(shape: tuple[int, int]) -> Region | None:
    return Region(0, 0, shape[1], shape[0])


def _corrupted(kind: str) -> Callable[[Sample], np.ndarray]:
    return lambda sample: corrupt(sample.image, kind, sample.name)


def _scaled(factor: float) -> Callable[[Sample], np.ndarray]:
    return lambda sample: resize_image(
        sample.image, (max(1, round(sample.image.shape[0] * factor)),
                       max(1, round(sample.image.shape[1] * factor))))


def _crop(shape: Fraction) -> Callable[[tuple[int, int]], Region | None]:
    return lambda size: crop_to(*size, shape)


def _cropped(shape: Fraction) -> Callable[[Sample], np.ndarray]:
    def view(sample: Sample) -> np.ndarray:
        region = crop_to(sample.image.shape[0], sample.image.shape[1], shape)
        return sample.image if region is None else np.ascontiguousarray(
            sample.image[region.slices()])
    return view
