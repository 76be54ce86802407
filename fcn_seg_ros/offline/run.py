# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Segment one recording into a run's folder, from where an earlier attempt stopped."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.job import settings_of
from fcn_seg_ros.offline.network_choice import NetworkFacts
from fcn_seg_ros.offline.part_files import join_bags, join_part_videos
from fcn_seg_ros.offline.parts import Part, Parts
from fcn_seg_ros.offline.recording import Recording, Stopped, segment_piece
from fcn_seg_ros.offline.report import report_step
from fcn_seg_ros.offline.run_folder import RUN, RunFolder, open_run
from fcn_seg_ros.offline.run_reader import read_run

#: Opens a progress bar for so many images (None: unknown), of which some are done, and yields what
#: is to be called after each further one.
Bar = Callable[[int | None, int], AbstractContextManager[Callable[[], None]]]


class Outcome(NamedTuple):
    """
    How a run ended.

    ``errors`` are lines of errors.jsonl, which stand for ``lost`` images, or for more if
    ``more_lost``; ``resumed`` images were done before.
    """

    frames: int
    errors: int
    lost: int
    more_lost: bool
    resumed: int
    complete: bool


class Run:
    """A run in work, on whichever machines: its parts, and putting them together."""

    def __init__(self, folder: RunFolder, recording: Recording) -> None:
        self._folder = folder
        self._given = recording.source.given
        self._start = recording.job.selection.start
        self._humble = recording.job.humble
        self._rate_hz = recording.rate_hz
        self.length = recording.source.length
        self.resumed = self.images()

    @property
    def parts(self) -> Parts:
        """Return the parts."""
        return self._folder.parts

    def images(self) -> int:
        """Return how many images the complete parts hold."""
        return _total(self.parts.complete(), 'images')

    def finish(self, patience_s: float = 0.0) -> Outcome:
        """
        Put the parts together; raises InputError if some are missing, or hold nothing.

        What other machines wrote may become visible within ``patience_s``.
        """
        self._wait_for_parts(patience_s)
        done, parts = self.outcome(True), self.parts.complete()
        if not (done.frames or done.lost or done.more_lost):
            self._folder.discard()
            late = f' from {self._start:g} s on (--start)' if self._start else ''
            raise InputError(f'{self._given}: expected images{late}, found none')
        self._folder.finish(
            {'frames': done.frames, 'errors': done.errors, 'lost': done.lost,
             'more_lost': done.more_lost, 'finished': _now(),
             'seconds': round(sum(part.facts['seconds'] for part in parts), 3)},
            (partial(join_bags, humble=self._humble),
             partial(join_part_videos, rate_hz=self._rate_hz), report_step))
        return done

    def outcome(self, complete: bool) -> Outcome:
        """Return how far the run is."""
        frames, errors, lost, more = (_total(self.parts.complete(), name)
                                      for name in ('frames', 'errors', 'lost', 'more_lost'))
        return Outcome(frames, errors, lost, bool(more), self.resumed, complete)

    @contextmanager
    def naming_errors(self) -> Iterator[None]:
        """Turn an error of the file system into an InputError, which says how to go on."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, 'strerror', None) or error
            raise InputError(f'{self._folder.partial}: the run cannot go on ({reason}); the same '
                             f'command resumes after {self.images()} images') from None

    def close(self) -> None:
        """Let another process take the run."""
        self._folder.close()

    def _wait_for_parts(self, patience_s: float) -> None:
        end = time.monotonic() + patience_s
        while missing := self.parts.missing():
            if time.monotonic() > end:
                raise InputError(
                    f'{self._folder.partial}: expected part {missing[0].first}, found none: did '
                    'the recording change, or is the folder not shared by all machines?')
            time.sleep(1.0)


def begin(recording: Recording, output: Path, network: NetworkFacts) -> Run | Outcome:
    """Begin or resume a run, or return how it ended if it is complete; raises InputError."""
    try:
        folder = open_run(output, settings_of(recording.source, recording.job, network),
                          {'started': _now(), **network.facts,
                           'mask_topics': recording.computer.mask_topics()})
    except OSError as error:
        raise InputError(f'{output}: expected a new folder, or a run of segment, found one that '
                         f'cannot be used ({error.strerror})') from None
    if folder is not None:
        return Run(folder, recording)
    facts = read_run(output).facts
    try:
        return Outcome(facts['frames'], facts['errors'], facts['lost'], facts['more_lost'],
                       facts['frames'], True)
    except KeyError as error:
        raise InputError(f'{output / RUN}: expected the counts of a complete run, found no {error}'
                         ': give another --output') from None


def segment_recording(recording: Recording, output: Path, segmenter: RoadSegmenter,
                      network: NetworkFacts, bar: Bar,
                      stopped: Callable[[], bool] = lambda: False) -> Outcome:
    """
    Segment a recording into the folder ``output``, or go on where an earlier attempt stopped.

    Once ``stopped`` returns True, the part in work is thrown away. Raises InputError.
    """
    run = begin(recording, output, network)
    if isinstance(run, Outcome):
        return run
    try:
        with run.naming_errors():
            pieces = run.parts.missing()
            if pieces:
                with bar(run.length, run.resumed) as step:
                    for piece in pieces:
                        segment_piece(recording, segmenter, run.parts, piece, step, stopped)
            return run.finish()
    except Stopped:
        return run.outcome(False)
    finally:
        run.close()


def _total(parts: Sequence[Part], name: str) -> int:
    return sum(part.facts[name] for part in parts)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec='seconds')
