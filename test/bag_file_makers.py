# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small MCAP files and ROS 1 bags of 20 images as odd recorders, and killed ones, leave them."""

from __future__ import annotations

import struct
from functools import partial
from pathlib import Path

from bag_makers import (
    IMAGE,
    IMAGE_DEFINITION,
    MAGIC,
    ROS1,
    T0,
    Channel,
    mcap_message,
    messages,
    record,
    serialized,
    string,
    to_ros1,
    write_mcap,
    write_ros1,
)
from picture_makers import COUNT, Maker, cut
from test_drive_bag import image, noise

TIMES = [T0 + i * 10**8 for i in range(COUNT)]
CHANNEL: Channel = ('/camera/image_raw', IMAGE, 'ros2msg', IMAGE_DEFINITION, 'cdr')
ROWS = [(1, when, serialized(image(noise(i), 'rgb8', when))) for i, when in enumerate(TIMES)]


def overwrite(path: Path, at: int, content: bytes) -> Path:
    """Replace bytes of a file."""
    with path.open('r+b') as file:
        file.seek(at)
        file.write(content)
    return path


def mcap(folder: Path, channel: Channel = CHANNEL) -> Path:
    """Return an MCAP without chunks and index."""
    return write_mcap(folder / 'drive.mcap', [channel], ROWS)


def chunk(rows: list[tuple[int, int, bytes]]) -> bytes:
    """Return a chunk that is not compressed."""
    body = b''.join(mcap_message(*row) for row in rows)
    return record(6, struct.pack('<QQQI', rows[0][1], rows[-1][1], len(body), 0) + string('')
                  + struct.pack('<Q', len(body)) + body)


def message_index(channel: int, times: list[int]) -> bytes:
    """Return the index of a channel's messages in a chunk."""
    return record(7, struct.pack('<H', channel)
                  + string(b''.join(struct.pack('<QQ', when, 0) for when in times)))


def without_message_indexes(folder: Path) -> Path:
    """Return an MCAP with a summary that indexes chunks, but not their messages."""
    path = write_mcap(folder / 'drive.mcap', [CHANNEL], [])
    out, indexes = path.read_bytes()[:-50], b''
    declared = out[out.index(b'\x03', 30):]
    for first in range(0, COUNT, 5):
        rows = ROWS[first:first + 5]
        part = chunk(rows)
        indexes += record(8, struct.pack('<QQQQ', rows[0][1], rows[-1][1], len(out), len(part))
                          + string('') + struct.pack('<Q', 0) + string('') + bytes(16))
        out += part
    out += record(0x0F, bytes(4))
    statistics = record(0x0B, struct.pack('<QHIIIIQQ', COUNT, 1, 1, 0, 0, 4, T0, T0)
                        + string(struct.pack('<HQ', 1, COUNT)))
    summary = len(out)
    out += declared + statistics + indexes
    path.write_bytes(out + record(2, struct.pack('<QQI', summary, 0, 0)) + MAGIC)
    return path


def killed_between_indexes(folder: Path) -> Path:
    """Return an MCAP whose last chunk has the index of its first channel only."""
    info: Channel = ('/camera/camera_info', 'sensor_msgs/msg/CameraInfo', '', '', 'cdr')
    path = write_mcap(folder / 'drive.mcap', [CHANNEL, info], [])
    infos = [(2, when, b'') for when in TIMES]
    path.write_bytes(path.read_bytes()[:-50] + chunk([*ROWS, *infos])
                     + message_index(2, TIMES))
    return path


def out_of_order(folder: Path) -> Path:
    """Return an MCAP whose messages were written last first."""
    return write_mcap(folder / 'drive.mcap', [CHANNEL], ROWS[::-1])


def unreadable_channel(folder: Path) -> Path:
    """Return an MCAP in whose channel record the length of the topic is damaged."""
    path = mcap(folder)
    return overwrite(path, path.read_bytes().index(b'/camera/image_raw') - 4, b'\xff' * 4)


def beside_others(folder: Path) -> Path:
    """Return an MCAP with topics of other encodings, one of them under the images' name."""
    others: list[Channel] = [('/camera/image_raw', 'foxglove.CompressedImage', 'protobuf', 'x', ''),
                             ('/state', 'state', 'jsonschema', '{}', 'json'),
                             ('/odd', 'my_msgs/msg/Odd', 'ros2msg', 'uint8[<=MAX] what', 'cdr')]
    rows = [row for each in ROWS for row in (each, *((n, each[1] + n, b'{}') for n in (2, 3, 4)))]
    return write_mcap(folder / 'drive.mcap', [CHANNEL, *others], rows)


def only_protobuf(folder: Path) -> Path:
    """Return an MCAP with images that are not ROS's."""
    return write_mcap(folder / 'drive.mcap', [
        ('/camera', 'foxglove.CompressedImage', 'protobuf', 'x', 'protobuf')], [(1, T0, b'x')])


def ros1(folder: Path) -> Path:
    """Return a ROS 1 bag."""
    return write_ros1(folder / 'drive.bag', messages(COUNT))


def ros1_in_mcap(folder: Path) -> Path:
    """Return an MCAP converted from ROS 1."""
    rows = [(1, when, bytes(ROS1.serialize_ros1(
        to_ros1(image(noise(i), 'rgb8', when)), IMAGE))) for i, when in enumerate(TIMES)]
    return write_mcap(folder / 'drive.mcap', [
        ('/camera/image_raw', 'sensor_msgs/Image', 'ros1msg', '', 'ros1')], rows, 'ros1')


def ros1_killed_between_indexes(folder: Path) -> Path:
    """Return a ROS 1 bag cut off before the index of its second connection."""
    path = ros1(folder)
    content = path.read_bytes()
    first = content.index(b'op=\x04')
    second = content.index(b'op=\x04', first + 1)
    path.write_bytes(content[:second - 8])
    return path


def ros1_without_connections(folder: Path) -> Path:
    """Return a ROS 1 bag of images whose connection records are damaged."""
    path = write_ros1(folder / 'drive.bag', [row for row in messages(COUNT) if row[0][-1] == 'w'])
    path.write_bytes(path.read_bytes().replace(b'op=\x07', b'op=\x7f'))
    return path


def one_damaged_frame(folder: Path) -> Path:
    """Return an MCAP, one of whose messages is not an image."""
    rows = [*ROWS[:5], (1, ROWS[5][1], b'\0\1\0\0' + b'\xff' * 40), *ROWS[6:]]
    return write_mcap(folder / 'drive.mcap', [CHANNEL], rows)


BAG_FILES: dict[str, Maker] = {
    'ROS 1': ros1,
    'ROS 1 in MCAP': ros1_in_mcap,
    'mcap cut off': lambda folder: cut(mcap(folder), 0.7),
    'mcap killed between its indexes': killed_between_indexes,
    'mcap without message indexes': without_message_indexes,
    'mcap out of order': out_of_order,
    'mcap with an unreadable channel': unreadable_channel,
    'mcap with no encoding': partial(mcap, channel=(*CHANNEL[:4], '')),
    'mcap with the encoding of the definition': partial(mcap, channel=(*CHANNEL[:4], 'ros2msg')),
    'mcap beside protobuf and JSON': beside_others,
    'only protobuf': only_protobuf,
    'ROS 1 killed between its indexes': ros1_killed_between_indexes,
    'ROS 1 without its connections': ros1_without_connections,
    'one damaged frame': one_damaged_frame,
}
