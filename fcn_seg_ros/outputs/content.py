# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The content of messages as plain values.

The node makes rclpy's messages of it and ``segment`` rosbags', so both hold the same. A message has
the header of its image, but another ``frame_id`` where the content names one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.grid import GridSpec


@dataclass(frozen=True)
class ImageContent:
    """A sensor_msgs/Image: uint8 (H, W) for mono8, (H, W, 3) for rgb8, contiguous."""

    pixels: np.ndarray
    encoding: str


@dataclass(frozen=True)
class FileContent:
    """A sensor_msgs/CompressedImage: an encoded file; ``format`` is spelt as in image_transport."""

    data: bytes
    format: str


@dataclass(frozen=True)
class GridContent:
    """A nav_msgs/OccupancyGrid: int8 (rows, columns)."""

    values: np.ndarray
    spec: GridSpec
    frame_id: str


@dataclass(frozen=True)
class ScanContent:
    """A sensor_msgs/LaserScan: float32 (N,) in metres, bearings in rad."""

    ranges: np.ndarray
    angle_min: float
    angle_increment: float
    range_min: float
    range_max: float
    frame_id: str

    @property
    def angle_max(self) -> float:
        """Return the last bearing."""
        return self.angle_min + self.angle_increment * max(len(self.ranges) - 1, 0)


@dataclass(frozen=True)
class PolygonContent:
    """A geometry_msgs/PolygonStamped: corners on the ground, (N, 2) in metres."""

    corners: np.ndarray
    frame_id: str


@dataclass(frozen=True)
class CloudContent:
    """An organised sensor_msgs/PointCloud2: float32 (H, W, 3), NaN where there is no ground."""

    points: np.ndarray
    frame_id: str
