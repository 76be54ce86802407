# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A small recording of each kind that people have, of 20 images: a function and a row each."""

from __future__ import annotations

import io
import shutil
import sqlite3
import struct
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from bag_makers import (
    IMAGE,
    IMAGE_DEFINITION,
    MAGIC,
    ROS1,
    STORE,
    T0,
    Channel,
    kill_sqlite_recorder,
    mcap_message,
    messages,
    record,
    serialized,
    string,
    to_ros1,
    write_mcap,
    write_ros1,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from test_drive_bag import compressed, image, noise, write_bag

COUNT = 20
TIMES = [T0 + i * 10**8 for i in range(COUNT)]
CHANNEL: Channel = ('/camera/image_raw', IMAGE, 'ros2msg', IMAGE_DEFINITION, 'cdr')
ROWS = [(1, when, serialized(image(noise(i), 'rgb8', when))) for i, when in enumerate(TIMES)]
Maker = Callable[[Path], Path]


def storage_file(bag: Path) -> Path:
    """Return the only storage file of a bag."""
    return next(p for p in bag.iterdir() if p.suffix != '.yaml')


def cut(path: Path, part: float) -> Path:
    """Leave the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[:int(len(content) * part)])
    return path


def overwrite(path: Path, at: int, content: bytes) -> Path:
    """Replace bytes of a file."""
    with path.open('r+b') as file:
        file.seek(at)
        file.write(content)
    return path


def rosbag2(storage: str, folder: Path) -> Path:
    """Return a plain bag."""
    return write_bag(folder / 'bag', storage, messages(COUNT))


def compressed_images(folder: Path) -> Path:
    """Return PNG images."""
    return write_bag(folder / 'bag', 'mcap', [
        ('/camera/image_raw/compressed', compressed(noise(i), t), t) for i, t in enumerate(TIMES)])


def padded_mjpeg(folder: Path) -> Path:
    """Return JPEG images that a driver filled up with zeros."""
    rows: list[tuple[str, Any, int]] = []
    for index, when in enumerate(TIMES):
        message = compressed(noise(index), when)
        jpeg = cv2.imencode('.jpg', noise(index))[1].tobytes() + bytes(500)
        rows.append(('/image/compressed', type(message)(
            message.header, 'jpeg', np.frombuffer(jpeg, np.uint8)), when))
    return write_bag(folder / 'bag', 'mcap', rows)


def zstd(mode: CompressionMode, folder: Path, storage: str = 'MCAP') -> Path:
    """Return a bag compressed by message, file or chunk."""
    writer = Writer(folder / 'bag', version=9, storage_plugin=StoragePlugin[storage])
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for topic, message, when in messages(COUNT):
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connections[topic], when, STORE.serialize_cdr(message, kind))
    return folder / 'bag'


def killed_while_compressing(folder: Path) -> Path:
    """Return a bag with a file and the first half of its compressed copy."""
    bag = zstd(CompressionMode.FILE, folder, 'SQLITE3')
    half = cut(storage_file(bag), 0.5)
    (bag / 'metadata.yaml').unlink()
    shutil.copy(storage_file(rosbag2('sqlite3', folder / 'whole')), half.with_suffix(''))
    return bag


def split(folder: Path) -> Path:
    """Return a bag of two files without metadata."""
    rows, bag = messages(COUNT), folder / 'bag'
    bag.mkdir()
    for index, part in enumerate((rows[:14], rows[14:])):
        file = storage_file(write_bag(folder / str(index), 'mcap', part))
        shutil.copy(file, bag / f'bag_{index}.mcap')
    return bag


def no_metadata(folder: Path) -> Path:
    """Return a bag whose recorder was killed before it wrote the metadata."""
    (rosbag2('mcap', folder) / 'metadata.yaml').unlink()
    return folder / 'bag'


def upper_case(folder: Path) -> Path:
    """Return a folder with a file that came from a file system without small letters."""
    storage_file(no_metadata(folder)).rename(folder / 'bag/DRIVE.MCAP')
    return folder / 'bag'


def odd_name(folder: Path) -> Path:
    """Return a bag with every special character in its name."""
    return rosbag2('sqlite3', folder).rename(folder / "50% of #3? it's Süd 日本")


def log(folder: Path, change: Callable[[bytearray], None] = lambda log: None) -> Path:
    """Return a killed recorder's sqlite bag, 10 of whose 20 images are in its log."""
    (folder / 'killed').mkdir()
    target = folder / 'killed/killed_0.db3'
    kill_sqlite_recorder(storage_file(rosbag2('sqlite3', folder)), target, COUNT)
    Path(f'{target}-shm').unlink()
    path = Path(f'{target}-wal')
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return folder / 'killed'


def read_only(folder: Path) -> Path:
    """Return it without permission to write, which root does not need: the test looks for that."""
    bag = log(folder)
    for path in (*bag.iterdir(), bag):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return bag


def damaged_header(content: bytearray) -> None:
    content[25] ^= 1


def cut_log(content: bytearray) -> None:
    del content[len(content) * 6 // 10 + 100:]


def damaged_log(content: bytearray) -> None:
    content[len(content) * 6 // 10] ^= 1


def older_log(content: bytearray) -> None:
    """Add frames as an earlier, longer log leaves them behind this one."""
    frame = content[32:32 + 24 + 4096]
    frame[8] ^= 0xFF
    content += 3 * frame


def without_topics(folder: Path) -> Path:
    """Return a sqlite bag whose table of topics is empty."""
    bag = rosbag2('sqlite3', folder)
    with sqlite3.connect(storage_file(bag)) as database:
        database.execute('DELETE FROM topics')
    database.close()
    return bag


def without_first_page(folder: Path) -> Path:
    """Return a sqlite bag whose first page is damaged."""
    bag = rosbag2('sqlite3', folder)
    overwrite(storage_file(bag), 100, b'\xff' * 200)
    return bag


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


def video(name: str, folder: Path, target: Any = None, **options: str) -> Path:
    """Return a video of 30 frames a second, one of whose sides is noise so that frames are big."""
    codec = 'mjpeg' if name.endswith('.avi') else 'mpeg4'
    with av.open(target or str(folder / name), 'w', format={'mkv': 'matroska'}.get(
            name[-3:], name[-3:]), options=options) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = 'yuvj420p' if codec == 'mjpeg' else 'yuv420p'
        for index in range(COUNT):
            frame = av.VideoFrame.from_ndarray(noise(index, (48, 64, 3)), format='rgb24')
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return folder / name


def cut_video(name: str, folder: Path, **options: str) -> Path:
    """Return the first 80 % of a video."""
    return cut(video(name, folder, **options), 0.8)


def video_not_closed(folder: Path) -> Path:
    """Return a Matroska without length and index, as a killed recorder leaves it."""
    class Pipe(io.BytesIO):
        seek = None
    pipe = Pipe()
    video('drive.mkv', folder, pipe)
    (folder / 'drive.mkv').write_bytes(pipe.getvalue())
    return folder / 'drive.mkv'


def video_with_thumbnail(folder: Path) -> Path:
    """Return an MP4 whose first stream is a picture."""
    source = video('plain.mp4', folder)
    path = folder / 'drive.mp4'
    with av.open(str(source)) as read, av.open(str(path), 'w') as out:
        picture = out.add_stream('png', rate=1)
        picture.width, picture.height, picture.pix_fmt = 32, 32, 'rgb24'
        picture.disposition = av.stream.Disposition.attached_pic
        stream = out.add_stream_from_template(read.streams.video[0])
        out.mux(picture.encode(av.VideoFrame.from_ndarray(noise(1, (32, 32, 3)), 'rgb24')))
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return path


def video_without_index(folder: Path) -> Path:
    """Return an MP4 whose recorder was killed."""
    path = video('drive.mp4', folder)
    path.write_bytes(path.read_bytes()[:-2000])
    return path


def images(folder: Path, below: str = 'a#1 %20 ü?', name: str = '{}.png') -> Path:
    """Return a folder of images."""
    for index in range(COUNT):
        path = folder / below / name.format(index)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode('.png', noise(index))[1].tobytes())
    return folder / below


def broken_link(folder: Path) -> Path:
    """Return a folder of images and a link to one that is gone."""
    found = images(folder)
    (found / '7b.png').symlink_to(folder / 'gone.png')
    return found


def other_kinds(folder: Path) -> Path:
    """Return a folder with images of other kinds."""
    found = images(folder)
    for name in ('a.ppm', 'b.PPM', 'c.gif', 'd.txt'):
        (found / name).write_bytes(b'x')
    return found


def kitti_raw(folder: Path, lines: int = COUNT) -> Path:
    """Return KITTI's layout of a raw drive."""
    images(folder, 'image_02/data', '{:010d}.png')
    (folder / 'image_02/timestamps.txt').write_text('\ufeff' + ''.join(
        f'2011-09-26 13:02:{25 + i}.964389445\r\n' for i in range(lines)))
    return folder


def kitti_road(folder: Path) -> Path:
    """Return KITTI Road's layout with labels, one of which is damaged."""
    images(folder, 'training/image_2', 'um_{:06d}.png')
    images(folder, 'training/gt_image_2', 'um_road_{:06d}.png')
    cut(folder / 'training/gt_image_2/um_road_000003.png', 0.5)
    return folder


def folder_of_bags(folder: Path) -> Path:
    """Return a folder of two bags."""
    for name in ('one', 'two'):
        rosbag2('mcap', folder / name)
    return folder


MAKERS: dict[str, Maker] = {
    'sqlite3': partial(rosbag2, 'sqlite3'),
    'mcap': partial(rosbag2, 'mcap'),
    'ROS 1': ros1,
    'ROS 1 in MCAP': ros1_in_mcap,
    'compressed images': compressed_images,
    'padded MJPEG': padded_mjpeg,
    'zstd by message': partial(zstd, CompressionMode.MESSAGE),
    'zstd by file': partial(zstd, CompressionMode.FILE),
    'zstd by chunk': partial(zstd, CompressionMode.STORAGE),
    'killed while compressing the file': killed_while_compressing,
    'split': split,
    'no metadata': no_metadata,
    'upper-case suffix': upper_case,
    'odd name': odd_name,
    'read-only sqlite with its log': read_only,
    'sqlite log of which nothing is whole': partial(log, change=damaged_header),
    'sqlite log cut off': partial(log, change=cut_log),
    'sqlite log damaged': partial(log, change=damaged_log),
    'sqlite log with an older one behind': partial(log, change=older_log),
    'sqlite without topics': without_topics,
    'sqlite without its first page': without_first_page,
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
    'video': partial(video, 'drive.mp4'),
    'video cut off: mp4': partial(cut_video, 'drive.mp4', movflags='faststart'),
    'video cut off: mkv': partial(cut_video, 'drive.mkv'),
    'video cut off: avi': partial(cut_video, 'drive.avi'),
    'video cut off: fragments': partial(cut_video, 'drive.mp4',
                                        movflags='frag_keyframe+empty_moov'),
    'video not closed: mkv': video_not_closed,
    'video with a thumbnail': video_with_thumbnail,
    'video without its index': video_without_index,
    'images': images,
    'images with a broken link': broken_link,
    'images of other kinds beside': other_kinds,
    'KITTI raw': kitti_raw,
    'KITTI raw with too few times': partial(kitti_raw, lines=COUNT - 1),
    'KITTI Road with damaged labels': kitti_road,
    'a folder of bags': folder_of_bags,
}
