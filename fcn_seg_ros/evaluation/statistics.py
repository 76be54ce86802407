# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Statistics of the training data, from which a node recognises unfamiliar pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.familiar import Range, figures, fit
from fcn_seg_ros.inference.picture import glance
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint_file import read_checkpoint, with_info

IMAGES = 400


def fit_statistics(path: str | Path, datasets: Sequence[RoadDataset], images: int = IMAGES,
                   done: Callable[[], object] | None = None) -> dict[str, Range]:
    """
    Replace the statistics of the training data in a checkpoint.

    At most ``images`` evenly spaced images of each dataset are used, so that large datasets do not
    dominate; ``done`` is called after each. Returns the ranges by figure
    (``inference/familiar.py``). Raises InputError for a file that is not a checkpoint, and without
    images.
    """
    if images < 1:
        raise InputError(f'images: expected at least 1, found {images}')
    info = read_checkpoint(path).info
    # A network from a short run may fail the self-test; its scores tell.
    segmenter = RoadSegmenter(path, test=False)
    seen = []
    for dataset in datasets:
        count = len(dataset)
        for index in np.unique(np.linspace(0, count - 1, min(count, images)).astype(int)):
            image = dataset[int(index)].image
            seen.append(figures(glance(image), segmenter.segment(image)))
            if done is not None:
                done()
    segmenter.close()
    if not seen:
        raise InputError(f'{path}: expected at least one image to fit statistics to, found none')
    ranges = fit(seen)
    with_info(path, dataclasses.replace(info, statistics=ranges))
    return ranges
