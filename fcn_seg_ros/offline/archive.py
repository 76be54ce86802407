# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Segment many recordings on a cluster: their pieces in any order, each run put together here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.offline.cluster import Cluster, on_all_machines
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.parts import split
from fcn_seg_ros.offline.piece_task import PieceTask
from fcn_seg_ros.offline.recording import Recording
from fcn_seg_ros.offline.run import Outcome, Run, begin

# A recording becomes so many pieces per network, so that all end at about the same time.
_PIECES = 2
# So long a shared file system may take to show what another machine wrote.
_VISIBLE_S = 90.0

Result = tuple[Path, Outcome | InputError]


@dataclass
class _Active:
    """A run of which pieces are being segmented."""

    run: Run
    output: Path
    left: int
    told: int
    failure: str = ''


class Archive:
    """
    Recordings, by name, with the folders of their runs.

    At most a few pieces per network are submitted at a time, so that memory does not grow with the
    archive. Recordings that fail do not hold up the others.
    """

    def __init__(self, places: Mapping[str, Path], job: Job) -> None:
        """Open each recording once; raises InputError if none can be opened."""
        self._places = places
        self._job = job
        self._failed: dict[str, InputError] = {}
        lengths = []
        for given in places:
            try:
                lengths.append(Recording(given, job).source.length)
            except InputError as error:
                self._failed[given] = error
        if not lengths:
            raise next(iter(self._failed.values()))
        self.length = None if None in lengths else sum(each or 0 for each in lengths)

    def segment(self, cluster: Cluster, step: Callable[[int], None],
                stopped: Callable[[], bool]) -> Iterator[Result]:
        """Yield how the run of each recording ended; ``step`` is told of further images."""
        active: list[_Active] = []
        limit = _PIECES * cluster.slots
        try:
            for given, output in self._places.items():
                try:
                    if given in self._failed:
                        raise self._failed[given]
                    run = self._begin(given, output, cluster)
                except InputError as error:
                    yield output, error
                    continue
                if isinstance(run, Outcome):
                    yield output, run
                    continue
                active.append(run)
                while cluster.pending >= limit and not stopped():
                    yield from self._collect(cluster, active, step)
                if stopped():
                    break
            while active and not stopped():
                yield from self._collect(cluster, active, step)
            if active:
                cluster.cancel()
                yield from ((each.output, each.run.outcome(False)) for each in active)
        finally:
            for each in active:
                each.run.close()

    def _begin(self, given: str, output: Path, cluster: Cluster) -> _Active | Outcome:
        """Submit what is left of a recording."""
        recording = Recording(given, self._job)
        run = begin(recording, output, cluster.network)
        if isinstance(run, Outcome):
            return run
        # A few recordings are cut into pieces; of many, each is one.
        most = max(1, _PIECES * cluster.slots // len(self._places))
        pieces = [part for piece in run.parts.missing()
                  for part in split(piece, recording.parts, most)]
        active = _Active(run, output, len(pieces), 0)
        for piece in pieces:
            cluster.submit(PieceTask(on_all_machines(given), self._job,
                                     run.parts.path.absolute(), piece), active)
        return active

    def _collect(self, cluster: Cluster, active: list[_Active], step: Callable[[int], None]
                 ) -> Iterator[Result]:
        """Wait a little for pieces; put the runs together that are whole."""
        for owner, failure in cluster.collect() if cluster.pending else ():
            owner.left -= 1
            owner.failure = owner.failure or failure
        for each in [*active]:
            images = each.run.images()
            if images > each.told:
                step(images - each.told)
            each.told = images
            if not each.left:
                active.remove(each)
                yield each.output, self._end(each)

    def _end(self, done: _Active) -> Outcome | InputError:
        try:
            if done.failure:
                raise InputError(f'{done.output}: {done.failure}; the same command resumes after '
                                 f'{done.told} images')
            with done.run.naming_errors():
                return done.run.finish(_VISIBLE_S)
        except InputError as error:
            return error
        finally:
            done.run.close()
