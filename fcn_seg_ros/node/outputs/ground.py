# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outputs in metres: grid, freespace and points, in the base frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from geometry_msgs.msg import Point32, PolygonStamped
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import Image, LaserScan, PointCloud2, PointField
from std_msgs.msg import Header

from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.tables import GroundTables
from fcn_seg_ros.messages import to_mono8
from fcn_seg_ros.node.outputs.output import Output, SegmentedFrame


def grid_values(frame: SegmentedFrame) -> np.ndarray:
    """Return the grid of a frame, int8 (rows, columns)."""
    tables = _with_shadows(frame)
    values = tables.grid.update(frame.seen)
    if frame.settings.grid_ego_connected:
        values = tables.grid.keep_connected(100.0 * (1.0 - frame.seen.threshold))
    return values


def grid_message(values: np.ndarray, spec: GridSpec, header: Header) -> Any:
    """Return a nav_msgs/OccupancyGrid of int8 (rows, columns)."""
    from nav_msgs.msg import OccupancyGrid  # may be missing, and with it this output
    message = OccupancyGrid(header=header)
    message.info.map_load_time = header.stamp
    message.info.resolution = spec.cell
    message.info.height, message.info.width = spec.shape
    message.info.origin.position.x, message.info.origin.position.y = spec.corner
    message.info.origin.orientation.w = 1.0
    message.data.frombytes(values.data)
    return message


class RoadGridMessage(Output):
    """The road as a grid of cells."""

    def compute(self, source: SegmentedFrame) -> Any:
        """Return a nav_msgs/OccupancyGrid."""
        return grid_message(source.once(grid_values), source.settings.ground.grid,
                            _header(source))


class FreespaceScan(Output):
    """How far the road is free, on each bearing."""

    def compute(self, source: SegmentedFrame) -> LaserScan:
        """Return a scan from the origin of the base frame, on the ground."""
        ranges, free = source.once(_ranges), _tables(source).freespace
        message = LaserScan(
            header=_header(source), angle_min=free.angle_min,
            angle_max=free.angle_min + free.angle_increment * max(len(ranges) - 1, 0),
            angle_increment=free.angle_increment, range_min=free.range_min,
            range_max=free.range_max)
        message.ranges.frombytes(ranges.view(np.uint8).data)
        return message


class FreespacePolygon(Output):
    """The free area around which the scan runs."""

    def compute(self, source: SegmentedFrame) -> PolygonStamped:
        """Return its corners, counter-clockwise along the near side, then back along the far."""
        source.once(_ranges)
        message = PolygonStamped(header=_header(source))
        message.polygon.points = [Point32(x=x, y=y)
                                  for x, y in _tables(source).freespace.polygon().tolist()]
        return message


class RoadPoints(Output):
    """The ground points of every n-th pixel."""

    def __init__(self, node: LifecycleNode, camera: str) -> None:
        super().__init__(node, camera)
        self._message: PointCloud2 | None = None

    def compute(self, source: SegmentedFrame) -> PointCloud2:
        """Return an organised cloud; its memory serves for all frames."""
        points = _with_shadows(source).points.update()
        rows, columns = points.shape[:2]
        message = self._message
        if message is None or (message.height, message.width) != (rows, columns):
            message = self._message = _empty_cloud(rows, columns)
        message.header = _header(source)
        np.frombuffer(message.data, np.float32).reshape(points.shape)[:] = points
        return message


class ThinImage(Output):
    """The part of an image of the frame that the points belong to."""

    def __init__(self, part: str, node: LifecycleNode, camera: str) -> None:
        super().__init__(node, camera)
        self._part = part

    def compute(self, source: SegmentedFrame) -> Image:
        """Return a mono8 image of the cloud's width and height."""
        return to_mono8(_tables(source).points.thin(getattr(source, self._part)), source.header)


def _tables(frame: SegmentedFrame) -> GroundTables:
    assert frame.ground is not None  # the rows need it
    return frame.ground


def _shadows(frame: SegmentedFrame) -> GroundTables:
    tables = _tables(frame)
    tables.shadows.update(frame.seen)
    return tables


def _with_shadows(frame: SegmentedFrame) -> GroundTables:
    """Return the tables, with the shadows of this frame."""
    return frame.once(_shadows)


def _ranges(frame: SegmentedFrame) -> np.ndarray:
    return _tables(frame).freespace.update(frame.seen)


def _header(frame: SegmentedFrame) -> Header:
    return Header(stamp=frame.header.stamp, frame_id=frame.settings.base_frame)


def _empty_cloud(rows: int, columns: int) -> PointCloud2:
    message = PointCloud2(
        height=rows, width=columns, point_step=12, row_step=12 * columns, is_dense=False,
        fields=[PointField(name=name, offset=4 * number, datatype=PointField.FLOAT32, count=1)
                for number, name in enumerate('xyz')])
    message.data.frombytes(bytes(12 * rows * columns))
    return message
