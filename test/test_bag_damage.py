# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bags of recorders that were killed, and damaged ones: what is whole is read, the loss said."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
import yaml
from bag_file_makers import without_message_indexes
from bag_makers import (
    MAGIC,
    T0,
    kill_sqlite_recorder,
    mcap_message,
    messages,
    record,
    serialized,
    string,
    write_mcap,
    write_ros1,
)
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from test_bag_formats import IMAGE_CHANNEL, ROWS
from test_drive_bag import STORE, compressed, image, noise, write_bag

from fcn_seg_ros.drives.drive import frames_and_losses
from fcn_seg_ros.drives.notes import Note
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError


def read(path: Path) -> tuple[list[int], list[Note]]:
    """Return which of the images of noise are read, in their order, and the notes."""
    notes: list[Note] = []
    drive = open_drive(str(path), on_note=notes.append)
    numbers = []
    for frame in drive:
        number = (frame.stamp_ns - T0) // 10**8
        np.testing.assert_array_equal(frame.data.reshape(30, 40, 3), noise(number))
        numbers.append(number)
    assert list(drive.notes) == notes
    return numbers, notes


def storage_file(bag: Path) -> Path:
    """Return the only storage file of a bag."""
    return next(p for p in bag.iterdir() if p.suffix != '.yaml')


def content_of(folder: Path) -> dict[str, str]:
    """Return a digest of every file."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_sqlite_with_30_of_40_messages_in_its_log(tmp_path: Path) -> None:
    whole = storage_file(write_bag(tmp_path / 'whole', 'sqlite3', messages(20)))
    killed = tmp_path / 'killed'
    killed.mkdir()
    kill_sqlite_recorder(whole, killed / 'killed_0.db3', 10)
    assert (killed / 'killed_0.db3-wal').stat().st_size > 0
    for without in ('', 'killed_0.db3-shm'):  # a copy often lacks the shared memory
        (killed / without).unlink() if without else None
        before = content_of(killed)
        assert read(killed) == (list(range(20)), [])
        assert read(killed / 'killed_0.db3') == (list(range(20)), [])
        assert content_of(killed) == before  # as on a read-only disk: nothing written


def test_a_log_that_is_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    whole = storage_file(write_bag(tmp_path / 'whole', 'sqlite3', messages(20)))
    kill_sqlite_recorder(whole, tmp_path / 'k.db3', 10)
    log = tmp_path / 'k.db3-wal'
    log.write_bytes(log.read_bytes()[:log.stat().st_size // 2])
    numbers, _ = read(tmp_path / 'k.db3')
    assert numbers == list(range(len(numbers))) and 5 < len(numbers) < 20


def test_sqlite_killed_in_a_transaction(tmp_path: Path) -> None:
    whole = storage_file(write_bag(tmp_path / 'whole', 'sqlite3', messages(20)))
    kill_sqlite_recorder(whole, tmp_path / 'k.db3', 10, journal='DELETE')
    assert (tmp_path / 'k.db3-journal').stat().st_size > 0
    numbers, notes = read(tmp_path / 'k.db3')
    assert numbers[:5] == list(range(5))
    assert 'without its journal' in notes[0].reason and notes[0].lost is None


@pytest.mark.parametrize('mode', [CompressionMode.NONE, CompressionMode.STORAGE])
def test_mcap_cut_at_70_percent_without_metadata(tmp_path: Path, mode: CompressionMode) -> None:
    writer = Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP)
    if mode != CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connections = {}
        for topic, message, when in messages(100):
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connections[topic], when, STORE.serialize_cdr(message, kind))
    (tmp_path / 'bag/metadata.yaml').unlink()
    file = storage_file(tmp_path / 'bag')
    whole = file.read_bytes()
    file.write_bytes(whole[:len(whole) * 7 // 10])
    numbers, notes = read(tmp_path / 'bag')
    # Noise does not get smaller: zstd has blocks of 128 kB, of which the last is lost.
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= (69 if mode == CompressionMode.NONE else 65)
    assert [note.lost for note in notes] == [None]
    assert 'is incomplete' in notes[0].reason
    assert f'{int(notes[0].reason.split(" whole")[0].split()[-1]) // 2}' == str(len(numbers))


@pytest.mark.parametrize('part', [0.3, 0.5, 0.9, 0.999])
def test_mcap_without_chunks_cut_anywhere(tmp_path: Path, part: float) -> None:
    path = write_mcap(tmp_path / 'loose.mcap', [IMAGE_CHANNEL], ROWS)
    whole = path.read_bytes()
    size = len(whole) - 50  # without the end
    path.write_bytes(whole[:int(part * size)])
    numbers, notes = read(path)
    assert numbers == list(range(len(numbers))) and len(numbers) == int(part * 5)
    assert [note.lost for note in notes] == [None]


def test_zeros_after_the_last_message_as_after_a_power_failure(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / 'loose.mcap', [IMAGE_CHANNEL], ROWS)
    path.write_bytes(path.read_bytes()[:-50] + bytes(5000))
    numbers, notes = read(path)
    assert numbers == [0, 1, 2, 3, 4]
    assert [note.lost for note in notes] == [None] and 'is incomplete' in notes[0].reason


@pytest.mark.parametrize('compression', [None, Ros1Writer.CompressionFormat.LZ4])
def test_ros_1_without_index(tmp_path: Path,
                             compression: Ros1Writer.CompressionFormat | None) -> None:
    path = write_ros1(tmp_path / 'drive.bag', messages(100), compression)
    content = bytearray(path.read_bytes())
    at = content.index(b'index_pos=') + len(b'index_pos=')
    content[at:at + 8] = bytes(8)
    active = tmp_path / 'drive.bag.active'
    active.write_bytes(content[:len(content) * 7 // 10])
    numbers, notes = read(active)
    assert numbers == list(range(len(numbers))) and len(numbers) > 60
    assert [note.lost for note in notes] == [None] and 'is incomplete' in notes[0].reason


def test_bytes_overwritten_in_an_mcap_cost_what_lies_there(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / 'loose.mcap', [IMAGE_CHANNEL], ROWS)
    content = bytearray(path.read_bytes())
    at = content.index(mcap_message(*ROWS[2]))
    content[at:at + 60] = b'\xee' * 60
    path.write_bytes(content)
    numbers, notes = read(path)
    assert numbers == [0, 1, 3, 4]
    assert notes[0].reason.endswith(f'{len(mcap_message(*ROWS[2]))} bytes at byte {at} are damaged')


def chunk(rows: list[tuple[int, int, bytes]], checksum: int = 0) -> bytes:
    """Return a chunk record, not compressed, and its message index."""
    out, offsets = b'', []
    for row in rows:
        offsets.append((row[1], len(out)))
        out += mcap_message(*row)
    index = b''.join(struct.pack('<QQ', *entry) for entry in offsets)
    return (record(6, struct.pack('<QQQI', rows[0][1], rows[-1][1], len(out), checksum)
                   + string('') + struct.pack('<Q', len(out)) + out)
            + record(7, struct.pack('<H', 1) + string(index)))


def test_a_file_whose_first_bytes_are_damaged_is_known_by_its_name(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / 'a.mcap', [IMAGE_CHANNEL], ROWS)
    path.write_bytes(bytes(12) + path.read_bytes()[12:])
    numbers, notes = read(path)
    assert numbers == [0, 1, 2, 3, 4]
    assert [note.lost for note in notes] == [None]
    assert notes[0].reason == 'a.mcap: its first bytes are damaged; what lay there is lost'


def test_an_index_with_an_empty_chunk_does_not_hold_up_the_reader(tmp_path: Path) -> None:
    path = without_message_indexes(tmp_path)
    content = bytearray(path.read_bytes())
    at = content.rindex(b'\x08' + struct.pack('<Q', 64))  # the index of the last chunk
    content[at + 33:at + 41] = bytes(8)  # its length
    path.write_bytes(content)
    assert read(path)[0] == list(range(20))


def test_messages_that_only_the_index_knows_are_missed(tmp_path: Path) -> None:
    path = without_message_indexes(tmp_path)
    content = bytearray(path.read_bytes())
    at = content.index(b'\x06', len(content) // 2)  # a chunk, whose head becomes zeros
    while content[at + 5:at + 9] != bytes(4):
        at = content.index(b'\x06', at + 1)
    content[at + 9:at + 49] = bytes(40)
    path.write_bytes(content)
    numbers, notes = read(path)
    assert len(numbers) == 15
    assert sum(note.lost or 0 for note in notes) == 5
    assert 'messages are missing that its index names' in notes[-1].reason


def test_a_damaged_chunk_says_how_many_messages_it_had(tmp_path: Path) -> None:
    head = write_mcap(tmp_path / 'a.mcap', [IMAGE_CHANNEL], []).read_bytes()[:-50]
    broken = bytearray(chunk(ROWS[2:4]))
    at = broken.index(mcap_message(*ROWS[3]))
    broken[at:at + 9] = bytes(9)
    path = tmp_path / 'b.mcap'
    end = record(0x0F, bytes(4)) + record(2, bytes(20)) + MAGIC
    path.write_bytes(head + chunk(ROWS[:2]) + broken + chunk(ROWS[4:]) + end)
    numbers, notes = read(path)
    assert numbers == [0, 1, 2, 4]
    assert [note.lost for note in notes] == [1] and notes[0].received_ns == ROWS[2][1]
    path.write_bytes(head + chunk(ROWS[:2], checksum=1) + chunk(ROWS[2:]) + end)
    numbers, notes = read(path)
    assert numbers == [0, 1, 2, 3, 4]  # a pixel may be wrong: better than none, and said
    assert [note.lost for note in notes] == [0]
    assert 'its checksum does not match), and perhaps its 2 messages' in notes[0].reason


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_one_damaged_frame_in_the_middle(tmp_path: Path, storage: str) -> None:
    rows = [('/image/compressed', compressed(noise(i), T0 + i * 10**8), T0 + i * 10**8 + 7)
            for i in range(5)]
    broken = rows[2][1]
    rows[2] = (rows[2][0], type(broken)(broken.header, broken.format, broken.data[:50]),
               rows[2][2])
    numbers, notes = read(write_bag(tmp_path / 'bag', storage, rows))
    assert numbers == [0, 1, 3, 4]
    note, = notes
    assert (note.topic, note.lost) == ('/image/compressed', 1)
    assert (note.stamp_ns, note.received_ns) == (T0 + 2 * 10**8, T0 + 2 * 10**8 + 7)
    assert '50 bytes' in note.reason
    raw = image(noise(0), 'rgb8', T0)
    short = type(raw)(raw.header, 30, 40, 'rgb8', 0, 120, raw.data[:-1])
    bag = write_bag(tmp_path / 'raw', storage, [('/image', short, T0), ('/image', raw, T0)])
    numbers, notes = read(bag)
    assert numbers == [0] and 'height x step = 30 x 120 bytes, found 3599' in notes[-1].reason


def test_messages_that_are_no_images_are_lost_one_by_one(tmp_path: Path) -> None:
    rows = [(1, T0 + i * 10**8, content) for i, content in enumerate(
        [ROWS[0][2], b'', b'\0\1', b'\0\1\0\0' + b'\xff' * 40, ROWS[4][2][:-100], ROWS[4][2]])]
    numbers, notes = read(write_mcap(tmp_path / 'a.mcap', [IMAGE_CHANNEL], rows))
    assert numbers == [0, 4]
    assert [note.lost for note in notes] == [1] * 4
    assert [note.received_ns for note in notes] == [row[1] for row in rows[1:5]]


@pytest.mark.parametrize('part', [0.4, 0.7, 0.95])
def test_sqlite_cut_off(tmp_path: Path, part: float) -> None:
    file = storage_file(write_bag(tmp_path / 'bag', 'sqlite3', messages(100)))
    whole = file.read_bytes()
    file.write_bytes(whole[:int(len(whole) * part)])
    numbers, notes = read(tmp_path / 'bag')
    # The page that names a few messages is written after them.
    assert numbers == list(range(len(numbers))) and abs(len(numbers) - 100 * part) < 8
    assert 'cut off or damaged' in notes[0].reason and notes[0].lost is None


def test_sqlite_with_damaged_pages(tmp_path: Path) -> None:
    file = storage_file(write_bag(tmp_path / 'bag', 'sqlite3', messages(100)))
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle:middle + 40960] = b'\xaa' * 40960
    file.write_bytes(content)
    notes: list[Note] = []
    numbers = [(f.stamp_ns - T0) // 10**8
               for f in open_drive(str(tmp_path / 'bag'), on_note=notes.append)]
    assert 80 <= len(numbers) < 100 and numbers == sorted(set(numbers))
    assert numbers[0] == 0 and numbers[-1] == 99
    # A message that is lost is a CameraInfo as often as an image.
    lost = sum(note.lost or 0 for note in notes)
    assert 2 * (100 - len(numbers)) - 2 <= lost <= 2 * (100 - len(numbers)) + 2


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_metadata_that_does_not_fit(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', storage, messages(3))
    metadata = bag / 'metadata.yaml'
    content = yaml.safe_load(metadata.read_text())
    listed = content['rosbag2_bagfile_information']['relative_file_paths']
    listed.append(f'bag_1{storage_file(bag).suffix}')
    metadata.write_text(yaml.safe_dump(content))
    numbers, notes = read(bag)
    assert numbers == [0, 1, 2] and [note.lost for note in notes] == [None]
    assert 'is missing, although metadata.yaml lists it' in notes[0].reason
    for text in ('', '{', 'nothing: here', 'rosbag2_bagfile_information: 3', '[' * 1000, '\0'):
        metadata.write_text(text)
        numbers, notes = read(bag)
        assert numbers == [0, 1, 2] and 'metadata.yaml cannot be read' in notes[0].reason
        assert '\n' not in notes[0].line()
    del listed[:]
    metadata.write_text(yaml.safe_dump(content))
    numbers, notes = read(bag)
    assert numbers == [0, 1, 2] and 'does not list it' in notes[0].reason


def test_one_unreadable_file_of_a_split_bag(tmp_path: Path) -> None:
    bag = tmp_path / 'bag'
    bag.mkdir()
    write_mcap(bag / 'bag_0.mcap', [IMAGE_CHANNEL], ROWS)
    (bag / 'bag_1.mcap').write_bytes(b'')
    (bag / 'bag_2.db3').write_bytes(b'version https://git-lfs.github.com/spec/v1\n')
    numbers, notes = read(bag)
    assert numbers == [0, 1, 2, 3, 4] and [note.lost for note in notes] == [None, None]
    (bag / 'bag_0.mcap').unlink()
    with pytest.raises(InputError, match=r'bag_1.mcap: expected a rosbag2 .* found 0 bytes'):
        open_drive(str(bag))
    (bag / 'bag_1.mcap').unlink()
    with pytest.raises(InputError, match='git lfs pull'):
        open_drive(str(bag))


def test_nothing_readable_is_one_line(tmp_path: Path) -> None:
    empty = serialized(STORE.types['std_msgs/msg/String'](''))
    path = write_mcap(tmp_path / 'a.mcap', [IMAGE_CHANNEL], [(1, T0, empty)] * 3)
    drive = open_drive(str(path))
    with pytest.raises(InputError, match='none that can be read; /camera/image_raw: ') as caught:
        list(drive)
    assert '\n' not in str(caught.value)
    assert drive.notes.lost == 3


def test_losses_come_in_the_place_of_their_frames(tmp_path: Path) -> None:
    rows = [ROWS[0], (1, T0 + 7, b''), *ROWS[1:3]]
    for _ in range(2):
        drive = open_drive(str(write_mcap(tmp_path / 'a.mcap', [IMAGE_CHANNEL], rows)))
        found = list(frames_and_losses(drive))
        assert [isinstance(each, Note) for each in found] == [False, True, False, False]
        assert isinstance(found[1], Note)
        assert (found[1].topic, found[1].received_ns) == ('/camera/image_raw', T0 + 7)
    drive = open_drive(str(write_mcap(tmp_path / 'b.mcap', [IMAGE_CHANNEL], [rows[1]] * 2)))
    assert [isinstance(each, Note) for each in frames_and_losses(drive)] == [True, True]


def test_notes_start_anew_with_each_iteration(tmp_path: Path) -> None:
    rows = [*ROWS, (1, T0, b'')]
    path = write_mcap(tmp_path / 'a.mcap', [IMAGE_CHANNEL], rows)
    path.write_bytes(path.read_bytes()[:-50])
    drive = open_drive(str(path))
    for _ in range(3):
        assert len(list(drive)) == 5
        assert [note.lost for note in drive.notes] == [None, 1]
        assert drive.notes.lost == 1 and drive.notes.more_lost
