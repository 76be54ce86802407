# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bags that the rosbags library does not write: MCAP record by record, ROS 1, killed recorders."""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path
from typing import Any

from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.typesys import Stores, get_typestore
from test_drive_bag import STORE, camera_info, image, noise

ROS1 = get_typestore(Stores.ROS1_NOETIC)
IMAGE = 'sensor_msgs/msg/Image'
T0 = 1_700_000_000 * 10**9
MAGIC = b'\x89MCAP0\r\n'
IMAGE_DEFINITION = STORE.generate_msgdef(IMAGE, ros_version=2)[0]
Message = tuple[str, Any, int]


def messages(count: int = 20, step_ns: int = 10**8) -> list[Message]:
    """Return a CameraInfo and an image of noise, ``count`` times."""
    out: list[Message] = []
    for index in range(count):
        when = T0 + index * step_ns
        out.append(('/camera/camera_info', camera_info(40, 30, 50.0, when), when))
        out.append(('/camera/image_raw', image(noise(index), 'rgb8', when), when))
    return out


def serialized(message: Any) -> bytes:
    """Return a message as CDR."""
    return bytes(STORE.serialize_cdr(message, message.__msgtype__))


def record(operation: int, content: bytes) -> bytes:
    """Return an MCAP record."""
    return bytes([operation]) + struct.pack('<Q', len(content)) + content


def string(text: str | bytes) -> bytes:
    """Return a string as MCAP has it."""
    content = text.encode() if isinstance(text, str) else text
    return struct.pack('<I', len(content)) + content


def mcap_message(channel: int, received_ns: int, content: bytes) -> bytes:
    """Return a message record."""
    return record(5, struct.pack('<HIQQ', channel, 0, received_ns, received_ns) + content)


Channel = tuple[str, str, str | None, str, str]


def write_mcap(path: Path, channels: list[Channel], rows: list[tuple[int, int, bytes]],
               profile: str = 'ros2') -> Path:
    """
    Write an MCAP without chunks, index and summary.

    A channel is topic, type, encoding of its schema (None: no schema), schema, encoding of its
    messages; a row is the channel's number from 1, the time of recording, the message.
    """
    out = MAGIC + record(1, string(profile) + string('test'))
    for number, (topic, kind, encoding, schema, message_encoding) in enumerate(channels, 1):
        if encoding is not None:
            out += record(3, struct.pack('<H', number) + string(kind) + string(encoding)
                          + string(schema))
        out += record(4, struct.pack('<HH', number, 0 if encoding is None else number)
                      + string(topic) + string(message_encoding) + string(b''))
    out += b''.join(mcap_message(*row) for row in rows)
    path.write_bytes(out + record(0x0F, bytes(4)) + record(2, bytes(20)) + MAGIC)
    return path


def to_ros1(message: Any) -> Any:
    """Return an Image or CameraInfo as its ROS 1 type."""
    types = ROS1.types
    stamp = types['builtin_interfaces/msg/Time'](message.header.stamp.sec,
                                                 message.header.stamp.nanosec)
    header = types['std_msgs/msg/Header'](0, stamp, message.header.frame_id)
    kind = message.__msgtype__
    if kind == IMAGE:
        return types[kind](header, message.height, message.width, message.encoding,
                           message.is_bigendian, message.step, message.data)
    roi = types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    return types[kind](header, message.height, message.width, message.distortion_model, message.d,
                       message.k, message.r, message.p, message.binning_x, message.binning_y, roi)


def write_ros1(path: Path, rows: list[Message],
               compression: Ros1Writer.CompressionFormat | None = None) -> Path:
    """Write a ROS 1 bag."""
    writer = Ros1Writer(path)
    if compression is not None:
        writer.set_compression(compression)
    with writer:
        connections: dict[str, Any] = {}
        for topic, message, when in rows:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=ROS1)
            writer.write(connections[topic], when, ROS1.serialize_ros1(to_ros1(message), kind))
    return path


def kill_sqlite_recorder(source: Path, target: Path, written: int, journal: str = 'WAL') -> None:
    """
    Copy a SQLite file in a child that is killed, the messages after ``written`` still in its log.

    With another journal than WAL the child dies in the middle of a transaction.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    before = sqlite3.connect(source)
    after = sqlite3.connect(target, isolation_level=None)
    after.execute(f'PRAGMA journal_mode={journal}')
    after.execute('PRAGMA wal_autocheckpoint=100000')
    for sql, in before.execute('SELECT sql FROM sqlite_master WHERE sql NOT NULL'):
        after.execute(sql)
    for table in ('schema', 'metadata', 'topics', 'message_definitions'):
        _copy(after, table, list(before.execute(f'SELECT * FROM {table}')))
    rows = list(before.execute('SELECT * FROM messages ORDER BY id'))
    _copy(after, 'messages', rows[:written])
    if journal == 'WAL':
        after.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        _copy(after, 'messages', rows[written:])
    else:
        after.execute('PRAGMA cache_size=2')  # so that it writes before it commits
        after.execute('BEGIN')
        _copy(after, 'messages', rows[written:])
    os._exit(0)


def _copy(database: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    for row in rows:
        database.execute(f'INSERT INTO {table} VALUES ({",".join("?" * len(row))})', row)
