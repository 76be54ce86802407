# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Notes on a recording: losses and other remarks that are not errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# A recording can be damaged at every frame: all notes are counted, but only this many are kept.
KEPT = 1000


@dataclass(frozen=True)
class Note:
    """
    One fault of a recording that can still be read.

    ``lost`` is the number of messages lost: 0 for a mere remark, None if unknown. ``topic``,
    ``received_ns`` (time of recording) and ``stamp_ns`` (of the header) identify the message, if it
    is a single one and as far as it could be read.
    """

    reason: str
    lost: int | None = 0
    topic: str | None = None
    received_ns: int | None = None
    stamp_ns: int | None = None

    def line(self) -> str:
        """Return the note as text."""
        time = self.stamp_ns if self.stamp_ns is not None else self.received_ns
        place = ' '.join(
            ([self.topic] if self.topic else [])
            + ([f'at {time // 10**9}.{time % 10**9:09d} s'] if time is not None else []))
        return f'{place}: {self.reason}' if place else self.reason


class Notes:
    """
    The notes of one drive, in order.

    ``on_note`` is called with each new note, in the thread that reads. Notes from opening the drive
    stay; those from reading frames are dropped when a new iteration begins (see ``restart``).
    """

    def __init__(self, on_note: Callable[[Note], None] | None = None) -> None:
        """Start empty."""
        self._on_note = on_note
        self._kept: list[Note] = []
        self._opening: tuple[int, int, bool] | None = None
        self._is_muted = False
        self._collections: list[list[Note]] = []
        self.lost = 0
        #: Whether any note has an unknown number of lost messages.
        self.more_lost = False

    def add(self, note: Note) -> None:
        """Add a note."""
        if self._is_muted:
            return
        self.lost += note.lost or 0
        self.more_lost |= note.lost is None
        if len(self._kept) < KEPT:
            self._kept.append(note)
        for collection in self._collections:
            collection.append(note)
        if self._on_note is not None:
            self._on_note(note)

    @contextmanager
    def collected(self) -> Iterator[list[Note]]:
        """Put the notes that come meanwhile into a list too, whose reader may empty it."""
        new: list[Note] = []
        self._collections.append(new)
        try:
            yield new
        finally:
            self._collections = [each for each in self._collections if each is not new]

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Ignore notes meanwhile, for a look ahead at what will be read again later."""
        self._is_muted = True
        try:
            yield
        finally:
            self._is_muted = False

    def restart(self) -> None:
        """Drop the notes since the first call of this method; call it whenever reading begins."""
        if self._opening is None:
            self._opening = (len(self._kept), self.lost, self.more_lost)
        kept, self.lost, self.more_lost = self._opening
        del self._kept[kept:]

    def __iter__(self) -> Iterator[Note]:
        """Return the notes kept, the first 1,000."""
        return iter(self._kept)

    def __len__(self) -> int:
        """Return the number of notes kept."""
        return len(self._kept)
