# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The files of a part of a run in work."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import make_folder
from fcn_seg_ros.offline.bag_writer import PartBag, write_metadata
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.lowest_frames import LowestFrames
from fcn_seg_ros.offline.outputs import Written
from fcn_seg_ros.offline.parts import Part
from fcn_seg_ros.offline.run_folder import BAG, ERRORS, FRAMES
from fcn_seg_ros.offline.steps import Loss, Topic
from fcn_seg_ros.offline.video import PartVideos, join_videos

_VIDEOS = 'video'


class PartFiles:
    """The files of a part in work, as a context manager that fills the part's facts."""

    def __init__(self, part: Part, job: Job, topics: Sequence[Topic], rate_hz: float
                 ) -> None:
        self._part = part
        self._counts = Counter({'frames': 0, 'errors': 0, 'lost': 0, 'images': 0})
        self._more_lost = False
        self._begun = time.monotonic()
        self._lowest = LowestFrames(job.outputs.overlay_colour)
        with ExitStack() as stack:
            # What cannot be encoded, in a file name say, becomes JSON's own escape for it.
            self._frames, self._errors = (
                stack.enter_context((part.path / name).open('w', encoding='utf-8',
                                                            errors='backslashreplace'))
                for name in (FRAMES, ERRORS))
            self._bag = (stack.enter_context(PartBag(make_folder(part.files / BAG), part.number,
                                                     job.storage, job.humble, topics,
                                                     compressed=not job.originals))
                         if job.storage else None)
            self._videos = stack.enter_context(PartVideos(part.path / _VIDEOS, rate_hz))
            self._stack = stack.pop_all()

    def __enter__(self) -> PartFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is not None:
            return
        self._lowest.write(self._part.path)
        self._part.facts.update(
            self._counts, more_lost=self._more_lost, video=self._videos.facts,
            bag=self._bag.info if self._bag else None,
            seconds=round(time.monotonic() - self._begun, 3))

    def write(self, written: Written) -> None:
        """Write what was computed of a step."""
        for message in written.messages:
            if self._bag is not None:
                self._bag.write(message)
        for name, content in written.files.items():
            path = self._part.files / name
            make_folder(path.parent)
            path.write_bytes(content)
        if written.picture is not None:
            self._videos.add(written.picture)
        for loss in written.losses:
            self._errors.write(f'{json.dumps(_line(loss), ensure_ascii=False)}\n')
            self._counts.update(errors=1, lost=loss.lost or 0)
            self._more_lost |= loss.lost is None
        if written.frame is not None:
            self._frames.write(f'{json.dumps(written.frame, ensure_ascii=False)}\n')
            if written.seen is not None:
                self._lowest.offer(written.frame['number'], written.frame['confidence'],
                                   written.seen.frame.image,
                                   partial(getattr, written.seen.result, 'road'))
        self._counts.update(frames=written.frame is not None, images=written.number is not None)


def _line(loss: Loss) -> dict[str, Any]:
    return {'number': loss.number, 'topic': loss.topic, 'stamp_ns': loss.stamp_ns,
            'received_ns': loss.received_ns, 'reason': loss.reason, 'lost': loss.lost}


def join_bags(result: Path, parts: Sequence[Part], humble: bool) -> None:
    """Write the metadata of the run's bag; raises InputError if a file of it is missing."""
    for part in parts:
        for name in part.facts['bag']['relative_file_paths'] if part.facts['bag'] else ():
            if not (result / BAG / name).is_file():
                raise InputError(f'{part.path}: expected the part\'s {BAG}/{name}, found none: '
                                 'delete the part, and the same command does it again')
    write_metadata(result / BAG, [part.facts['bag'] for part in parts if part.facts['bag']], humble)


def join_part_videos(result: Path, parts: Sequence[Part], rate_hz: float) -> None:
    """Write the run's videos."""
    join_videos(result, [(part.path / _VIDEOS, part.facts['video']) for part in parts], rate_hz)
