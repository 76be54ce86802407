# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Road segmentation with fully convolutional networks: a ROS 2 package, and a library without ROS.

Segment an image file and save an overlay::

    import numpy as np
    from PIL import Image

    from fcn_seg_ros import RoadSegmenter

    segmenter = RoadSegmenter()  # the packaged network on the fastest device
    image = np.asarray(Image.open('road.jpg').convert('RGB'))
    result = segmenter.segment(image)
    print(f'{100 * result.road.mean():.0f} % of the image is road')
    Image.fromarray(result.overlay(image)).save('overlay.png')

The names below are imported when they are first used, so ``import fcn_seg_ros`` is instant and
loads neither ROS nor PyTorch.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fcn_seg_ros.datasets.registry import list_datasets
    from fcn_seg_ros.inference.backends import list_backends
    from fcn_seg_ros.inference.segmentation import Segmentation, SegmentOptions
    from fcn_seg_ros.inference.segmenter import RoadSegmenter
    from fcn_seg_ros.models.checkpoint import load_checkpoint
    from fcn_seg_ros.models.encoders import list_encoders

__all__ = ['RoadSegmenter', 'SegmentOptions', 'Segmentation', '__version__', 'list_backends',
           'list_datasets', 'list_encoders', 'load_checkpoint']

__version__ = '0.1.0'

_HOMES = {
    'RoadSegmenter': 'inference.segmenter', 'Segmentation': 'inference.segmentation',
    'SegmentOptions': 'inference.segmentation', 'load_checkpoint': 'models.checkpoint',
    'list_backends': 'inference.backends', 'list_datasets': 'datasets.registry',
    'list_encoders': 'models.encoders',
}

# OpenCV's threads spin for about a millisecond after each call, on cores that the network and the
# middleware need. OpenCV reads this when it is imported.
os.environ.setdefault('OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER', '0')


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(importlib.import_module(f'{__name__}.{_HOMES[name]}'), name)


def __dir__() -> list[str]:
    """Return the names of this module, including those not imported yet."""
    return sorted({*globals(), *__all__})
