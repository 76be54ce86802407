# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The interface of a bag's storage files, and the base class for those made of blocks."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from fcn_seg_ros.drives.merge import merge_lazily
from fcn_seg_ros.drives.notes import Note, Notes

# Blocks overlap in time if a recorder wrote them out of order. This many are cached; others are
# read again when needed.
_CACHED_BLOCKS = 4


@dataclass(frozen=True)
class Channel:
    """
    One topic of a storage file with one type; a topic may have several types.

    ``type`` is the ROS 2 name (sensor_msgs/msg/Image), '' if unknown; ``encoding`` that of the
    messages (cdr, ros1, or a foreign one such as protobuf or json). ``count`` is the number of
    messages, None if the whole file would have to be read to count them.

    The rest is what a copy of the messages needs, '' where the recorder left it out:
    ``definition`` of the type in the language ``definition_format`` (ros2msg, ros2idl, ros1msg),
    ``type_hash`` (RIHS01_..., in ROS 1 the MD5), and ``qos``, the publishers' quality of service in
    rosbag2's YAML.
    """

    topic: str
    type: str
    encoding: str
    count: int | None = None
    definition: str = field(default='', repr=False)
    definition_format: str = ''
    type_hash: str = ''
    qos: str = field(default='', repr=False)


class StoredMessage(NamedTuple):
    """A message in a storage file: its time of recording, its channel and its bytes."""

    received_ns: int
    channel: int
    content: bytes


class Storage(Protocol):
    """One file of a bag; ``channels`` maps their numbers in the file to channels."""

    path: Path
    channels: dict[int, Channel]

    def start_ns(self) -> int:
        """Return a lower bound of the messages' times."""
        ...

    def messages(self, wanted: Set[int]) -> Iterator[StoredMessage]:
        """Yield the messages of the wanted channels, ordered by time."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def ros2_type(name: str) -> str:
    """Return the ROS 2 name of a type whose name may be written as in ROS 1 or DDS."""
    name = re.sub(r'::dds_::(\w+)_$', r'::\1', name).replace('::', '/')
    package, _, rest = name.partition('/')
    return f'{package}/msg/{rest}' if rest and '/' not in rest else name


def undeclared(numbers: Mapping[int, int], declared: Set[int], encoding: str, name: str,
               notes: Notes) -> dict[int, Channel]:
    """
    Return channels for messages whose topic is lost; their type can be guessed from the content.

    ``numbers`` are the messages of each channel of the file ``name``. Each channel is noted.
    """
    found = {}
    for number in sorted(set(numbers) - declared):
        if numbers[number] > 0:
            found[number] = Channel(f'/channel_{number}', '', encoding)
            notes.add(Note(f'{name}: the record with the topic of {numbers[number]} messages is '
                           f'lost; it is called {found[number].topic} here'))
    return found


@dataclass(frozen=True)
class Block:
    """
    A part of a file that is read as a whole: a chunk, or consecutive messages.

    ``channels`` are those with messages in it, None if unknown. ``cut`` means that the end of the
    file cuts it off, which has been noted.
    """

    start_ns: int
    offset: int
    size: int
    chunk: bool
    channels: frozenset[int] | None
    cut: bool = False


class Entry(NamedTuple):
    """The place of a message in its block."""

    received_ns: int
    channel: int
    position: int
    size: int


class BlockFile:
    """
    A storage file made of blocks, a few of which are in memory at a time.

    A format defines how a block's bytes are read (``_load``) and where the messages are in them
    (``_entries``); both report damage.
    """

    def __init__(self, path: Path, notes: Notes) -> None:
        """Open the file."""
        self.path = path
        self.notes = notes
        self.channels: dict[int, Channel] = {}
        self.blocks: list[Block] = []
        # Open as long as this object exists.
        self._file = path.open('rb')
        self._size = os.fstat(self._file.fileno()).st_size
        self._cache: OrderedDict[int, tuple[bytes, str]] = OrderedDict()

    def start_ns(self) -> int:
        """Return a lower bound of the messages' times."""
        return min((block.start_ns for block in self.blocks), default=0)

    def messages(self, wanted: Set[int]) -> Iterator[StoredMessage]:
        """Yield the messages of the wanted channels, ordered by time."""
        losses: list[int | None] = []
        sources = ((block.start_ns, partial(self._block_entries, block, wanted, losses))
                   for block in self.blocks
                   if block.channels is None or block.channels & wanted)
        read = 0
        for entry, block in ((e, b) for _, e, b in merge_lazily(sources)):
            content, _ = self._content(block)
            read += 1
            yield StoredMessage(entry.received_ns, entry.channel,
                                content[entry.position:entry.position + entry.size])
        counts = [self.channels[n].count for n in wanted if n in self.channels]
        missing = sum(count or 0 for count in counts) - read - sum(n or 0 for n in losses)
        if missing > 0 and None not in losses:
            self.notes.add(Note(f'{self.path.name}: {missing} messages are missing that its index '
                                'names', missing))

    def close(self) -> None:
        """Close the file."""
        self._cache.clear()
        self._file.close()

    def _block_entries(self, block: Block, wanted: Set[int], losses: list[int | None],
                       ) -> Iterator[tuple[int, Entry, Block]]:
        """Yield the wanted messages of a block by time; add how many are lost to ``losses``."""
        content, fault = self._content(block)
        entries, inner_fault = self._entries(content, wanted)
        if (fault or inner_fault) and not block.cut:
            expected = self._expected(block, wanted)
            lost = None if expected is None else expected - len(entries)
            losses.append(lost)
            if lost != 0:
                self.notes.add(Note(f'{self.path.name}: the block of {block.size} bytes at byte '
                                    f'{block.offset} is damaged: {fault or inner_fault}', lost,
                                    received_ns=block.start_ns))
            else:
                self.notes.add(Note(
                    f'{self.path.name}: the block at byte {block.offset} is damaged '
                    f'({fault or inner_fault}), and perhaps its {len(entries)} messages',
                    received_ns=block.start_ns))
        for entry in sorted(entries, key=lambda e: e.received_ns):
            yield entry.received_ns, entry, block

    def _content(self, block: Block) -> tuple[bytes, str]:
        """Return a block's bytes and their fault, read again if not cached."""
        if block.offset not in self._cache:
            self._cache[block.offset] = self._load(block)
            if len(self._cache) > _CACHED_BLOCKS:
                self._cache.popitem(last=False)
        self._cache.move_to_end(block.offset)
        return self._cache[block.offset]

    def _read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes at an offset, fewer at the end of the file."""
        if not 0 <= offset < self._size:
            return b''
        self._file.seek(offset)
        return self._file.read(max(0, min(size, self._size - offset)))

    def _load(self, block: Block) -> tuple[bytes, str]:
        """Return a block's decompressed bytes, and their fault or ''."""
        raise NotImplementedError

    def _entries(self, content: bytes, wanted: Set[int] | None) -> tuple[list[Entry], str]:
        """
        Return the places of the wanted messages, and why the search ended early or ''.

        None wants all, also those of channels that are not declared.
        """
        raise NotImplementedError

    def _expected(self, block: Block, wanted: Set[int]) -> int | None:
        """Return the expected number of wanted messages in a block, None if unknown."""
        raise NotImplementedError
