# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read a ROS 1 bag (http://wiki.ros.org/Bags/Format/2.0), even if cut off or without an index."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import replace
from pathlib import Path

from fcn_seg_ros.drives.bag_files import ROS1 as MAGIC
from fcn_seg_ros.drives.compression import decompress
from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.drives.storage import Block, BlockFile, Channel, Entry, ros2_type, undeclared
from fcn_seg_ros.errors import InputError

MESSAGE, BAG_HEADER, INDEX, CHUNK, CHUNK_INFO, CONNECTION = range(2, 8)
_LENGTH = struct.Struct('<I')
_TIME = struct.Struct('<II')
# A header has a few fields; a connection's holds no definition, which is in the data.
_MAX_HEADER = 2**16
_LONGEST_INDEX = 2**24
_SEARCH_BYTES = 2**20
# The length of a chunk's header, the length of its first field, and that field.
_CHUNK_START = re.compile(rb'.\0\0\0.\0\0\0(compression=|op=\x05|size=)', re.DOTALL)

Header = dict[str, bytes]


class Ros1File(BlockFile):
    """
    A ROS 1 bag, read chunk by chunk without need of the index.

    The index records after each chunk give its connections and times, so on opening only chunks
    without them are read.
    """

    def __init__(self, path: Path, notes: Notes) -> None:
        """Find the channels and blocks; raises InputError if the bag is encrypted."""
        super().__init__(path, notes)
        self._counts: Counter[int] = Counter()
        # Those that the indexes of the last chunk name.
        self._indexed: Counter[int] = Counter()
        end = self._walk()
        self._look_into_blocks(end)
        self.channels |= undeclared(self._counts, self.channels.keys(), 'ros1', path.name, notes)
        self.channels = {number: replace(channel, count=self._counts[number])
                         for number, channel in self.channels.items()}
        if not end:
            notes.add(Note(
                f'{path.name}: the file is incomplete, as if the recorder was killed or a copy cut '
                f'off: its {self._size} bytes hold {sum(self._counts.values())} whole messages; '
                'later ones are lost', None))

    def _walk(self) -> bool:
        """Collect the chunks; return whether the recorder closed the bag."""
        position, closed, at_index = len(MAGIC), False, False
        while position < self._size:
            head = self._record(position)
            if head is None:
                found = self._search(position + 1)
                if found is None:
                    break
                self.notes.add(Note(f'{self.path.name}: {found - position} bytes at byte '
                                    f'{position} are damaged', None))
                position = found
                continue
            header, start, size = head
            operation = _number(header, 'op')
            if operation == BAG_HEADER:
                if header.get('encryptor'):
                    raise InputError(f'{self.path}: encrypted bags are not supported, found '
                                     f'encryption {header["encryptor"].decode(errors="replace")}')
                closed = 0 < _number(header, 'index_pos') <= self._size
            elif operation == CHUNK:
                cut = start + size > self._size
                self.blocks.append(Block(0, position, start + size - position, True, None, cut))
                self._indexed.clear()
            elif operation == INDEX and self.blocks and start + size <= self._size:
                self._take_index(header, self._read(start, min(size, _LONGEST_INDEX)))
            elif operation == CONNECTION:
                self._take_connection(header, self._read(start, size))
                # Outside of chunks they are in the index at the end of the file.
                at_index = True
            position = start + size
        return closed and (at_index or position == self._size)

    def _record(self, position: int) -> tuple[Header, int, int] | None:
        """Return the header of a record, and the position and size of its data."""
        length = self._read(position, 4)
        size = _LENGTH.unpack(length)[0] if len(length) == 4 else 0
        if not 0 < size <= _MAX_HEADER:
            return None
        content = self._read(position + 4, size + 4)
        header = parse_header(content[:size])
        if len(content) < size + 4 or 'op' not in header:
            return None
        return header, position + 8 + size, _LENGTH.unpack(content[size:])[0]

    def _search(self, position: int) -> int | None:
        """Return where the next chunk begins, None if there is none."""
        while position < self._size:
            piece = self._read(position, _SEARCH_BYTES)
            for match in _CHUNK_START.finditer(piece):
                record = self._record(position + match.start())
                if record is not None and _number(record[0], 'op') == CHUNK:
                    return position + match.start()
            position += max(len(piece) - 32, 1)
        return None

    def _take_connection(self, header: Header, data: bytes) -> None:
        fields = parse_header(data)
        topic = '/' + (fields.get('topic') or header.get('topic', b'')).decode(
            errors='replace').strip('/')
        self.channels[_number(header, 'conn')] = Channel(
            topic, ros2_type(_string(fields, 'type')), 'ros1',
            definition=_string(fields, 'message_definition'), definition_format='ros1msg',
            type_hash=_string(fields, 'md5sum'))

    def _take_index(self, header: Header, data: bytes) -> None:
        """Process the times of one connection's messages in the preceding chunk."""
        channel, block = _number(header, 'conn'), self.blocks[-1]
        times = [_time(data, at) for at in range(0, len(data) - 11, 12)]
        if times:
            start = min(times) if block.channels is None else min(block.start_ns, *times)
            self._counts[channel] += len(times)
            self._indexed[channel] += len(times)
            self.blocks[-1] = replace(
                block, start_ns=start, channels=(block.channels or frozenset()) | {channel})

    def _look_into_blocks(self, end: bool) -> None:
        """Read the chunks that no index describes."""
        for index, block in enumerate(self.blocks):
            last = not end and index == len(self.blocks) - 1
            known = block.channels is not None and block.channels <= set(self.channels)
            if known and not last:
                continue
            content, _ = self._content(block)
            for header, data, size in _records(content):
                if _number(header, 'op') == CONNECTION:
                    self._take_connection(header, content[data:data + size])
            entries, _ = self._entries(content, None)
            if block.channels is None or last:
                if last:
                    self._counts -= self._indexed
                self._counts.update(e.channel for e in entries)
                self.blocks[index] = replace(
                    block, channels=frozenset(e.channel for e in entries),
                    start_ns=min((e.received_ns for e in entries), default=0))

    def _load(self, block: Block) -> tuple[bytes, str]:
        """Return a chunk's decompressed bytes, and their fault or ''."""
        record = self._record(block.offset)
        if record is None:
            return b'', 'no record begins there'
        header, start, size = record
        kind = header.get('compression', b'').decode(errors='replace')
        return decompress(self._read(start, size), kind, _number(header, 'size') or None)

    def _entries(self, content: bytes, wanted: Set[int] | None) -> tuple[list[Entry], str]:
        """Return the places of the wanted messages, and why the search ended early or ''."""
        entries, end = [], 0
        for header, start, size in _records(content):
            end = start + size
            if _number(header, 'op') == MESSAGE and (
                    wanted is None or _number(header, 'conn') in wanted):
                entries.append(Entry(_time(header.get('time', b''), 0),
                                     _number(header, 'conn'), start, size))
        return entries, '' if end == len(content) else f'no whole record is at its byte {end}'

    def _expected(self, block: Block, wanted: Set[int]) -> int | None:
        """Return the number of wanted messages according to a chunk's index records."""
        total, position = None, block.offset + block.size
        while (record := self._record(position)) and _number(record[0], 'op') == INDEX:
            header, start, size = record
            if _number(header, 'conn') in wanted:
                total = (total or 0) + size // 12
            position = start + size
        return total


def parse_header(content: bytes) -> Header:
    """Return a header's complete fields."""
    fields, position = {}, 0
    while position + 4 <= len(content):
        size, = _LENGTH.unpack_from(content, position)
        position += 4
        name, equals, value = content[position:position + size].partition(b'=')
        if not equals or position + size > len(content):
            break
        fields[name.decode(errors='replace')] = value
        position += size
    return fields


def _records(content: bytes) -> Iterator[tuple[Header, int, int]]:
    """Yield the header and the data's position and size of each complete record in a chunk."""
    position = 0
    while position + 4 <= len(content):
        start = position + 4 + _LENGTH.unpack_from(content, position)[0]
        if start + 4 > len(content):
            return
        size, = _LENGTH.unpack_from(content, start)
        if start + 4 + size > len(content):
            return
        yield parse_header(content[position + 4:start]), start + 4, size
        position = start + 4 + size


def _string(header: Header, name: str) -> str:
    """Return a field as text, '' if it is missing."""
    return header.get(name, b'').decode(errors='replace')


def _number(header: Header, name: str) -> int:
    """Return a field as an unsigned number, 0 if it is missing."""
    return int.from_bytes(header.get(name, b''), 'little')


def _time(content: bytes, position: int) -> int:
    """Return the time at a position in ns, 0 if there is none."""
    if len(content) < position + _TIME.size:
        return 0
    seconds, nanoseconds = _TIME.unpack_from(content, position)
    return seconds * 10**9 + nanoseconds
