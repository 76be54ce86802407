# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The records of an MCAP file (https://mcap.dev/spec) needed to read drives."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Set
from dataclasses import dataclass

from fcn_seg_ros.drives.storage import Channel, Entry, ros2_type

HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, CHUNK_INDEX = range(1, 9)
STATISTICS, DATA_END = 0x0B, 0x0F
HEAD_BYTES = 9
FOOTER_BYTES = HEAD_BYTES + 20
# Channel, sequence, time of recording, time of publishing.
MESSAGE_HEAD = struct.Struct('<HIQQ')
# Start, end, size when decompressed, checksum, length of the compression's name.
CHUNK_HEAD = struct.Struct('<QQQII')
_RECORD_HEAD = struct.Struct('<BQ')
# Some writers put the language of the definition for the encoding of the messages, or nothing.
_ENCODINGS = {'': 'cdr', 'ros2msg': 'cdr', 'ros2idl': 'cdr', 'omgidl': 'cdr', 'ros1msg': 'ros1',
              'jsonschema': 'json'}
# An opcode and a length below 1 TB.
PLAUSIBLE_HEAD = re.compile(rb'[\x03-\x0f].{5}\x00{3}', re.DOTALL)


class Fields:
    """Reads the fields of a record in order; raises ValueError past its end."""

    def __init__(self, content: bytes) -> None:
        """Start at the record's first field."""
        self.content = content
        self.position = 0

    def bytes(self, size: int) -> bytes:
        """Return the next ``count`` bytes."""
        value = self.content[self.position:self.position + size]
        if len(value) != size:
            raise ValueError(f'a record ends after {len(self.content)} bytes')
        self.position += size
        return value

    def number(self, size: int) -> int:
        """Return the next unsigned number of ``size`` bytes."""
        return int.from_bytes(self.bytes(size), 'little')

    def text(self) -> str:
        """Return a string; bytes that are not UTF-8 are replaced."""
        return self.bytes(self.number(4)).decode(errors='replace')


def record_head(content: bytes, position: int = 0) -> tuple[int, int]:
    """Return opcode and length of the record at a position; (0, 0) if it is cut off."""
    if position + HEAD_BYTES > len(content):
        return 0, 0
    return _RECORD_HEAD.unpack_from(content, position)


def is_operation(number: int) -> bool:
    """Return whether a number is an opcode (128 and above are private)."""
    return 1 <= number <= DATA_END or number >= 0x80


class Directory:
    """Schemas and channels declared in the data or the summary section."""

    def __init__(self) -> None:
        """Start empty."""
        # Type, language of the definition, definition.
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self.channels: dict[int, Channel] = {}

    def take(self, operation: int, content: bytes) -> None:
        """Add a schema or a channel; damaged ones are skipped."""
        fields = Fields(content)
        try:
            number = fields.number(2)
            if operation == SCHEMA:
                self._schemas[number] = ros2_type(fields.text()), fields.text(), fields.text()
            elif operation == CHANNEL:
                kind, language, definition = self._schemas.get(fields.number(2), ('', '', ''))
                topic, encoding = fields.text(), fields.text().lower() or language
                more = _metadata(fields)
                self.channels[number] = Channel(
                    topic, kind, _ENCODINGS.get(encoding, encoding), definition=definition,
                    definition_format=language, type_hash=more.get('topic_type_hash', ''),
                    qos=more.get('offered_qos_profiles', ''))
        except ValueError:
            return


def _metadata(fields: Fields) -> dict[str, str]:
    """Return a channel's map of strings as far as it is whole."""
    found: dict[str, str] = {}
    try:
        end = fields.number(4) + fields.position
        while fields.position < end:
            name = fields.text()
            found[name] = fields.text()
    except ValueError:
        pass
    return found


@dataclass
class Summary:
    """The summary of a complete file: channels, chunks and number of messages."""

    directory: Directory
    #: By the chunk's offset: start, length with its indexes, channels (None: not indexed).
    chunks: dict[int, tuple[int, int, frozenset[int] | None]]
    counts: dict[int, int]
    start: int


def parse_summary(content: bytes, start: int) -> Summary | None:
    """Return the summary section at byte ``start``; None if it is unusable."""
    summary, complete = Summary(Directory(), {}, {}, start), False
    try:
        for operation, record in records(content):
            fields = Fields(record)
            if operation in (SCHEMA, CHANNEL):
                summary.directory.take(operation, record)
            elif operation == CHUNK_INDEX:
                first, _, offset, length, map_size = (fields.number(n) for n in (8, 8, 8, 8, 4))
                if length < HEAD_BYTES + CHUNK_HEAD.size:
                    raise ValueError(f'a chunk has only {length} bytes')
                entries = Fields(fields.bytes(map_size))
                channels = set()
                while entries.position < map_size:
                    channels.add(entries.number(2))
                    entries.number(8)
                summary.chunks[offset] = (first, length + fields.number(8),
                                          frozenset(channels) or None)
            elif operation == STATISTICS:
                messages, _, channel_count, _, _, chunk_count, _, _, map_size = (
                    fields.number(n) for n in (8, 2, 4, 4, 4, 4, 8, 8, 4))
                summary.counts = {fields.number(2): fields.number(8)
                                  for _ in range(map_size // 10)}
                complete = sum(summary.counts.values()) == messages
        complete &= (len(summary.directory.channels) == channel_count
                     and len(summary.chunks) == chunk_count)
    # UnboundLocalError: there are no statistics.
    except (ValueError, UnboundLocalError):
        return None
    return summary if complete else None


def records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and content of the complete records in part of a file."""
    position = 0
    while position < len(content):
        operation, size = record_head(content, position)
        position += HEAD_BYTES
        if not is_operation(operation) or position + size > len(content):
            return
        yield operation, content[position:position + size]
        position += size


def find_entries(content: bytes, wanted: Set[int] | None) -> tuple[list[Entry], str]:
    """Return the places of a chunk's wanted messages (None: all), and why it ended early or ''."""
    entries: list[Entry] = []
    position = 0
    while position < len(content):
        operation, size = record_head(content, position)
        start = position + HEAD_BYTES
        position = start + size
        if not is_operation(operation):
            return entries, f'no record begins at its byte {start - HEAD_BYTES}'
        if position > len(content):
            return entries, 'its last record is cut off'
        if operation == MESSAGE and size >= MESSAGE_HEAD.size:
            channel, _, received_ns, _ = MESSAGE_HEAD.unpack_from(content, start)
            if wanted is None or channel in wanted:
                entries.append(Entry(received_ns, channel, start + MESSAGE_HEAD.size,
                                     size - MESSAGE_HEAD.size))
    return entries, ''
