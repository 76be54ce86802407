# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read an MCAP file, even if it has no index, is damaged, or was cut off by a killed recorder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from zlib import crc32

from fcn_seg_ros.drives.bag_files import MCAP as MAGIC
from fcn_seg_ros.drives.compression import decompress
from fcn_seg_ros.drives.mcap_records import (
    CHANNEL,
    CHUNK,
    CHUNK_HEAD,
    DATA_END,
    FOOTER,
    FOOTER_BYTES,
    HEAD_BYTES,
    MESSAGE,
    MESSAGE_HEAD,
    MESSAGE_INDEX,
    PLAUSIBLE_HEAD,
    SCHEMA,
    Directory,
    Fields,
    Summary,
    find_entries,
    is_operation,
    parse_summary,
    record_head,
    records,
)
from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.drives.storage import Block, BlockFile, Entry, undeclared

# Size of the blocks in which messages outside of chunks are read.
_LOOSE_BYTES = 8 * 2**20
_SEARCH_BYTES = 2**20
# After damage, reading resumes where this many consecutive records are valid.
_CHAIN = 3


class McapFile(BlockFile):
    """
    A storage file in MCAP.

    If the file has a valid summary, that is used to open it; otherwise all records are walked,
    skipping damage, up to the end or to where the file is cut off. The profile does not matter.
    """

    def __init__(self, path: Path, notes: Notes) -> None:
        """Find the channels and blocks; an empty file has none."""
        super().__init__(path, notes)
        self._directory = Directory()
        self._counts: Counter[int] = Counter()
        # Those that the indexes of the last chunk name.
        self._indexed: Counter[int] = Counter()
        summary = self._read_summary()
        end = self._walk(summary)
        if summary is None:
            self._look_into_blocks(end)
        counts = self._counts if summary is None else summary.counts
        channels = self._directory.channels
        channels |= undeclared(counts, channels.keys(), 'cdr', path.name, notes)
        self.channels = {number: replace(channel, count=counts.get(number, 0))
                         for number, channel in channels.items()}
        if not end:
            self._note_missing_end()

    def _read_summary(self) -> Summary | None:
        """Return the summary section, None if it is missing or wrong."""
        end = self._read(self._size - FOOTER_BYTES - len(MAGIC), FOOTER_BYTES + len(MAGIC))
        if record_head(end) != (FOOTER, 20) or end[FOOTER_BYTES:] != MAGIC:
            return None
        fields = Fields(end[HEAD_BYTES:FOOTER_BYTES])
        start, _, checksum = fields.number(8), fields.number(8), fields.number(4)
        footer = self._size - FOOTER_BYTES - len(MAGIC)
        if not len(MAGIC) < start <= footer:
            return None
        content = self._read(start, footer - start)
        if checksum and crc32(content + end[:HEAD_BYTES + 16]) != checksum:
            return None
        summary = parse_summary(content, start)
        if summary is not None:
            self._directory = summary.directory
        return summary

    def _walk(self, summary: Summary | None) -> bool:
        """Collect the blocks; return whether the data section's end was reached."""
        position, loose = len(MAGIC), _Loose()
        known = summary.chunks if summary else {}
        stop = summary.start if summary else self._size
        while position < stop:
            if position in known:
                start_ns, size, channels = known[position]
                self.blocks.append(Block(start_ns, position, size, True, channels))
                position += size
                if position not in known and not self._is_chain(position, self._size):
                    position = self._end_of_chunk(position)
                continue
            operation, size = record_head(self._read(position, HEAD_BYTES))
            end = position + HEAD_BYTES + size
            if operation in (DATA_END, FOOTER):
                self._close_loose(loose)
                return True
            if not is_operation(operation) or end > stop:
                cut = operation == CHUNK and self._is_whole_head(position, size)
                found = None if cut else self._search(position + 1, known, stop)
                if found is None:
                    self._take_cut_off(position, operation, loose)
                    return False
                self.notes.add(Note(f'{self.path.name}: {found - position} bytes at byte '
                                    f'{position} are damaged', None))
                self._close_loose(loose)
                position = found
                continue
            self._take(operation, position, size, loose)
            position = end
        self._close_loose(loose)
        return summary is not None

    def _end_of_chunk(self, end: int) -> int:
        """Return where the last chunk ends by its own length, if its index says it wrongly."""
        block = self.blocks[-1]
        operation, size = record_head(self._read(block.offset, HEAD_BYTES))
        own = block.offset + HEAD_BYTES + size
        if operation != CHUNK or not self._is_chain(own, self._size):
            return end
        self.blocks[-1] = replace(block, size=own - block.offset)
        return own

    def _take(self, operation: int, position: int, size: int, loose: _Loose) -> None:
        """Process a record of the data section."""
        start = position + HEAD_BYTES
        if operation in (SCHEMA, CHANNEL):
            self._directory.take(operation, self._read(start, size))
        elif operation == MESSAGE and size >= MESSAGE_HEAD.size:
            channel, _, received_ns, _ = MESSAGE_HEAD.unpack(self._read(start, MESSAGE_HEAD.size))
            if loose.size(position) > _LOOSE_BYTES:
                self._close_loose(loose)
            loose.take(channel, received_ns, position, start + size)
            self._counts[channel] += 1
        elif operation == CHUNK and size >= CHUNK_HEAD.size:
            start_ns = CHUNK_HEAD.unpack(self._read(start, CHUNK_HEAD.size))[0]
            self.blocks.append(Block(start_ns, position, HEAD_BYTES + size, True, None))
            self._indexed.clear()
        elif operation == MESSAGE_INDEX and self.blocks and self.blocks[-1].chunk and size >= 6:
            channel = int.from_bytes(self._read(start, 2), 'little')
            block, messages = self.blocks[-1], (size - 6) // 16
            self.blocks[-1] = replace(
                block, size=start + size - block.offset,
                channels=(block.channels or frozenset()) | ({channel} if messages else set()))
            self._counts[channel] += messages
            self._indexed[channel] += messages

    def _close_loose(self, loose: _Loose) -> None:
        if loose.channels:
            self.blocks.append(Block(loose.start_ns, loose.begin, loose.end - loose.begin, False,
                                     frozenset(loose.channels)))
        loose.clear()

    def _take_cut_off(self, position: int, operation: int, loose: _Loose) -> None:
        """Process the readable part of a chunk that the end of the file cuts off."""
        self._close_loose(loose)
        head = self._read(position + HEAD_BYTES, CHUNK_HEAD.size)
        if operation == CHUNK and len(head) == CHUNK_HEAD.size:
            self.blocks.append(Block(CHUNK_HEAD.unpack(head)[0], position, self._size - position,
                                     True, None, cut=True))

    def _is_whole_head(self, position: int, size: int) -> bool:
        """Return whether a chunk's two lengths agree, so that only its end is missing."""
        head = self._read(position + HEAD_BYTES, CHUNK_HEAD.size)
        if len(head) < CHUNK_HEAD.size:
            return False
        name_size = CHUNK_HEAD.unpack(head)[4]
        rest = self._read(position + HEAD_BYTES + CHUNK_HEAD.size + name_size, 8)
        return size == CHUNK_HEAD.size + name_size + 8 + int.from_bytes(rest, 'little')

    def _search(self, position: int, known: Mapping[int, object], stop: int) -> int | None:
        """Return where the next undamaged records begin, None if there are none."""
        following = min((offset for offset in known if offset >= position), default=None)
        while position < stop:
            piece = self._read(position, _SEARCH_BYTES)
            for match in PLAUSIBLE_HEAD.finditer(piece):
                if self._is_chain(position + match.start(), stop):
                    return position + match.start()
            position += max(len(piece) - HEAD_BYTES + 1, 1)
            if following is not None and following < position:
                return following
        return None

    def _is_chain(self, position: int, stop: int) -> bool:
        """Return whether a few valid records follow from here, or valid records up to the end."""
        for _ in range(_CHAIN):
            operation, size = record_head(self._read(position, HEAD_BYTES))
            position += HEAD_BYTES + size
            if not is_operation(operation) or position > stop:
                return False
            if operation in (DATA_END, FOOTER) or position == stop:
                return True
        return True

    def _look_into_blocks(self, end: bool) -> None:
        """Read the chunks without an index to learn their channels and messages."""
        for index, block in enumerate(self.blocks):
            # The recorder may have been killed while writing the indexes of its last chunk.
            uncertain = not end and index == len(self.blocks) - 1
            unknown = block.channels is None or bool(block.channels - set(
                self._directory.channels)) or uncertain
            if not block.chunk or not unknown:
                continue
            content, _ = self._content(block)
            for operation, record in records(content):
                if operation in (SCHEMA, CHANNEL):
                    self._directory.take(operation, record)
            if block.channels is None or uncertain:
                entries, _ = find_entries(content, None)
                self.blocks[index] = replace(
                    block, channels=frozenset(e.channel for e in entries),
                    start_ns=min((e.received_ns for e in entries), default=block.start_ns))
                if uncertain:
                    self._counts -= self._indexed
                self._counts.update(e.channel for e in entries)

    def _note_missing_end(self) -> None:
        whole = sum(self._counts.values())
        self.notes.add(Note(
            f'{self.path.name}: the file is incomplete, as if the recorder was killed or a copy '
            f'cut off: its {self._size} bytes hold {whole} whole messages; later ones are '
            'lost', None))

    def _load(self, block: Block) -> tuple[bytes, str]:
        """Return a block's decompressed bytes, and their fault or ''."""
        if not block.chunk:
            return self._read(block.offset, block.size), ''
        start = block.offset + HEAD_BYTES
        _, _, size, checksum, name_size = CHUNK_HEAD.unpack(self._read(start, CHUNK_HEAD.size))
        fields = Fields(self._read(start + CHUNK_HEAD.size, min(name_size, 100) + 8))
        try:
            kind, stored = fields.bytes(name_size).decode(errors='replace'), fields.number(8)
        except ValueError as error:
            return b'', str(error)
        content, fault = decompress(
            self._read(start + CHUNK_HEAD.size + fields.position, stored), kind, size)
        if not fault and checksum and crc32(content) != checksum:
            fault = 'its checksum does not match'
        return content, fault

    def _entries(self, content: bytes, wanted: Set[int] | None) -> tuple[list[Entry], str]:
        """Return the places of the wanted messages, and why the search ended early or ''."""
        return find_entries(content, wanted)

    def _expected(self, block: Block, wanted: Set[int]) -> int | None:
        """Return the number of wanted messages according to the indexes that follow a chunk."""
        if not block.chunk:
            return None
        position = block.offset + HEAD_BYTES + record_head(
            self._read(block.offset, HEAD_BYTES))[1]
        total = None
        while True:
            operation, size = record_head(self._read(position, HEAD_BYTES))
            if operation != MESSAGE_INDEX:
                return total
            content = self._read(position + HEAD_BYTES, 2)
            if int.from_bytes(content, 'little') in wanted:
                total = (total or 0) + (size - 6) // 16
            position += HEAD_BYTES + size


class _Loose:
    """Consecutive messages outside of chunks."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.begin = self.end = self.start_ns = 0
        self.channels: set[int] = set()

    def size(self, position: int) -> int:
        return position - self.begin if self.channels else 0

    def take(self, channel: int, received_ns: int, position: int, end: int) -> None:
        if not self.channels:
            self.begin, self.start_ns = position, received_ns
        self.start_ns = min(self.start_ns, received_ns)
        self.channels.add(channel)
        self.end = end
