# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
What SQLite reads of a write-ahead log (https://sqlite.org/fileformat2.html#the_write_ahead_log).

SQLite reads a log up to the last whole transaction before any damage and says nothing about the
rest. A log of which it reads nothing it deletes, even if it was told to write nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

# Magic, version, page size, number of the checkpoint, two salts, two checksums.
_HEADER = struct.Struct('>8I')
# Page, pages of the database after a commit (0: none), two salts, two checksums.
_FRAME_BYTES = 24
_MAGIC = 0x377F0682
_MASK = 2**32 - 1
# Frames that are looked at together.
_FRAMES = 256


@dataclass
class Log:
    """A log's bytes: those of whole transactions, all that belong to it, and why they differ."""

    read: int = 0
    size: int = 0
    fault: str = ''


def read_log(path: Path) -> Log:
    """
    Check a log as SQLite does; one that does not exist is empty.

    Frames with other salts than the header's are left from before the last checkpoint and do not
    belong to it.
    """
    size = path.stat().st_size if path.is_file() else 0
    if not size:
        return Log()
    with path.open('rb') as file:
        header = file.read(_HEADER.size)
        fault = _fault_of_header(header)
        if fault:
            return Log(0, size, fault)
        page = _HEADER.unpack(header)[2]
        log, intact = Log(), _Checksum(header, page)
        while content := file.read(_FRAMES * (_FRAME_BYTES + page)):
            begin = file.tell() - len(content)
            whole = len(content) // (_FRAME_BYTES + page)
            frames = np.frombuffer(content, np.uint8, whole * (_FRAME_BYTES + page)).reshape(
                whole, _FRAME_BYTES + page)
            own = np.flatnonzero((frames[:, 8:16] == np.frombuffer(header[16:24], np.uint8)).all(1))
            if len(own):
                log.size = begin + (int(own[-1]) + 1) * (_FRAME_BYTES + page)
            rest = content[whole * (_FRAME_BYTES + page):]
            if rest and rest[8:16] == header[16:24][:max(0, len(rest) - 8)]:
                log.size = begin + len(content)
            commits = [i for i in range(intact.frames(frames)) if frames[i, 4:8].any()]
            if commits:
                log.read = begin + (commits[-1] + 1) * (_FRAME_BYTES + page)
        if log.read < log.size:
            log.fault = ('it is damaged' if intact.damaged else
                         'it ends in the middle of a transaction')
    return log


class _Checksum:
    """The checksum that runs over a log's header and frames, pair of words by pair of words."""

    def __init__(self, header: bytes, page: int) -> None:
        self._order = _order(header)
        self._salts = header[16:24]
        self._sums = _HEADER.unpack(header)[6:]
        self._page = page
        self.ended = self.damaged = False

    def frames(self, frames: np.ndarray) -> int:
        """Return how many of the next frames, uint8 (N, 24 + page), are whole."""
        if self.ended:
            return 0
        step, weights = _powers(1 + self._page // 8)
        words = np.ascontiguousarray(np.delete(frames, np.s_[8:_FRAME_BYTES], 1)).view(
            f'{self._order}u4').astype(np.uint32)
        added = [(words * weight).sum(1, dtype=np.uint32).tolist() for weight in weights]
        stored = np.ascontiguousarray(frames[:, 16:24]).view('>u4').tolist()
        for index, (first, second) in enumerate(zip(*added, strict=True)):
            a, b = self._sums
            sums = ((step[0][0] * a + step[0][1] * b + first) & _MASK,
                    (step[1][0] * a + step[1][1] * b + second) & _MASK)
            own = frames[index, 8:16].tobytes() == self._salts
            if not own or list(sums) != stored[index]:
                self.ended, self.damaged = True, own
                return index
            self._sums = sums
        return len(frames)


Matrix = tuple[tuple[int, int], tuple[int, int]]


@cache
def _powers(pairs: int) -> tuple[Matrix, tuple[np.ndarray, np.ndarray]]:
    """
    Return how the two sums after so many pairs of words depend on those before and on the words.

    A pair (x, y) makes of the sums (a, b) first a + b + x, then b + y plus that: a linear map, so
    that a frame is a product of matrices instead of a loop.
    """
    (p, q), (r, s) = power = ((1, 0), (0, 1))
    first: list[int] = []
    second: list[int] = []
    for _ in range(pairs):
        (p, q), (r, s) = power
        first[:0] = [(p + q) & _MASK, q]
        second[:0] = [(r + s) & _MASK, s]
        power = (((p + q) & _MASK, (p + 2 * q) & _MASK), ((r + s) & _MASK, (r + 2 * s) & _MASK))
    return power, (np.array(first, np.uint32), np.array(second, np.uint32))


def _order(header: bytes) -> str:
    return '>' if header[3] & 1 else '<'


def _fault_of_header(header: bytes) -> str:
    """Return what is wrong with a log's header, or ''."""
    if len(header) < _HEADER.size:
        return 'its header is cut off'
    magic, _, page, *_, first, second = _HEADER.unpack(header)
    words = np.frombuffer(header, f'{_order(header)}u4', 6).astype(np.uint32)
    sums = [int((words * weight).sum(dtype=np.uint32)) for weight in _powers(3)[1]]
    if magic & ~1 != _MAGIC or sums != [first, second] or page.bit_count() != 1 or page < 512:
        return 'its header is damaged'
    return ''
