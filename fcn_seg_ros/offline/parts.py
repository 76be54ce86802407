# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The parts of a run in work: a folder each that appears at once, whichever process writes it.

A part depends on the recording and the settings alone, never on other parts.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import PARTIAL_SUFFIX, make_folder, read_file, write_file

_PART, _FILES = 'part.json', 'files'
_MOST_BYTES = 2**24


@dataclass
class Part:
    """A part: ``files`` is the folder for its results, ``facts`` what its ``part.json`` says."""

    number: int
    path: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> Path:
        """Return the folder whose tree becomes part of the result."""
        return self.path / _FILES


class Piece(NamedTuple):
    """Consecutive parts of a recording: from ``first`` to before ``end``; None: to its end."""

    first: int
    end: int | None


class Parts:
    """The parts of a run, in the folder ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[int, Part] = {}

    def complete(self) -> list[Part]:
        """Return the complete parts in their order; among them may be gaps."""
        for path in self.path.iterdir():
            if path.name.isdigit() and int(path.name) not in self._known:
                number = int(path.name)
                self._known[number] = Part(number, path, _facts(path))
        return [self._known[number] for number in sorted(self._known)]

    def missing(self) -> list[Piece]:
        """Return what is left to do; nothing if the parts hold the whole recording."""
        pieces, following, ended = [], 0, False
        for part in self.complete():
            if part.number > following:
                pieces.append(Piece(following, part.number))
            following, ended = part.number + 1, part.facts['last']
        return pieces if ended else [*pieces, Piece(following, None)]

    def clean(self) -> None:
        """Throw away what was being written when a run was killed."""
        for rest in self.path.glob(f'*{PARTIAL_SUFFIX}'):
            shutil.rmtree(rest, ignore_errors=True)

    @contextmanager
    def part(self, number: int) -> Iterator[Part]:
        """
        Yield a part to fill; it counts once the block has ended without an error.

        If another process has completed it meanwhile, its files, which are the same, stay.
        """
        final = self.path / f'{number:06d}'
        part = Part(number, self.path / (f'{final.name}.{socket.gethostname()}.{os.getpid()}'
                                         f'{PARTIAL_SUFFIX}'))
        if part.path.exists():
            shutil.rmtree(part.path)
        make_folder(part.files)
        try:
            yield part
            write_file(part.path / _PART, json.dumps(part.facts).encode())
            flush(part.path)
            if not final.exists():
                part.path.rename(final)
            _sync(self.path)
        except BaseException as error:
            shutil.rmtree(part.path, ignore_errors=True)
            if not (isinstance(error, OSError) and (final / _PART).exists()):
                raise
        shutil.rmtree(part.path, ignore_errors=True)


def _facts(path: Path) -> dict[str, Any]:
    """Return the facts of a complete part; raises InputError if it has been damaged since."""
    try:
        facts = read_json(path / _PART)
    except InputError:
        facts = {}
    if 'last' not in facts:
        raise InputError(f'{path}: expected a complete part of a run, found a damaged one: delete '
                         'it, and the same command does it again')
    return facts


def split(piece: Piece, parts: int | None, most: int) -> list[Piece]:
    """Return a piece as up to ``most``, of a recording of about ``parts`` parts (None: unknown)."""
    end = parts if piece.end is None else piece.end
    if end is None or end - piece.first < 2:
        return [piece]
    size = -(-(end - piece.first) // most)
    firsts = range(piece.first, end, size)
    return [Piece(first, first + size if first != firsts[-1] else piece.end) for first in firsts]


def read_json(path: Path, expected: str = 'a file of a run') -> dict[str, Any]:
    """Return the JSON object in a file, which is ``expected``; raises InputError."""
    try:
        content = json.loads(read_file(path, expected, _MOST_BYTES))
    except ValueError as error:
        raise InputError(f'{path}: expected JSON, found something else ({error})') from None
    if not isinstance(content, dict):
        raise InputError(f'{path}: expected a JSON object, found {type(content).__name__}')
    return content


def flush(folder: Path) -> None:
    """Wait until a folder and what is below are on the disk, so that a power cut does no harm."""
    for place, _, names in os.walk(folder):
        for each in (place, *(os.path.join(place, name) for name in names)):
            _sync(each)


def _sync(path: str | Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
