# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Deserialise recorded images and calibrations without ROS."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from fcn_seg_ros.drives.bag import BagMessage
from fcn_seg_ros.drives.drive import Calibration, DriveFrame
from fcn_seg_ros.drives.storage import Channel
from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.images.decode import decode

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
# ROS's serialisations; others (protobuf, JSON) are not read.
_STORES = {'cdr': Stores.LATEST, 'ros1': Stores.ROS1_NOETIC}


class Damaged(ValueError):
    """A message that cannot be read, with the reason in one line, and its stamp if readable."""

    def __init__(self, reason: str, stamp_ns: int | None = None) -> None:
        """Store reason and stamp."""
        super().__init__(reason)
        self.stamp_ns = stamp_ns


@cache
def _typestore(encoding: str) -> Typestore:
    return get_typestore(_STORES[encoding])


def is_ros(channel: Channel) -> bool:
    """Return whether the messages of a channel are serialised as in ROS."""
    return channel.encoding in _STORES


def deserialize(message: BagMessage, kind: str) -> Any:
    """
    Deserialise a message of one of the three types above; raises Damaged.

    ROS's definition of the type is used, which is the same in all distributions, because recorders
    write no definition or one that cannot be parsed.
    """
    store = _typestore(message.channel.encoding)
    try:
        if message.channel.encoding == 'cdr':
            return store.deserialize_cdr(message.content, kind)
        return store.deserialize_ros1(message.content, kind)
    except (SerdeError, struct.error, ValueError, IndexError, AssertionError) as error:
        raise Damaged(f'{len(message.content)} bytes that are not a {kind}: '
                      f'{one_line(error)}') from None


def guess_type(message: BagMessage) -> str:
    """Return the image type of a message whose channel has no type, '' if it is not an image."""
    for kind in (IMAGE, COMPRESSED):
        try:
            to_frame(message, kind)
        except Damaged:
            continue
        return kind
    return ''


def header_ns(message: Any) -> int:
    """Return the stamp of a message's header in ns."""
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def to_frame(message: BagMessage, kind: str, calibration: Calibration | None = None,
             ) -> DriveFrame:
    """
    Return the frame in an Image, unchanged, or in a CompressedImage, as rgb8; raises Damaged.

    Its stamp is that of the header, or the time of recording if the header has none.
    """
    image = deserialize(message, kind)
    stamp_ns = header_ns(image) or message.received_ns
    if kind == COMPRESSED:
        try:
            rgb = decode(image.data, image.format)
        except InputError as error:
            raise Damaged(str(error), stamp_ns) from None
        return DriveFrame.from_rgb(
            rgb, stamp_ns, frame_id=image.header.frame_id, calibration=calibration,
            received_ns=message.received_ns, topic=message.channel.topic)
    expected = image.height * image.step
    if not 0 < expected <= len(image.data) or not image.width:
        raise Damaged(f'data: expected height x step = {image.height} x {image.step} bytes, '
                      f'found {len(image.data)}, width {image.width}', stamp_ns)
    return DriveFrame(
        np.ascontiguousarray(image.data[:expected]), image.height, image.width, image.encoding,
        image.step, stamp_ns, image.header.frame_id, bool(image.is_bigendian), calibration,
        received_ns=message.received_ns, topic=message.channel.topic)


def to_calibration(message: BagMessage) -> Calibration:
    """Return the content of a CameraInfo message; raises Damaged."""
    info = deserialize(message, CAMERA_INFO)
    # ROS 1 has the names in capital letters.
    d, k, r, p = (tuple(float(x) for x in getattr(info, name, getattr(info, name.upper(), ())))
                  for name in 'dkrp')
    roi = info.roi
    return Calibration(
        info.width, info.height, info.distortion_model, d, k, r, p, info.binning_x,
        info.binning_y, (roi.x_offset, roi.y_offset, roi.width, roi.height),
        bool(roi.do_rectify))
