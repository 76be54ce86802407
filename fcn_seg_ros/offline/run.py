# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Segment one recording into a run's folder, from where an earlier attempt stopped."""

from __future__ import annotations

import itertools
import platform
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from fcn_seg_ros import __version__
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.outputs import Computer, Written
from fcn_seg_ros.offline.part_files import PartFiles, join_bags, join_part_videos
from fcn_seg_ros.offline.pipeline import Network, pipeline
from fcn_seg_ros.offline.report import report_step
from fcn_seg_ros.offline.run_folder import Part, RunFolder, open_run
from fcn_seg_ros.offline.run_reader import read_run
from fcn_seg_ros.offline.source import Source
from fcn_seg_ros.offline.steps import Step

#: Opens a progress bar for so many images (None: unknown), of which some are done, and yields what
#: is to be called after each further one.
Bar = Callable[[int | None, int], AbstractContextManager[Callable[[], None]]]

# What may run the network.
_LIBRARIES = ('torch', 'openvino', 'onnxruntime')


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


class Recording:
    """A recording that is opened, and what is to be done with it."""

    def __init__(self, given: str, job: Job) -> None:
        """Open it; raises InputError, before anything is loaded or written."""
        self.job = job
        self.source = Source(given, job.selection, job.originals)
        self.computer = Computer(
            job.wanted if job.storage else replace(job.wanted, topics=()), self.source.topics,
            job.outputs, CameraPose.from_angles(*job.pose) if job.pose else None)
        self.source.replaced = frozenset(topic.name for topic in self.computer.topics())


def segment_recording(recording: Recording, output: Path, segmenter: RoadSegmenter,
                      settings: dict[str, Any], bar: Bar,
                      stopped: Callable[[], bool] = lambda: False) -> Outcome:
    """
    Segment a recording into the folder ``output``, or go on where an earlier attempt stopped.

    ``settings`` are those of ``settings_of``. Once ``stopped`` returns True, the part in work is
    thrown away. Raises InputError.
    """
    folder = open_run(output, settings, _facts(recording, segmenter))
    if folder is None:
        facts = read_run(output).facts
        return Outcome(facts['frames'], facts['errors'], facts['lost'], facts['more_lost'],
                       facts['frames'], True)
    try:
        return _Run(folder, recording, segmenter, stopped).work(bar)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, 'strerror', None) or error
        raise InputError(f'{folder.partial}: the run cannot go on ({reason}); the same command '
                         f'resumes after {_total(folder.parts, "images")} images') from None
    finally:
        folder.close()


class _Stopped(Exception):
    """The run was asked to stop."""


class _Run:
    """The work on a run's folder."""

    def __init__(self, folder: RunFolder, recording: Recording, segmenter: RoadSegmenter,
                 stopped: Callable[[], bool]) -> None:
        job = recording.job
        self._folder = folder
        self._source = recording.source
        self._computer = recording.computer
        self._job = job
        self._network = Network(segmenter, job.options, job.batch_of(segmenter),
                                job.part_frames)
        self._stopped = stopped
        self._rate_hz = recording.source.drive.rate_hz / job.selection.every

    def work(self, bar: Bar) -> Outcome:
        """Segment what is left, and put the parts together."""
        before = _total(self._folder.parts, 'images')
        try:
            if not self._folder.ended:
                with bar(self._source.length, before) as step:
                    self._segment(step)
        except _Stopped:
            return self._outcome(before, False)
        parts = self._folder.parts
        done = self._outcome(before, True)
        self._folder.finish(
            {'frames': done.frames, 'errors': done.errors, 'lost': done.lost,
             'more_lost': done.more_lost, 'finished': _now(),
             'seconds': round(sum(part.facts['seconds'] for part in parts), 3)},
            (partial(join_bags, humble=self._job.humble),
             partial(join_part_videos, rate_hz=self._rate_hz), report_step))
        return done

    def _segment(self, step: Callable[[], None]) -> None:
        first = len(self._folder.parts) * self._job.part_frames
        steps: Iterator[Step] = self._source.steps()
        if first:
            steps = itertools.dropwhile(
                lambda each: each.number is None or each.number < first, steps)
        with pipeline(steps, self._network, self._computer, lambda written: written.size,
                      self._computer.threads) as results:
            waiting: Iterator[Written] = results
            last = False
            while not last:
                with self._folder.part() as part:
                    following = self._fill(part, waiting, step)
                    last = part.facts['last'] = following is None
                if following is not None:
                    waiting = itertools.chain([following], results)

    def _fill(self, part: Part, results: Iterator[Written], step: Callable[[], None]
              ) -> Written | None:
        """Write a part and return the first result of the next one, None at the end."""
        end = (part.number + 1) * self._job.part_frames
        before = [each.facts['video'] for each in self._folder.parts]
        with PartFiles(part, self._job, list(self._computer.topics()), self._rate_hz, before
                        ) as files:
            for written in results:
                if self._stopped():
                    raise _Stopped
                if written.number is not None and written.number >= end:
                    return written
                files.write(written)
                if written.number is not None:
                    step()
        return None

    def _outcome(self, before: int, complete: bool) -> Outcome:
        parts = self._folder.parts
        frames, errors, lost, more = (_total(parts, name)
                                      for name in ('frames', 'errors', 'lost', 'more_lost'))
        return Outcome(frames, errors, lost, bool(more), before, complete)


def _facts(recording: Recording, segmenter: RoadSegmenter) -> dict[str, Any]:
    """Return what run.json says besides the settings."""
    return {'package': __version__, 'started': _now(), 'reason': segmenter.backend.reason,
            'road_ids': list(label_map_of(segmenter.info).road_ids),
            'mask_topics': recording.computer.mask_topics(),
            'versions': {'python': platform.python_version(), 'numpy': np.__version__,
                         'opencv': cv2.__version__, **_installed(_LIBRARIES)}}


def _installed(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _total(parts: Sequence[Part], name: str) -> int:
    return sum(part.facts[name] for part in parts)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec='seconds')
