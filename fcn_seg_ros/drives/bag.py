# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A ROS bag: one or several storage files, read as one sequence of messages."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from fcn_seg_ros.drives.bag_files import KINDS, MCAP, ROS1, SQLITE, bag_files, head_of
from fcn_seg_ros.drives.compression import ZSTD_MAGIC, decompress_message, unpack_file
from fcn_seg_ros.drives.mcap_file import McapFile
from fcn_seg_ros.drives.merge import merge_lazily
from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.drives.ros1_file import Ros1File
from fcn_seg_ros.drives.sqlite_file import SqliteFile
from fcn_seg_ros.drives.storage import Channel, Storage
from fcn_seg_ros.errors import InputError, one_line

# To add a storage format, write one file and add one line here.
_STORAGES: tuple[tuple[bytes, Callable[[Path, Notes], Storage]], ...] = (
    (MCAP, McapFile), (SQLITE, SqliteFile), (ROS1, Ros1File))
_SUFFIXES: dict[str, Callable[[Path, Notes], Storage]] = {'.mcap': McapFile, '.bag': Ros1File}
_HINTS = ((b'version https://git-lfs', 'a Git LFS pointer: get the file by `git lfs pull`'),
          (b'#ROSBAG V1', 'a bag older than ROS 1.0: convert it by `rosbag fix`'))


class BagMessage(NamedTuple):
    """A message of a bag: time of recording, channel, and serialised bytes."""

    received_ns: int
    channel: Channel
    content: bytes


class Bag:
    """
    An opened bag, as a context manager.

    Unreadable parts are listed in ``notes``. Nothing is written next to the bag. Only a few
    megabytes are in memory at a time; files compressed as a whole are decompressed into TMPDIR.
    """

    def __init__(self, path: Path, notes: Notes | None = None) -> None:
        """
        Open a bag's folder, or one storage file.

        Raises InputError if no file can be read.
        """
        self.path = path
        self.notes = Notes() if notes is None else notes
        self._unpacked: tempfile.TemporaryDirectory[str] | None = None
        self.storages: list[Storage] = []
        files = bag_files(path, self.notes) if path.is_dir() else [path]
        faults = []
        for file in files:
            try:
                self.storages.append(self._open(file))
            except (InputError, OSError) as error:
                faults.append(one_line(error))
        if not self.storages:
            self.close()
            raise InputError(faults[0] if faults else f'{path}: expected {KINDS}, found no file '
                             'of one')
        for fault in faults:
            self.notes.add(Note(fault, None))

    def __enter__(self) -> Bag:
        """Return the bag."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close its files."""
        self.close()

    def close(self) -> None:
        """Close its files."""
        for storage in self.storages:
            storage.close()
        if self._unpacked is not None:
            self._unpacked.cleanup()

    @property
    def channels(self) -> list[Channel]:
        """Return every topic (once per type) with its number of messages in all files."""
        found: dict[tuple[str, str, str], Channel] = {}
        for storage in self.storages:
            for channel in storage.channels.values():
                key = (channel.topic, channel.type, channel.encoding)
                before = found.get(key, replace(channel, count=0)).count
                count = (None if before is None or channel.count is None
                         else before + channel.count)
                found[key] = replace(found.get(key, channel), count=count)
        return [found[key] for key in sorted(found)]

    def messages(self, wanted: Callable[[Channel], bool] = lambda channel: True,
                 ) -> Iterator[BagMessage]:
        """Yield the wanted channels' messages of all files, ordered by time of recording."""
        sources = []
        for storage in self.storages:
            numbers = {n for n, channel in storage.channels.items() if wanted(channel)}
            if numbers:
                sources.append((storage.start_ns(), partial(_of_storage, storage, numbers)))
        for message in merge_lazily(sources):
            try:
                content = decompress_message(message.content)
            except ValueError as error:
                self.notes.add(Note(str(error), 1, message.channel.topic, message.received_ns))
                continue
            yield message._replace(content=content)

    def _open(self, file: Path) -> Storage:
        head = head_of(file)
        if head.startswith(ZSTD_MAGIC):
            return self._open_compressed(file)
        for magic, kind in _STORAGES:
            if head.startswith(magic):
                return kind(file, self.notes)
        hint = next((hint for start, hint in _HINTS if head.startswith(start)), '')
        if not hint and (storage := self._open_by_name(file)):
            return storage
        hint = hint or f'{file.stat().st_size} bytes of something else'
        raise InputError(f'{file}: expected {KINDS}, found {hint}')

    def _open_by_name(self, file: Path) -> Storage | None:
        """Open a file whose first bytes are damaged, None if nothing is found in it."""
        kind = next((kind for suffix, kind in _SUFFIXES.items()
                     if suffix in (part.lower() for part in file.suffixes)), None)
        if kind is None:
            return None
        with self.notes.muted():
            storage = kind(file, self.notes)
        if any(channel.count for channel in storage.channels.values()):
            self.notes.add(Note(f'{file.name}: its first bytes are damaged; what lay there is lost',
                                None))
            return storage
        storage.close()
        return None

    def _open_compressed(self, file: Path) -> Storage:
        """Decompress a file that is compressed as a whole, as far as possible, and open it."""
        if self._unpacked is None:
            self._unpacked = tempfile.TemporaryDirectory(prefix='fcn_seg_ros_')
        # In a separate folder, so that the file keeps its name, which notes mention.
        whole = Path(self._unpacked.name) / str(len(self.storages)) / file.stem
        whole.parent.mkdir(exist_ok=True)
        fault = unpack_file(file, whole)
        try:
            storage = self._open(whole)
        except InputError as error:
            raise InputError(str(error).replace(str(whole), str(file))
                             + (f' after decompression, and {fault}' if fault else '')) from None
        if fault:
            self.notes.add(Note(f'{file.name}: the compressed file is damaged: {fault}', None))
        return storage


def _of_storage(storage: Storage, numbers: set[int]) -> Iterator[BagMessage]:
    for received_ns, channel, content in storage.messages(numbers):
        yield BagMessage(received_ns, storage.channels[channel], content)
