# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A small recording of each kind that people have, of 20 images: a function and a row each."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from bag_file_makers import BAG_FILES, TIMES, overwrite
from bag_makers import (
    STORE,
    kill_sqlite_recorder,
    messages,
)
from picture_makers import COUNT, PICTURES, Maker, cut
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from test_drive_bag import compressed, noise, write_bag


def storage_file(bag: Path) -> Path:
    """Return the only storage file of a bag."""
    return next(p for p in bag.iterdir() if p.suffix != '.yaml')


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


def folder_of_bags(folder: Path) -> Path:
    """Return a folder of two bags."""
    for name in ('one', 'two'):
        rosbag2('mcap', folder / name)
    return folder


MAKERS: dict[str, Maker] = {
    'sqlite3': partial(rosbag2, 'sqlite3'),
    'mcap': partial(rosbag2, 'mcap'),
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
    'a folder of bags': folder_of_bags,
    **BAG_FILES,
    **PICTURES,
}
