# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
One table of the recordings that people have: everything whole is read, and every loss is said.

A row makes a small file; of 20 images some are read, and what is said is one line: a note of the
loss, or why the file is refused and what to do. Details are in test_bag_formats.py,
test_bag_damage.py, test_drive_video.py and test_drive_folder.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from recording_makers import COUNT, MAKERS

from fcn_seg_ros.drives.notes import Note
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError

# How many images at least, and what is said: '' nothing.
READ: dict[str, tuple[int, str]] = {
    'sqlite3': (COUNT, ''),
    'mcap': (COUNT, ''),
    'ROS 1': (COUNT, ''),
    'ROS 1 in MCAP': (COUNT, ''),
    'compressed images': (COUNT, ''),
    'padded MJPEG': (COUNT, ''),
    'zstd by message': (COUNT, ''),
    'zstd by file': (COUNT, ''),
    'zstd by chunk': (COUNT, ''),
    'killed while compressing the file': (COUNT, ''),
    'split': (COUNT, ''),
    'no metadata': (COUNT, ''),
    'upper-case suffix': (COUNT, ''),
    'odd name': (COUNT, ''),
    'read-only sqlite with its log': (COUNT, ''),
    'sqlite log of which nothing is whole': (COUNT // 2, r'-wal: its header is damaged, .* lost$'),
    'sqlite log cut off': (COUNT // 2 + 2, r'-wal: it ends in the middle of a transaction, .* '
                           r'the messages in \d+ of its \d+ bytes are lost$'),
    'sqlite log damaged': (COUNT // 2 + 2, r'-wal: it is damaged, .* lost$'),
    'sqlite log with an older one behind': (COUNT, ''),
    'sqlite without topics': (COUNT, 'record with the topic of 20 messages is lost; it is called '
                              '/channel_2'),
    'mcap cut off': (COUNT * 7 // 10 - 1, r'hold \d+ whole messages; later ones are lost'),
    'mcap killed between its indexes': (COUNT, 'is incomplete'),
    'mcap without message indexes': (COUNT, ''),
    'mcap out of order': (COUNT, ''),
    'mcap with an unreadable channel': (COUNT, 'topic of 20 messages is lost; it is called '
                                        '/channel_1'),
    'mcap with no encoding': (COUNT, ''),
    'mcap with the encoding of the definition': (COUNT, ''),
    'mcap beside protobuf and JSON': (COUNT, ''),
    'ROS 1 killed between its indexes': (COUNT, 'is incomplete'),
    'ROS 1 without its connections': (COUNT, 'it is called /channel_0'),
    'one damaged frame': (COUNT - 1, r'camera/image_raw at .*: \d+ bytes that are not a'),
    'video': (COUNT, ''),
    'video cut off: mp4': (12, r'the video is incomplete: it ends after 0\.\d+ of 0\.67 s, \d+ '
                           'frames; later ones are lost'),
    'video cut off: mkv': (12, 'the video is incomplete: it ends after'),
    'video cut off: avi': (12, 'the video is incomplete: it ends after'),
    'video cut off: fragments': (12, 'the video is incomplete: its last part is cut off after'),
    'video cut off: ts': (12, 'the video is incomplete: its last packet is cut off after'),
    'video with damaged data: ts': (15, r'the data after frame \d+ are damaged'),
    'video not closed: mkv': (COUNT, 'its recorder has not closed it; it holds 0.67 s'),
    'video with a thumbnail': (COUNT, ''),
    'images': (COUNT, ''),
    'images with a broken link': (COUNT, 'cannot be read'),
    'images of other kinds beside': (COUNT, r'1 \.gif, 2 \.ppm beside the images are not read'),
    'KITTI raw': (COUNT, ''),
    'KITTI Road with damaged labels': (COUNT, 'played without its labels: .*um_road_000003'),
}
REFUSED = {
    'a folder of bags': 'found no files; name one of its folders: one, two$',
    'only protobuf': 'must be converted to one of these first$',
    'sqlite without its first page': r'`sqlite3 FILE \.recover`',
    'KITTI raw with too few times': 'found 19 lines; mend it, or rename it',
    'video without its index': 'repair it, for example with untrunc$',
}


@pytest.mark.parametrize('kind', READ)
def test_read(tmp_path: Path, kind: str) -> None:
    least, expected = READ[kind]
    path = MAKERS[kind](tmp_path)
    before = contents(tmp_path)
    notes: list[Note] = []
    drive = open_drive(str(path), on_note=notes.append)
    frames = list(drive)
    assert (least <= len(frames) < COUNT if 0 < least < COUNT else len(frames) == least), notes
    stamps = [frame.stamp_ns for frame in frames]
    assert stamps == sorted(set(stamps))
    said = [note.line() for note in notes]
    assert all('\n' not in line for line in said)
    assert any(re.search(expected, line) for line in said) if expected else not said, said
    del drive
    assert contents(tmp_path) == before


@pytest.mark.parametrize('kind', REFUSED)
def test_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    path = MAKERS[kind](tmp_path)
    with pytest.raises(InputError) as caught:
        list(open_drive(str(path)))
    assert re.search(REFUSED[kind], str(caught.value)), caught.value
    assert '\n' not in str(caught.value)


def test_every_kind_is_in_the_table() -> None:
    assert set(MAKERS) == set(READ) | set(REFUSED)


def contents(folder: Path) -> dict[Path, bytes]:
    """Return every file's content: reading leaves nothing behind and takes nothing away."""
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}
