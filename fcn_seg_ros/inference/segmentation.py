# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The options of a segmenter call, and its result."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.label_map import LabelMap
from fcn_seg_ros.inference.postprocess import classes_to_road, draw_overlay
from fcn_seg_ros.inference.region import Region

# The value of a parameter or option that means the checkpoint's threshold.
FROM_CHECKPOINT = -1.0


@dataclass(frozen=True)
class SegmentOptions:
    """
    Options that may change from image to image.

    ``threshold`` applies to P(road), None means the segmenter's; checkpoints with more than two
    classes ignore it and take the likeliest class. Pixels outside ``region``, and those whose
    likeliest class has a probability below ``unknown_below``, are unknown. ``focal_length``, the
    camera's in pixels of the image, helps to choose the size of the network's input; 0 if unknown.
    Raises InputError for values out of range.

    >>> from fcn_seg_ros import SegmentOptions
    >>> SegmentOptions(unknown_below=0.7).unknown_below
    0.7
    """

    threshold: float | None = None
    unknown_below: float = 0.0
    region: Region | None = None
    focal_length: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        resolve_threshold(self.threshold, 0.0)
        if not 0.0 <= self.unknown_below <= 1.0:
            raise InputError(f'unknown_below: expected 0 to 1, found {self.unknown_below}')
        if not 0.0 <= self.focal_length < math.inf:
            raise InputError(f'focal_length: must be finite and not negative, found '
                             f'{self.focal_length}')


@dataclass(frozen=True)
class StageTimes:
    """Milliseconds of a call: scaling the input, forward pass, scaling back and thresholding."""

    preprocess: float
    forward: float
    postprocess: float

    @property
    def total(self) -> float:
        """Return the milliseconds of the whole call."""
        return self.preprocess + self.forward + self.postprocess


@dataclass(frozen=True)
class Segmentation:
    """
    The result for one image, at the image's size; every array is uint8 (H, W).

    ``mask`` holds class ids: the checkpoint's, or 1 for road and 0 for the rest if it is binary;
    255 is unknown. ``probability`` is round(255 P(road)), 0 outside the region. Later calls do not
    change the arrays. ``label_map`` has the ids' names and colours. ``threshold`` is that of
    the mask, on P(road); with more than two classes, 0.5.

    >>> import numpy as np
    >>> from fcn_seg_ros import RoadSegmenter
    >>> image = np.full((96, 320, 3), 100, np.uint8)
    >>> result = RoadSegmenter(device='cpu').segment(image)
    >>> result.mask.shape, result.label_map.meanings
    ((96, 320), {0: 'not road', 1: 'road', 255: 'unknown'})
    """

    mask: np.ndarray
    probability: np.ndarray
    times: StageTimes
    label_map: LabelMap
    compute_confidence: Callable[[], np.ndarray] = field(repr=False)
    threshold: float = 0.5

    @functools.cached_property
    def confidence(self) -> np.ndarray:
        """Return round(255 P(class in the mask)), 0 where it is unknown; computed on demand."""
        return self.compute_confidence()

    @property
    def road(self) -> np.ndarray:
        """Return 1 where the mask says road, else 0, uint8 (H, W)."""
        return classes_to_road(self.mask, self.label_map.road_ids)

    @property
    def picture(self) -> np.ndarray:
        """Return the mask in the colours of its classes, uint8 RGB (H, W, 3)."""
        return self.label_map.draw(self.mask)

    def overlay(self, image: np.ndarray, alpha: float = 0.5) -> np.ndarray:
        """
        Return the image, uint8 RGB (H, W, 3), with the road tinted in its colour.

        ``alpha`` is the colour's opacity, 0 to 1.
        """
        colour = self.label_map.colours[self.label_map.road_ids[0]]
        return draw_overlay(image, self.road, colour, alpha)


def optional_threshold(value: float) -> float | None:
    """Return a user's threshold, None for FROM_CHECKPOINT."""
    return None if value == FROM_CHECKPOINT else value


def resolve_threshold(threshold: float | None, from_checkpoint: float) -> float:
    """Return the threshold to use (None: the checkpoint's); raises InputError outside 0 to 1."""
    if threshold is None:
        return from_checkpoint
    if not 0.0 <= threshold <= 1.0:
        raise InputError('threshold: expected -1 (from the checkpoint) or 0 to 1, '
                         f'found {threshold}')
    return threshold
