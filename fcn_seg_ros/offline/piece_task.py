# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
What a worker process of a cluster does; each worker loads the network once.

Bad input is returned as a line of text, since trying again would not help.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fcn_seg_ros.errors import InputError, quote
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.network_choice import NetworkChoice, NetworkFacts
from fcn_seg_ros.offline.parts import Parts, Piece
from fcn_seg_ros.offline.recording import Recording, segment_piece


class PieceTask(NamedTuple):
    """A piece of a recording, whose paths are the same on all machines."""

    given: str
    job: Job
    parts: Path
    piece: Piece


@lru_cache(maxsize=1)
def load(choice: NetworkChoice) -> tuple[RoadSegmenter, NetworkFacts]:
    """Load a network, once in each process; raises InputError."""
    return choice.load()


def describe(choice: NetworkChoice) -> NetworkFacts | str:
    """Return what a worker finds as the network."""
    try:
        return load(choice)[1]
    except InputError as error:
        return str(error)


def segment(choice: NetworkChoice, expected: NetworkFacts, task: PieceTask) -> str:
    """Write the parts of a piece that are not there yet; returns '' or why they cannot be."""
    try:
        segmenter, found = load(choice)
        _check_same(found, expected)
        if not task.parts.is_dir():
            raise InputError(f'{task.parts}: expected a folder that all machines share, found none')
        parts = Parts(task.parts)
        # An attempt before may have got so far.
        done = {part.number for part in parts.complete()}
        first = task.piece.first
        while first in done and first != task.piece.end:
            first += 1
        if first != task.piece.end:
            segment_piece(Recording(task.given, task.job), segmenter, parts,
                          Piece(first, task.piece.end))
        return ''
    except InputError as error:
        return str(error)


def _check_same(found: NetworkFacts, expected: NetworkFacts) -> None:
    """Raise InputError unless this machine computes the same masks as the others."""
    for name, value in expected.settings.items():
        here = found.settings[name]
        # The package may be installed elsewhere.
        if here != value and (name != 'checkpoint' or here['sha256'] != value['sha256']):
            raise InputError(f'--ray: expected machines of one kind, with {name} {quote(value)}, '
                             f'found one with {quote(here)}')
