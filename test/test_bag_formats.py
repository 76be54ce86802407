# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every form of bag that people have: read frame by frame, in the order of recording."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from pathlib import Path

import numpy as np
import pytest
import yaml
from bag_makers import (
    IMAGE,
    IMAGE_DEFINITION,
    STORE,
    T0,
    Channel,
    messages,
    serialized,
    string,
    write_mcap,
    write_ros1,
)
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from test_drive_bag import camera_info, compressed, image, noise, write_bag

from fcn_seg_ros.drives.bag import Bag
from fcn_seg_ros.drives.bag_drive import ALL_TOPICS, BagDrive
from fcn_seg_ros.drives.drive import Drive
from fcn_seg_ros.drives.mcap_records import CHANNEL, Directory
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError

IMAGE_CHANNEL: Channel = ('/camera/image_raw', IMAGE, 'ros2msg', IMAGE_DEFINITION, 'cdr')
ROWS = [(1, T0 + i * 10**8, serialized(image(noise(i), 'rgb8', T0 + i * 10**8)))
        for i in range(5)]


def expect(path: Path, count: int = 20, calibrated: bool = True) -> Drive:
    """Check that a drive has so many images, which are noise 0, 1, 2, ..., and no notes."""
    drive = open_drive(str(path))
    for index, frame in enumerate(list(drive)):
        np.testing.assert_array_equal(frame.data.reshape(30, 40, 3), noise(index))
        assert frame.stamp_ns == frame.received_ns == T0 + index * 10**8
        assert frame.topic == '/camera/image_raw'
        assert (frame.calibration is not None) == calibrated
    assert index + 1 == count == drive.length
    assert not list(drive.notes), [note.line() for note in drive.notes]
    return drive


@pytest.mark.parametrize('storage', [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
@pytest.mark.parametrize('mode', CompressionMode)
@pytest.mark.parametrize('with_metadata', [True, False])
def test_compression_by_message_file_and_chunk(
        tmp_path: Path, storage: StoragePlugin, mode: CompressionMode,
        with_metadata: bool) -> None:
    if storage == StoragePlugin.SQLITE3 and mode == CompressionMode.STORAGE:
        pytest.skip('sqlite3 has no chunks')
    bag, connections = tmp_path / 'bag', {}
    writer = Writer(bag, version=9, storage_plugin=storage)
    if mode != CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        for topic, message, when in messages():
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connections[topic], when, STORE.serialize_cdr(message, kind))
    if not with_metadata:
        (bag / 'metadata.yaml').unlink()
    expect(bag)
    expect(next(p for p in bag.iterdir() if p.suffix != '.yaml'))


@pytest.mark.parametrize('compression', [None, *Ros1Writer.CompressionFormat])
def test_ros_1(tmp_path: Path,
               compression: Ros1Writer.CompressionFormat | None) -> None:
    expect(write_ros1(tmp_path / 'drive.bag', messages(), compression))


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_split_bags(tmp_path: Path, storage: str) -> None:
    rows, bag = messages(), tmp_path / 'bag'
    whole = write_bag(tmp_path / 'a', storage, rows[:14])
    for name, part in (('b', rows[14:30]), ('c', rows[30:])):
        write_bag(tmp_path / name, storage, part)
    names = []
    bag.mkdir()
    for index, folder in enumerate('cab'):  # the names are in another order than the times
        file = next(p for p in (tmp_path / folder).iterdir() if p.suffix != '.yaml')
        names.append(f'bag_{index}{file.suffix}')
        shutil.copy(file, bag / names[-1])
    expect(bag)
    metadata = yaml.safe_load((whole / 'metadata.yaml').read_text())
    metadata['rosbag2_bagfile_information']['relative_file_paths'] = names
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(metadata))
    expect(bag)


@pytest.mark.parametrize('version', [1, 3, 4, 5, 6, 7, 8, 9, 12])
def test_metadata_of_every_version(tmp_path: Path, version: int) -> None:
    bag = write_bag(tmp_path / 'bag', 'mcap', messages())
    metadata = yaml.safe_load((bag / 'metadata.yaml').read_text())
    content = metadata['rosbag2_bagfile_information']
    content['version'] = version
    content['storage_identifier'] = ''  # some writers leave it empty
    if version < 4:
        content['relative_file_paths'] = [f'bag/{n}' for n in content['relative_file_paths']]
    for key, since in (('compression_mode', 3), ('compression_format', 3), ('files', 5),
                       ('custom_data', 6), ('ros_distro', 8)):
        if version < since:
            content.pop(key, None)
    (bag / 'metadata.yaml').write_text(yaml.safe_dump(metadata))
    expect(bag)


@pytest.mark.parametrize('columns', [
    'id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT',
    'id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT, '
    'offered_qos_profiles TEXT'])
def test_sqlite_as_dashing_and_humble_wrote_it(tmp_path: Path, columns: str) -> None:
    path = tmp_path / 'old.db3'
    with sqlite3.connect(path) as database:
        database.execute(f'CREATE TABLE topics({columns})')
        database.execute('CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, '
                         'timestamp INTEGER, data BLOB)')
        numbers = {'/camera/camera_info': 1, '/camera/image_raw': 2}
        for topic, message, when in messages():
            if when == T0:
                row = (numbers[topic], topic, message.__msgtype__, 'cdr')
                row += ('',) if 'qos' in columns else ()
                database.execute(f'INSERT INTO topics VALUES ({",".join("?" * len(row))})', row)
            database.execute('INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)',
                             (numbers[topic], when, serialized(message)))
    database.close()
    expect(path)


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
@pytest.mark.parametrize('name', ['drive 1', 'Fahrt_Süd_日本', 'run#2', 'run?3', 'run%204',
                                  'run 100%', "it's", 'a&b;c', '$x', 'a:b'])
def test_names(tmp_path: Path, storage: str, name: str) -> None:
    bag = write_bag(tmp_path / 'plain', storage, messages(3)).rename(tmp_path / name)
    expect(bag, 3)
    file = next(p for p in bag.iterdir() if p.suffix != '.yaml')
    expect(file.rename(bag / f'{name}{file.suffix}'), 3)


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'plain', 'sqlite3', messages(3))
    expect(bag.rename(tmp_path / 'Stra\udcdfe'), 3)


@pytest.mark.parametrize('others', [
    [('/s', 'std_msgs/msg/String', 'ros2msg', 'string data', 'cdr')],
    [('/odd', 'my_msgs/msg/Odd', '', '', 'cdr')],
    [('/odd', 'my_msgs/msg/Odd', 'ros2msg', 'other_msgs/Thing t', 'cdr')],
    [('/odd', 'my_msgs/msg/Odd', 'ros2msg', 'uint8[<=MAX] what # odd\nfoo bar baz', 'cdr')],
    [('/odd', 'my_msgs/msg/Odd', 'ros2idl', 'no { idl', 'cdr')],
    [('/pb', 'foxglove.Log', 'protobuf', 'x', 'protobuf')],
    [('/js', 'foo', 'jsonschema', '{}', 'json')],
    [('/flat', 'foo', 'flatbuffer', '\0', 'flatbuffer')],
    [('/none', '', None, '', 'cbor')]])
@pytest.mark.parametrize('channel', [
    IMAGE_CHANNEL,
    ('/camera/image_raw', IMAGE, '', '', 'cdr'),
    ('/camera/image_raw', IMAGE, 'ros2msg', 'no definition', 'cdr'),
    ('/camera/image_raw', 'sensor_msgs/Image', 'ros2msg', IMAGE_DEFINITION, 'cdr'),
    ('/camera/image_raw', 'sensor_msgs::msg::dds_::Image_', 'omgidl', '', 'cdr'),
    ('/camera/image_raw', '', None, '', 'cdr')])
def test_definitions_do_not_matter(tmp_path: Path, others: list[Channel],
                                   channel: Channel) -> None:
    rows = sorted([*ROWS, *((2, T0 + i * 10**8 + 5, b'{}') for i in range(5))],
                  key=lambda row: row[1])
    expect(write_mcap(tmp_path / 'odd.mcap', [channel, *others], rows), 5, calibrated=False)
    expect(write_mcap(tmp_path / 'odd.mcap', [channel, *others], rows, ''), 5, calibrated=False)


def test_a_bag_with_images_only_in_other_encodings_says_so(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / 'pb.mcap', [
        ('/camera', 'foxglove.CompressedImage', 'protobuf', 'x', 'protobuf')], [(1, T0, b'x')])
    with pytest.raises(InputError, match=r'/camera \(foxglove.CompressedImage, protobuf\)'):
        open_drive(str(path))


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_out_of_order(tmp_path: Path, storage: str) -> None:
    rows = messages()
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    expect(write_bag(tmp_path / 'bag', storage, shuffled))


def test_out_of_order_without_index(tmp_path: Path) -> None:
    info: Channel = ('/camera/camera_info', 'sensor_msgs/msg/CameraInfo', '', '', 'cdr')
    rows = []
    for index, received, content in ROWS:
        rows.append((index, received, content))
        rows.append((2, received - 200_000, serialized(camera_info(40, 30, 50.0, received))))
    expect(write_mcap(tmp_path / 'fast.mcap', [IMAGE_CHANNEL, info], rows), 5)
    expect(write_mcap(tmp_path / 'fast.mcap', [IMAGE_CHANNEL, info], rows[::-1]), 5)


def test_several_topics_in_the_order_of_recording(tmp_path: Path) -> None:
    rows = [(f'/{side}/image_raw', image(noise(i), 'rgb8', T0), T0 + i)
            for i, side in enumerate(['left', 'right', 'right', 'left', 'right'])]
    rows.append(('/left/image_raw/compressedDepth', image(noise(9), 'rgb8', T0), T0))
    bag = write_bag(tmp_path / 'bag', 'mcap', rows)
    with pytest.raises(InputError, match=r'expected one image topic or --topic'):
        open_drive(str(bag))
    drive = open_drive(str(bag), topics=ALL_TOPICS)
    assert [f.topic[1:-10] for f in drive] == ['left', 'right', 'right', 'left', 'right']
    assert drive.length == 5
    only = open_drive(str(bag), topics=('/right/image_raw',))
    assert [f.received_ns - T0 for f in only] == [1, 2, 4]


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_several_types_on_one_topic(tmp_path: Path, storage: str) -> None:
    string = STORE.types['std_msgs/msg/String']('no image')
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin[storage.upper()]) as out:
        for index, message in enumerate((image(noise(0), 'rgb8', T0), string,
                                         compressed(noise(1), T0 + 10**8))):
            kind = message.__msgtype__
            connection = out.add_connection('/camera/image_raw', kind, typestore=STORE)
            out.write(connection, T0 + index // 2 * 10**8, STORE.serialize_cdr(message, kind))
    expect(tmp_path / 'bag', 2, calibrated=False)


def test_an_image_topic_without_messages_is_no_choice(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', 'mcap', messages(3), empty_topics=('/rear/image_raw',))
    expect(bag, 3)


def test_messages_can_be_copied_as_they_are(tmp_path: Path) -> None:
    rows = messages(3)
    with Bag(write_bag(tmp_path / 'bag', 'mcap', rows)) as bag:
        assert [(c.topic, c.count, c.encoding) for c in bag.channels] == [
            ('/camera/camera_info', 3, 'cdr'), ('/camera/image_raw', 3, 'cdr')]
        copied = [(m.channel.topic, m.content, m.received_ns) for m in bag.messages()]
    assert copied == [(topic, serialized(message), when) for topic, message, when in rows]


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap', 'ros1'])
def test_what_a_copy_needs(tmp_path: Path, storage: str) -> None:
    rows = messages(3)
    drive = open_drive(str(write_ros1(tmp_path / 'a.bag', rows) if storage == 'ros1'
                           else write_bag(tmp_path / 'bag', storage, rows)))
    assert isinstance(drive, BagDrive)
    for _ in range(2):
        everything = list(drive.messages(everything=True))
        assert [m.message.channel.topic for m in everything] == [row[0] for row in rows]
        assert [m.is_image for m in everything] == [row[0].endswith('raw') for row in rows]
        for index, (message, is_image, calibration) in enumerate(everything):
            if is_image:
                assert calibration is not None and calibration.k[0] == 50.0
                frame = drive.to_frame(message, calibration)
                np.testing.assert_array_equal(frame.data.reshape(30, 40, 3), noise(index // 2))
    channel = everything[1].message.channel
    assert 'uint32 width' in channel.definition
    language, hashed = {'ros1': ('ros1msg', '060021388200f6f0f447d0fcd9c64743'),
                        'sqlite3': ('ros2msg', 'RIHS01_'), 'mcap': ('ros2msg', '')}[storage]
    assert channel.definition_format == language and channel.type_hash.startswith(hashed)


def test_quality_of_service_and_hash_as_rosbag2_writes_them_into_mcap() -> None:
    directory = Directory()
    metadata = b''.join(map(string, ('offered_qos_profiles', '- depth: 7', 'topic_type_hash',
                                     'RIHS01_ab')))
    for content in (string(metadata), string(metadata)[:-1]):
        directory.take(CHANNEL, struct.pack('<HH', 1, 0) + string('/t') + string('cdr') + content)
        channel = directory.channels[1]
        assert (channel.qos, channel.type_hash) in {('- depth: 7', 'RIHS01_ab'), ('- depth: 7', '')}
    assert channel.type_hash == ''  # its record was cut off


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_times_come_from_stamps_where_all_were_recorded_at_once(tmp_path: Path,
                                                                storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', storage, [
        ('/camera/image_raw', image(noise(i), 'rgb8', T0 + i * 10**8), 5) for i in range(5)])
    drive = open_drive(str(bag))
    assert [f.time_ns - T0 for f in drive] == [i * 10**8 for i in range(5)]
    assert drive.rate_hz == pytest.approx(10.0)
    assert ['stamps of their headers' in note.reason for note in drive.notes] == [True]


@pytest.mark.parametrize(('stamps', 'times', 'said'), [
    ([0, 2, 1, 3], [0, 2, 1, 3], 'stamps of their headers'),
    ([7] * 4, [-T0 / 10**8] * 4, 'a rate (--rate) plays them evenly')])
def test_times_where_all_were_recorded_at_once_and_stamps_are_odd(
        tmp_path: Path, stamps: list[int], times: list[float], said: str) -> None:
    drive = open_drive(str(write_bag(tmp_path / 'bag', 'mcap', [
        ('/camera/image_raw', image(noise(i), 'rgb8', T0 + stamp * 10**8), 0)
        for i, stamp in enumerate(stamps)])))
    assert [(f.time_ns - T0) / 10**8 for f in drive] == times
    note, = drive.notes
    assert said in note.reason
