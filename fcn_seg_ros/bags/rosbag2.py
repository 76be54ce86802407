# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 (sqlite3 or mcap) as a drive, through the rosbags library: no ROS needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from fcn_seg_ros.bags.drive import Calibration, DriveFrame
from fcn_seg_ros.bags.folder import rate_of
from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.images.decode import decode

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'

DEFAULT_RATE_HZ = 10.0
# The rate is read from the first stamps; more of them would mean to read a long bag twice.
STAMPS_FOR_RATE = 30


class Rosbag2Drive:
    """
    One image topic of a rosbag2, with the CameraInfo of the same camera where it is recorded.

    Raw images keep their encoding, byte for byte; compressed ones are decoded to rgb8. Stamps are
    those of the headers (the time of recording where a header has none).
    """

    def __init__(self, paths: list[Path], name: str, topic: str | None = None,
                 rate_hz: float | None = None) -> None:
        """
        Open the bag and choose the image topic.

        ``paths`` is a bag folder, or one or several storage files. Raises InputError where the
        bag cannot be read, has no image topic or an empty one, or several and no ``topic``.
        """
        self.paths = paths
        self.name = name
        with self._reader() as reader:
            self.length: int | None
            self.topic, self.length = choose_topic(reader, name, topic)
            info_topic = camera_info_topic(self.topic)
            has_info = (info_topic in reader.topics
                        and reader.topics[info_topic].msgtype == CAMERA_INFO)
            self.info_topic = info_topic if has_info else None
            self._first_calibration = self._read_first_calibration(reader)
            stamps = self._first_stamps(reader)
        if not stamps:
            raise InputError(f'{name}: expected images on {self.topic}, found not one message')
        self.rate_hz = rate_hz or rate_of(stamps, DEFAULT_RATE_HZ)

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the frames; raises InputError at a message that cannot be read."""
        calibration = self._first_calibration
        topics = {self.topic, self.info_topic}
        with self._reader() as reader:
            connections = [c for c in reader.connections if c.topic in topics]
            for connection, received_ns, raw in reader.messages(connections):
                message: Any = reader.deserialize(raw, connection.msgtype)
                if connection.msgtype == CAMERA_INFO:
                    calibration = to_calibration(message)
                else:
                    yield self._to_frame(message, connection.msgtype, received_ns, calibration)

    def _to_frame(self, message: Any, msgtype: str, received_ns: int,
                  calibration: Calibration | None) -> DriveFrame:
        """Return an Image or CompressedImage message as a frame."""
        stamp_ns = header_ns(message) or received_ns
        frame_id = message.header.frame_id
        if msgtype == COMPRESSED:
            try:
                rgb = decode(message.data, message.format)
            except InputError as error:
                raise InputError(f'{self.name}: {self.topic}: {error}') from None
            return DriveFrame.from_rgb(rgb, stamp_ns, frame_id=frame_id, calibration=calibration)
        return DriveFrame(
            np.ascontiguousarray(message.data), message.height, message.width, message.encoding,
            message.step, stamp_ns, frame_id, bool(message.is_bigendian), calibration)

    def _read_first_calibration(self, reader: AnyReader) -> Calibration | None:
        """Return the first CameraInfo, so that images recorded before it have it as well."""
        connections = [c for c in reader.connections if c.topic == self.info_topic]
        if connections:
            for connection, _, raw in reader.messages(connections):
                return to_calibration(reader.deserialize(raw, connection.msgtype))
        return None

    def _first_stamps(self, reader: AnyReader) -> list[int]:
        """Return the stamps of the first images, in ns."""
        connections = [c for c in reader.connections if c.topic == self.topic]
        stamps = []
        for connection, received_ns, raw in reader.messages(connections):
            message: Any = reader.deserialize(raw, connection.msgtype)
            stamps.append(header_ns(message) or received_ns)
            if len(stamps) >= STAMPS_FOR_RATE:
                break
        return stamps

    @contextmanager
    def _reader(self) -> Iterator[AnyReader]:
        """Give the opened bag; whatever the library says about a broken one is an InputError."""
        try:
            # Bags of Humble and older in sqlite3 bring no definitions along.
            with AnyReader(self.paths, default_typestore=get_typestore(Stores.LATEST)) as reader:
                yield reader
        except (InputError, GeneratorExit):
            raise
        # The library raises from three back ends (its own, apsw, struct, yaml) without a common
        # base; all of it means that this bag cannot be read.
        except Exception as error:
            reason = one_line(error) or type(error).__name__
            raise InputError(f'{self.name}: expected a rosbag2 (sqlite3 or mcap), found one that '
                             f'cannot be read: {reason}') from error


def choose_topic(reader: AnyReader, name: str, wanted: str | None) -> tuple[str, int]:
    """Return the image topic to play and its number of messages, or raise InputError."""
    images = {topic: info.msgcount for topic, info in sorted(reader.topics.items())
              if info.msgtype in (IMAGE, COMPRESSED)}
    if not images:
        topics = ', '.join(f'{topic} ({info.msgtype})' for topic, info in
                           sorted(reader.topics.items())) or 'no topic at all'
        raise InputError(f'{name}: expected a bag with images (sensor_msgs Image or '
                         f'CompressedImage), found {topics}')
    listing = ', '.join(f'{topic} ({count})' for topic, count in images.items())
    if wanted is not None:
        topic = '/' + wanted.lstrip('/')
        if topic not in images:
            raise InputError(f'{name}: expected an image topic {topic}, found {listing}')
        return topic, images[topic]
    if len(images) > 1:
        raise InputError(f'{name}: expected one image topic or --topic to choose one, found '
                         f'{listing}')
    return next(iter(images.items()))


def camera_info_topic(image_topic: str) -> str:
    """Return the CameraInfo topic beside an image topic, as image_transport names it."""
    base = image_topic.removesuffix('/compressed')
    return base.rpartition('/')[0] + '/camera_info'


def header_ns(message: Any) -> int:
    """Return the stamp of a message's header in ns."""
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def to_calibration(message: Any) -> Calibration:
    """Return the content of a CameraInfo message."""
    return Calibration(
        message.width, message.height, message.distortion_model,
        tuple(float(x) for x in message.d), tuple(float(x) for x in message.k),
        tuple(float(x) for x in message.r), tuple(float(x) for x in message.p))
