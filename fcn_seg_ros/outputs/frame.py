# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The data that outputs are computed from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from fcn_seg_ros.ground.rays import RoadMask
from fcn_seg_ros.ground.tables import GroundSpec, GroundTables
from fcn_seg_ros.inference.segmentation import Segmentation
from fcn_seg_ros.outputs.camera_info import for_image

T = TypeVar('T')


@dataclass(frozen=True)
class OutputOptions:
    """
    What the package's own outputs ask for, with the defaults of the node's parameters.

    ``overlay_colour`` (RGB) has the opacity ``overlay_alpha``, 0 to 1; ``overlay_rings`` are the
    metres between its rings of distance (0: none); ``jpeg_quality`` is 1 to 100. What is in metres
    is in ``base_frame``; with ``grid_ego_connected`` only cells that are connected to the vehicle
    are free.
    """

    overlay_colour: tuple[int, int, int] = (0, 200, 80)
    overlay_alpha: float = 0.45
    overlay_rings: float = 0.0
    jpeg_quality: int = 80
    base_frame: str = 'base_link'
    ground: GroundSpec = field(default_factory=GroundSpec)
    grid_ego_connected: bool = False


class GroundProvider(Protocol):
    """Gives a camera's tables over the ground."""

    def tables(self, info: Any, header: Any, settings: Any) -> GroundTables | None:
        """Return the tables for an image with its own CameraInfo and header, None without."""
        ...


class GridRecall(Protocol):
    """Remembers what was not road in a camera's grids."""

    def recall(self, values: np.ndarray, tables: GroundTables, header: Any, settings: Any,
               highest: float) -> np.ndarray:
        """Return a frame's grid with what is remembered; free are ``values`` up to ``highest``."""
        ...


class SegmentedFrame:
    """
    A camera image and the network's results: the data that outputs compute from.

    Arrays have the size of the image and are read-only for outputs; see ``Segmentation`` for their
    content. ``header`` is the image's; ``newest_info`` is the camera's newest CameraInfo, None if
    there is none yet. They are rclpy's messages in the node, and rosbags' in ``segment``, with the
    same fields. ``memory`` is what the camera's grids remember, None for nothing.
    """

    #: The names that an output may list in ``needs``.
    PARTS = ('image', 'mask', 'probability', 'confidence', 'road', 'camera_info', 'ground',
             'memory')

    def __init__(self, camera: str, header: Any, image: np.ndarray, result: Segmentation,
                 newest_info: Any, settings: Any, ground: GroundProvider | None = None,
                 memory: GridRecall | None = None) -> None:
        self.camera = camera
        self.header = header
        self.image = image
        self.result = result
        self.newest_info = newest_info
        #: The node's ``Settings``, which has the fields of OutputOptions, or these.
        self.settings = settings
        self.memory = memory
        self._ground = ground
        self._shared: dict[Callable[[SegmentedFrame], Any], Any] = {}

    @property
    def mask(self) -> np.ndarray:
        """Return class ids, 255 where unknown."""
        return self.result.mask

    @property
    def probability(self) -> np.ndarray:
        """Return round(255 P(road))."""
        return self.result.probability

    @property
    def confidence(self) -> np.ndarray:
        """Return round(255 P(class in the mask)), 0 where unknown; computed on first use."""
        return self.result.confidence

    @property
    def road(self) -> np.ndarray:
        """Return 1 on the road, else 0."""
        return self.result.road

    @functools.cached_property
    def camera_info(self) -> Any:
        """Return the CameraInfo of just this image, with its header; None if unknown."""
        if self.newest_info is None:
            return None
        info = for_image(self.newest_info, *self.image.shape[:2])
        if info is not None:
            info.header = self.header
        return info

    @functools.cached_property
    def ground(self) -> GroundTables | None:
        """Return the tables of the camera over the ground, None if its pose is not known (yet)."""
        if self._ground is None or self.camera_info is None:
            return None
        return self._ground.tables(self.camera_info, self.header, self.settings)

    @functools.cached_property
    def seen(self) -> RoadMask:
        """Return the mask as the ground's tables take it."""
        return RoadMask(self.mask, self.probability, self.result.threshold,
                        self.result.label_map.road_ids)

    def lacks(self, needs: Collection[str]) -> str:
        """Return which of ``needs`` the frame does not have: camera_info or ground; '' for none."""
        return next((part for part in ('camera_info', 'ground')
                     if part in needs and getattr(self, part) is None), '')

    def once(self, compute: Callable[[SegmentedFrame], T]) -> T:
        """Return ``compute(self)``, computed once for all outputs that share it."""
        if compute not in self._shared:
            self._shared[compute] = compute(self)
        result: T = self._shared[compute]
        return result
