# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every storage file of a bag offers, and what those made of blocks share."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from fcn_seg_ros.drives.merge import merge_lazily
from fcn_seg_ros.drives.notes import Note, Notes

# Blocks overlap in time where a recorder wrote them out of order; more than this many at once
# are read again when it is their turn.
_CACHED_BLOCKS = 4


@dataclass(frozen=True)
class Channel:
    """
    One topic of a storage file, in one type: a topic may have several.

    ``type`` is the ROS 2 name (sensor_msgs/msg/Image), empty where the file does not tell;
    ``encoding`` is that of its messages (cdr, ros1, or what is not ROS: protobuf, json, ...).
    ``definition`` and ``qos`` are as they were recorded, for who copies the topic. ``count`` is the
    number of its messages, None where only reading the file through would tell.
    """

    topic: str
    type: str
    encoding: str
    definition: str = ''
    definition_format: str = ''
    qos: str = ''
    count: int | None = None


class StoredMessage(NamedTuple):
    """A message in a storage file: its time of recording, its channel and its bytes."""

    received_ns: int
    channel: int
    content: bytes


class Storage(Protocol):
    """One file of a bag; ``channels`` by their number in it."""

    path: Path
    channels: dict[int, Channel]

    def start_ns(self) -> int:
        """Return a time that no message is earlier than."""
        ...

    def messages(self, wanted: Set[int]) -> Iterator[StoredMessage]:
        """Yield the messages of the wanted channels in the order of their times."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def ros2_type(name: str) -> str:
    """Return the ROS 2 name of a type that may be written as ROS 1 or DDS does."""
    name = re.sub(r'::dds_::(\w+)_$', r'::\1', name).replace('::', '/')
    package, _, rest = name.partition('/')
    return f'{package}/msg/{rest}' if rest and '/' not in rest else name


@dataclass(frozen=True)
class Block:
    """
    A piece of a file that is read at once: a chunk, or messages that lie one after another.

    ``channels`` are those that have messages in it, None where that is not known. ``cut`` says that
    the end of the file cuts it off, which has been noted.
    """

    start_ns: int
    offset: int
    size: int
    chunk: bool
    channels: frozenset[int] | None
    cut: bool = False


class Entry(NamedTuple):
    """Where a message lies in its block."""

    received_ns: int
    channel: int
    position: int
    size: int


class BlockFile:
    """
    A storage file made of blocks: at any time a few of them are in memory.

    A format says how a block becomes bytes (``_load``) and where the messages lie in these
    (``_entries``); both note what is damaged.
    """

    def __init__(self, path: Path, notes: Notes) -> None:
        """Open the file."""
        self.path = path
        self.notes = notes
        self.channels: dict[int, Channel] = {}
        self.blocks: list[Block] = []
        # It lives as long as this object.
        self._file = path.open('rb')
        self._size = os.fstat(self._file.fileno()).st_size
        self._cache: OrderedDict[int, tuple[bytes, str]] = OrderedDict()

    def start_ns(self) -> int:
        """Return a time that no message is earlier than."""
        return min((block.start_ns for block in self.blocks), default=0)

    def messages(self, wanted: Set[int]) -> Iterator[StoredMessage]:
        """Yield the messages of the wanted channels in the order of their times."""
        sources = ((block.start_ns, partial(self._block_entries, block, wanted))
                   for block in self.blocks
                   if block.channels is None or block.channels & wanted)
        for entry, block in ((e, b) for _, e, b in merge_lazily(sources)):
            content, _ = self._content(block)
            yield StoredMessage(entry.received_ns, entry.channel,
                                content[entry.position:entry.position + entry.size])

    def close(self) -> None:
        """Close the file."""
        self._cache.clear()
        self._file.close()

    def _block_entries(self, block: Block,
                       wanted: Set[int]) -> Iterator[tuple[int, Entry, Block]]:
        """Yield the wanted messages of a block, sorted by time."""
        content, fault = self._content(block)
        entries, inner_fault = self._entries(content, wanted)
        if (fault or inner_fault) and not block.cut:
            expected = self._expected(block, wanted)
            lost = None if expected is None else expected - len(entries)
            if lost != 0:
                self.notes.add(Note(f'{self.path.name}: the block of {block.size} bytes at byte '
                                    f'{block.offset} is damaged: {fault or inner_fault}', lost,
                                    received_ns=block.start_ns))
            else:
                self.notes.add(Note(
                    f'{self.path.name}: the block at byte {block.offset} is damaged '
                    f'({fault or inner_fault}); its {len(entries)} messages may be, too',
                    received_ns=block.start_ns))
        for entry in sorted(entries, key=lambda e: e.received_ns):
            yield entry.received_ns, entry, block

    def _content(self, block: Block) -> tuple[bytes, str]:
        """Return the block's bytes and what is wrong with them, read again where need be."""
        if block.offset not in self._cache:
            self._cache[block.offset] = self._load(block)
            if len(self._cache) > _CACHED_BLOCKS:
                self._cache.popitem(last=False)
        self._cache.move_to_end(block.offset)
        return self._cache[block.offset]

    def _read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes at an offset, fewer at the end of the file."""
        self._file.seek(max(0, offset))
        return self._file.read(max(0, min(size, self._size - offset)))

    def _load(self, block: Block) -> tuple[bytes, str]:
        """Return the block's bytes, decompressed, and what is wrong with them."""
        raise NotImplementedError

    def _entries(self, content: bytes, wanted: Set[int]) -> tuple[list[Entry], str]:
        """Return where the wanted messages lie, and what ended the search too early."""
        raise NotImplementedError

    def _expected(self, block: Block, wanted: Set[int]) -> int | None:
        """Return how many wanted messages the block should have, None if nothing tells."""
        raise NotImplementedError
