# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outputs that are computed without ROS, as rclpy's messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
from geometry_msgs.msg import Point32, PolygonStamped
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image, LaserScan, PointCloud2, PointField
from std_msgs.msg import Header

from fcn_seg_ros.messages import to_compressed, to_mono8, to_rgb8
from fcn_seg_ros.node.outputs.output import Output
from fcn_seg_ros.outputs.content import (
    CloudContent,
    FileContent,
    GridContent,
    ImageContent,
    PolygonContent,
    ScanContent,
)
from fcn_seg_ros.outputs.frame import SegmentedFrame

_IMAGES = {'mono8': to_mono8, 'rgb8': to_rgb8}


class Computed(Output):
    """An output that a row of ``CONTENTS`` computes."""

    def __init__(self, content: Callable[[SegmentedFrame], Any], node: LifecycleNode, camera: str
                 ) -> None:
        super().__init__(node, camera)
        self._content = content

    def compute(self, source: SegmentedFrame) -> Any:
        """Return the message, None if there is none."""
        content = self._content(source)
        return None if content is None else to_message(content, source.header)


@singledispatch
def to_message(content: Any, header: Header) -> Any:
    """Return the message of a content with a frame's header; what is a message stays as it is."""
    return content


@to_message.register
def _image(content: ImageContent, header: Header) -> Image:
    return _IMAGES[content.encoding](content.pixels, header)


@to_message.register
def _file(content: FileContent, header: Header) -> CompressedImage:
    return to_compressed(content.data, content.format, header)


@to_message.register
def _grid(content: GridContent, header: Header) -> Any:
    from nav_msgs.msg import OccupancyGrid  # may be missing, and with it this output
    message = OccupancyGrid(header=_in_frame(header, content.frame_id))
    info, spec = message.info, content.spec
    info.map_load_time = header.stamp
    info.resolution = spec.cell
    info.height, info.width = spec.shape
    info.origin.position.x, info.origin.position.y = spec.corner
    info.origin.orientation.w = 1.0
    message.data.frombytes(content.values.data)
    return message


@to_message.register
def _scan(content: ScanContent, header: Header) -> LaserScan:
    message = LaserScan(
        header=_in_frame(header, content.frame_id), angle_min=content.angle_min,
        angle_max=content.angle_max, angle_increment=content.angle_increment,
        range_min=content.range_min, range_max=content.range_max)
    message.ranges.frombytes(content.ranges.view(np.uint8).data)
    return message


@to_message.register
def _polygon(content: PolygonContent, header: Header) -> PolygonStamped:
    message = PolygonStamped(header=_in_frame(header, content.frame_id))
    message.polygon.points = [Point32(x=x, y=y) for x, y in content.corners.tolist()]
    return message


@to_message.register
def _cloud(content: CloudContent, header: Header) -> PointCloud2:
    rows, columns = content.points.shape[:2]
    message = PointCloud2(
        header=_in_frame(header, content.frame_id), height=rows, width=columns, point_step=12,
        row_step=12 * columns, is_dense=False,
        fields=[PointField(name=name, offset=4 * number, datatype=PointField.FLOAT32, count=1)
                for number, name in enumerate('xyz')])
    message.data.frombytes(np.ascontiguousarray(content.points).view(np.uint8).data)
    return message


def _in_frame(header: Header, frame_id: str) -> Header:
    return Header(stamp=header.stamp, frame_id=frame_id) if frame_id else header
