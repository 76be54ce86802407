# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A recording that is opened with what is to be done, and the work on a piece of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.outputs import Computer, Written
from fcn_seg_ros.offline.part_files import PartFiles
from fcn_seg_ros.offline.parts import Part, Parts, Piece
from fcn_seg_ros.offline.pipeline import Network, pipeline
from fcn_seg_ros.offline.source import Source
from fcn_seg_ros.offline.steps import Step


class Stopped(Exception):
    """The work was asked to stop."""


class Recording:
    """A recording that is opened, and what is to be done with it."""

    def __init__(self, given: str, job: Job) -> None:
        """Open it; raises InputError, before anything is loaded or written."""
        self.job = job
        try:
            self.source = Source(given, job.selection, job.originals)
        except OSError as error:
            raise InputError(f'{given}: this recording cannot be read ({error.strerror or error})'
                             ) from None
        self.computer = Computer(
            job.wanted if job.storage else replace(job.wanted, topics=()), self.source.topics,
            job.outputs, CameraPose.from_angles(*job.pose) if job.pose else None,
            job.part_frames)
        self.source.replaced = frozenset(topic.name for topic in self.computer.topics())
        self.rate_hz = self.source.drive.rate_hz / job.selection.every

    @property
    def parts(self) -> int | None:
        """Return of how many parts the recording seems to be, None if unknown."""
        length = self.source.length
        return None if length is None else max(1, -(-length // self.job.part_frames))


def segment_piece(recording: Recording, segmenter: RoadSegmenter, parts: Parts, piece: Piece,
                  step: Callable[[], None] = lambda: None,
                  stopped: Callable[[], bool] = lambda: False) -> None:
    """
    Write the parts of a piece, and call ``step`` after each image.

    Parts that lie beyond the end of the recording are not written. Once ``stopped`` returns True,
    the part in work is thrown away, and Stopped raised. Raises InputError and OSError.
    """
    job, computer = recording.job, recording.computer
    network = Network(segmenter, job.options, job.batch_of(segmenter.backend.device),
                      job.part_frames)
    bounded = _Bounded(recording.source.steps(), piece, job.part_frames)
    with pipeline(bounded, network, computer, lambda written: written.size,
                  computer.threads) as results:
        number, waiting = piece.first, results
        if number:
            following = next(results, None)
            if following is None:
                return
            waiting = itertools.chain([following], results)
        while True:
            with parts.part(number) as part:
                following = _fill(part, recording, waiting, step, stopped)
                part.facts['last'] = following is None and not bounded.cut
            if following is None:
                return
            number, waiting = number + 1, itertools.chain([following], results)


class _Bounded:
    """The steps of a piece: from its first image on; ``cut`` says that images follow its end."""

    def __init__(self, steps: Iterable[Step], piece: Piece, part_frames: int) -> None:
        self._steps = steps
        self._first = piece.first * part_frames
        self._end = math.inf if piece.end is None else piece.end * part_frames
        self.cut = False

    def __iter__(self) -> Iterator[Step]:
        """Yield the steps."""
        begun = not self._first
        for each in self._steps:
            if each.number is not None:
                begun = begun or each.number >= self._first
                if each.number >= self._end:
                    self.cut = True
                    return
            if begun:
                yield each


def _fill(part: Part, recording: Recording, results: Iterator[Written],
          step: Callable[[], None], stopped: Callable[[], bool]) -> Written | None:
    """Write a part and return the first result of the next one, None at the end."""
    job = recording.job
    end = (part.number + 1) * job.part_frames
    with PartFiles(part, job, list(recording.computer.topics()), recording.rate_hz) as files:
        for written in results:
            if stopped():
                raise Stopped
            if written.number is not None and written.number >= end:
                return written
            files.write(written)
            if written.number is not None:
                step()
    return None
