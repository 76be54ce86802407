# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read drives twice: to score their frames, and to take the chosen ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from fcn_seg_ros.drives.drive import Drive, DriveFrame
from fcn_seg_ros.drives.notes import Note
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.encodings import to_rgb
from fcn_seg_ros.inference.segmentation import Segmentation
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.pick_choice import Pick
from fcn_seg_ros.offline.pick_folder import PickedFrame, PickFolder
from fcn_seg_ros.offline.pick_scores import FrameScores

_OTHER_CHARACTERS = re.compile(r'[^0-9A-Za-z_-]+')


class PickDrives:
    """
    Drives whose frames are scored and taken by one or two networks, the first of which drafts.

    ``say`` is called with each frame that cannot be used, apart from those in the drives' notes.
    """

    def __init__(self, drives: Sequence[Drive], segmenters: Sequence[RoadSegmenter],
                 say: Callable[[Note], None]) -> None:
        self._drives = drives
        self._segmenters = segmenters
        self._say = say
        self._sources: dict[tuple[int, str], int] = {}
        self.scores = FrameScores()
        self._inputs: list[int] = []

    def score(self, every: int, done: Callable[[], None]) -> None:
        """Score every ``every``-th frame of each camera; raises InputError if there is none."""
        for index, drive in enumerate(self._drives):
            seen: Counter[str] = Counter()
            for number, frame in enumerate(drive):
                if seen[frame.topic] % every == 0:
                    self._add(index, number, frame)
                    done()
                seen[frame.topic] += 1
        if not len(self.scores):
            names = ', '.join(drive.name for drive in self._drives)
            raise InputError(f'{names}: no frame can be used: see the lines above')

    def take(self, picks: Sequence[Pick], folder: PickFolder, done: Callable[[], None]) -> None:
        """Write the chosen frames; raises InputError if the drives have changed meanwhile."""
        scores, names = self.scores, unique_names([drive.name for drive in self._drives])
        wanted = {(self._inputs[pick.index], scores.number[pick.index]): (rank, pick)
                  for rank, pick in enumerate(picks, 1)}
        for index, drive in enumerate(self._drives):
            numbers = {number for each, number in wanted if each == index}
            for number, frame in _chosen(drive, numbers):
                rank, pick = wanted[index, number]
                if frame.time_ns != scores.time_ns[pick.index]:
                    raise InputError(f'{drive.name}: changed while it was read')
                image = rgb_of(frame)
                folder.add(PickedFrame(
                    rank, f'{names[index]}_{number:06d}', drive.name, frame.topic, number,
                    frame.stamp_ns, scores.edge_doubt[pick.index],
                    scores.disagreement[pick.index], pick.distance, '; '.join(pick.reasons)),
                    image, self._segmenters[0].segment(image))
                done()

    def _add(self, index: int, number: int, frame: DriveFrame) -> None:
        try:
            image = rgb_of(frame)
            results: list[Segmentation] = [each.segment(image) for each in self._segmenters]
        except InputError as error:
            self._say(Note(f'{self._drives[index].name}: {error}', 1, frame.topic or None,
                           frame.received_ns, frame.stamp_ns))
            return
        source = self._sources.setdefault((index, frame.topic), len(self._sources))
        self.scores.add(source, number, frame.time_ns, image, results)
        self._inputs.append(index)


def _chosen(drive: Drive, numbers: set[int]) -> Iterator[tuple[int, DriveFrame]]:
    """Yield the frames with these numbers, reading no further than the last."""
    left = len(numbers)
    for number, frame in enumerate(drive) if left else ():
        if number in numbers:
            yield number, frame
            left -= 1
            if not left:
                return
    if left:
        raise InputError(f'{drive.name}: changed while it was read')


def rgb_of(frame: DriveFrame) -> np.ndarray:
    """Return a frame's image, uint8 RGB (H, W, 3); raises InputError."""
    return to_rgb(frame.data, frame.height, frame.width, frame.encoding, frame.step,
                  frame.is_bigendian)


def unique_names(inputs: Sequence[str]) -> list[str]:
    """Return a short name for files of each input, in ASCII without spaces."""
    stems = [_OTHER_CHARACTERS.sub('_', Path(each).absolute().stem).strip('_') or 'drive'
             for each in inputs]
    counts = Counter(stems)
    numbered = [f'{stem}_{number}' for number, stem in enumerate(stems, 1)]
    names = [each if counts[stem] > 1 else stem
             for stem, each in zip(stems, numbered, strict=True)]
    # Of day, day_1 and another day, the first would be called as the second is.
    return names if len(set(names)) == len(names) else numbered
