# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image in, mask out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import make_backend
from fcn_seg_ros.inference.postprocess import probability_to_mask
from fcn_seg_ros.inference.preprocess import network_size, resize_image
from fcn_seg_ros.models.checkpoint import Checkpoint, load_checkpoint


@dataclass(frozen=True)
class StageTimes:
    """Milliseconds of one call: resizing in, forward pass, and resizing and thresholding out."""

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
    The result for one image, at the image's size.

    ``probability`` is round(255 P(road)), uint8 (H, W); ``mask`` uint8 (H, W), 1 where that is at
    least the threshold, else 0.
    """

    mask: np.ndarray
    probability: np.ndarray
    times: StageTimes


class RoadSegmenter:
    """
    A checkpoint ready to run on one device.

    ``network_height`` and ``threshold`` come from the checkpoint unless given (0 and -1 mean
    "from the checkpoint"). Not for use from several threads at once.
    """

    def __init__(self, checkpoint: Checkpoint | str | Path, device: str = 'auto',
                 precision: str = 'auto', network_height: int = 0, threshold: float = -1.0,
                 threads: int = 0) -> None:
        if not isinstance(checkpoint, Checkpoint):
            checkpoint = load_checkpoint(checkpoint)
        self.info = checkpoint.info
        if network_height and network_height < 32:
            raise InputError('network_height: expected 0 (from the checkpoint) or at least 32, '
                             f'found {network_height}')
        self.network_height = network_height or self.info.network_height
        self.threshold = resolve_threshold(threshold, self.info.threshold)
        self.backend = make_backend(checkpoint, device, precision, threads)

    def segment(self, image: np.ndarray, threshold: float | None = None) -> Segmentation:
        """
        Segment one RGB image, uint8 (H, W, 3) of any size.

        ``threshold`` replaces the segmenter's own for this call. Raises InputError for an array
        of another type or shape.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise InputError('image: expected a uint8 array of shape (H, W, 3), found '
                             f'{image.dtype} {image.shape}')
        start = time.perf_counter()
        height, width = image.shape[:2]
        size = network_size(height, width, self.network_height)
        batch = np.ascontiguousarray(resize_image(image, size))[None]
        prepared = time.perf_counter()
        small = self.backend(batch)[0]
        computed = time.perf_counter()
        probability = resize_image(small, (height, width))
        mask = probability_to_mask(probability,
                                   self.threshold if threshold is None else threshold)
        done = time.perf_counter()
        times = StageTimes(1e3 * (prepared - start), 1e3 * (computed - prepared),
                           1e3 * (done - computed))
        return Segmentation(mask, probability, times)


def resolve_threshold(threshold: float, from_checkpoint: float) -> float:
    """Return the threshold to use: -1 means the checkpoint's; else it must lie in 0 to 1."""
    if threshold == -1.0:
        return from_checkpoint
    if not 0.0 <= threshold <= 1.0:
        raise InputError('threshold: expected -1 (from the checkpoint) or 0 to 1, '
                         f'found {threshold}')
    return threshold
