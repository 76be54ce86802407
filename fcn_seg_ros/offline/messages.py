# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""rosbags' messages of what is computed from a frame, and of a drive's frames."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_typestore

from fcn_seg_ros.drives.drive import Calibration, DriveFrame
from fcn_seg_ros.outputs.content import (
    CloudContent,
    FileContent,
    GridContent,
    ImageContent,
    PolygonContent,
    ScanContent,
)

STORE = get_typestore(Stores.LATEST)
# As PointField has it.
_FLOAT32, _BYTES_PER_FLOAT = 7, 4


def serialised(message: Any) -> memoryview:
    """Return a message as CDR."""
    return STORE.serialize_cdr(message, message.__msgtype__)


def make_header(stamp_ns: int, frame_id: str) -> Any:
    """Return a std_msgs/Header; ``stamp_ns`` is in nanoseconds."""
    return _make('std_msgs/msg/Header', stamp=_make(
        'builtin_interfaces/msg/Time', sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9),
        frame_id=frame_id)


def make_image(frame: DriveFrame) -> Any:
    """Return the sensor_msgs/Image of a frame."""
    return _make('sensor_msgs/msg/Image', header=make_header(frame.stamp_ns, frame.frame_id),
                 height=frame.height, width=frame.width, encoding=frame.encoding,
                 is_bigendian=int(frame.is_bigendian), step=frame.step, data=frame.data.ravel())


def make_camera_info(calibration: Calibration, header: Any) -> Any:
    """Return the sensor_msgs/CameraInfo of a calibration."""
    x, y, width, height = calibration.roi
    return _make(
        'sensor_msgs/msg/CameraInfo', header=header, height=calibration.height,
        width=calibration.width, distortion_model=calibration.distortion_model,
        d=np.array(calibration.d, np.float64), k=np.array(calibration.k, np.float64),
        r=np.array(calibration.r, np.float64), p=np.array(calibration.p, np.float64),
        binning_x=calibration.binning_x, binning_y=calibration.binning_y,
        roi=_make('sensor_msgs/msg/RegionOfInterest', x_offset=x, y_offset=y, height=height,
                  width=width, do_rectify=calibration.do_rectify))


@singledispatch
def to_message(content: Any, header: Any) -> Any:
    """Return the message of a content with a frame's header; what is a message stays as it is."""
    return content


@to_message.register
def _image(content: ImageContent, header: Any) -> Any:
    height, width = content.pixels.shape[:2]
    return _make('sensor_msgs/msg/Image', header=header, height=height, width=width,
                 encoding=content.encoding, is_bigendian=0, step=content.pixels[0].nbytes,
                 data=content.pixels.ravel())


@to_message.register
def _file(content: FileContent, header: Any) -> Any:
    return _make('sensor_msgs/msg/CompressedImage', header=header, format=content.format,
                 data=np.frombuffer(content.data, np.uint8))


@to_message.register
def _grid(content: GridContent, header: Any) -> Any:
    (rows, columns), (x, y) = content.spec.shape, content.spec.corner
    origin = _make('geometry_msgs/msg/Pose',
                   position=_make('geometry_msgs/msg/Point', x=x, y=y, z=0.0),
                   orientation=_make('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=1.0))
    info = _make('nav_msgs/msg/MapMetaData', map_load_time=header.stamp,
                 resolution=content.spec.cell, width=columns, height=rows, origin=origin)
    return _make('nav_msgs/msg/OccupancyGrid', header=_in_frame(header, content.frame_id),
                 info=info, data=content.values.ravel())


@to_message.register
def _scan(content: ScanContent, header: Any) -> Any:
    return _make('sensor_msgs/msg/LaserScan', header=_in_frame(header, content.frame_id),
                 angle_min=content.angle_min, angle_max=content.angle_max,
                 angle_increment=content.angle_increment, time_increment=0.0, scan_time=0.0,
                 range_min=content.range_min, range_max=content.range_max,
                 ranges=content.ranges, intensities=np.empty(0, np.float32))


@to_message.register
def _polygon(content: PolygonContent, header: Any) -> Any:
    points = [_make('geometry_msgs/msg/Point32', x=x, y=y, z=0.0)
              for x, y in content.corners.tolist()]
    return _make('geometry_msgs/msg/PolygonStamped', header=_in_frame(header, content.frame_id),
                 polygon=_make('geometry_msgs/msg/Polygon', points=points))


@to_message.register
def _cloud(content: CloudContent, header: Any) -> Any:
    rows, columns, values = content.points.shape
    kind, step = 'sensor_msgs/msg/PointField', values * _BYTES_PER_FLOAT
    fields = [_make(kind, name=name, offset=number * _BYTES_PER_FLOAT,
                    datatype=_FLOAT32, count=1)
              for number, name in enumerate('xyz')]
    return _make('sensor_msgs/msg/PointCloud2', header=_in_frame(header, content.frame_id),
                 height=rows, width=columns, fields=fields, is_bigendian=False, point_step=step,
                 row_step=step * columns, is_dense=False,
                 data=np.ascontiguousarray(content.points).view(np.uint8).ravel())


def _make(kind: str, **fields: Any) -> Any:
    return STORE.types[kind](**fields)


def _in_frame(header: Any, frame_id: str) -> Any:
    return _make('std_msgs/msg/Header', stamp=header.stamp, frame_id=frame_id)
