# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The facts of a run's frames as arrays: some 100 bytes a frame."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fcn_seg_ros.offline.run_folder import FRAMES
from fcn_seg_ros.offline.run_reader import Run, facts_in

STAGES = ('decode', 'preprocess', 'forward', 'postprocess')
_SHARES = ('road_share', 'unknown_share', 'confidence')


@dataclass(frozen=True)
class RunNumbers:
    """
    The frames of a run, each array (N,) in the order of recording; NaN where a value is unknown.

    ``topics`` are the image topics, ``topic`` the index of a frame's. ``stamps`` and ``received``
    (the time of recording, 0 if unknown) are in nanoseconds, int64. ``times`` are in seconds from
    the first frame, ``clock`` says of what: the recorder's, the stamps, or the frames' numbers.
    ``values`` are shares (0 to 1) and milliseconds of the stages, by name.
    """

    topics: list[str]
    number: np.ndarray
    topic: np.ndarray
    stamps: np.ndarray
    received: np.ndarray
    times: np.ndarray
    clock: str
    values: dict[str, np.ndarray]

    def times_of(self, numbers: Sequence[int]) -> np.ndarray:
        """Return where on the axis of times images without a mask belong, float64 (M,)."""
        order = np.argsort(self.number, kind='stable')
        return np.interp(numbers, self.number[order], self.times[order])

    @property
    def span(self) -> tuple[float, float]:
        """Return the first and the last time."""
        if not len(self.times):
            return 0.0, 0.0
        return float(self.times.min()), float(self.times.max())

    def rate_hz(self, lost: int) -> float:
        """Return the images a second, of all topics, with those lost among them; 0 if unknown."""
        seconds = self.span[1] - self.span[0]
        images = len(self.times) + lost
        return (images - 1) / seconds if seconds > 0 and self.clock != NUMBER else 0.0


RECORDED, STAMP, NUMBER = 'time of recording', 'stamp', 'number of the image'


def read_numbers(run: Run) -> RunNumbers:
    """Read the frames of a run; raises InputError if a line lacks a fact."""
    topics: dict[str, int] = {}
    columns = {name: array('d') for name in (*_SHARES, *STAGES)}
    number, topic, stamps, received = (array('q') for _ in range(4))
    untimed = False
    for line, frame in enumerate(run.frames(), 1):
        with facts_in(run.path / FRAMES, line, 'a frame'):
            number.append(frame['number'])
            topic.append(topics.setdefault(str(frame['topic']), len(topics)))
            stamps.append(frame['stamp_ns'])
            received.append(frame['received_ns'] or 0)
            untimed |= frame['received_ns'] is None
            for name in _SHARES:
                columns[name].append(_value(frame[name]))
            for name in STAGES:
                columns[name].append(_value(frame['ms'].get(name)))
    arrays = [np.array(each, np.int64) for each in (number, topic, stamps, received)]
    times, clock = _times(arrays[2], arrays[3], arrays[0], untimed)
    return RunNumbers(list(topics), arrays[0], arrays[1], arrays[2], arrays[3], times, clock,
                      {name: np.array(values) for name, values in columns.items()})


def _value(given: Any) -> float:
    return float('nan') if given is None else float(given)


def _times(stamps: np.ndarray, received: np.ndarray, number: np.ndarray, untimed: bool
           ) -> tuple[np.ndarray, str]:
    """Return the seconds of the frames by the first clock that runs."""
    for ns, name, ok in ((received, RECORDED, not untimed), (stamps, STAMP, True)):
        # A clock may be stuck, or be set in between: then it shows nothing.
        if ok and len(ns) > 1 and ns[-1] > ns[0] and (np.diff(ns) > -10**9).all():
            return (ns - ns.min()) / 1e9, name
    return number.astype(float) - float(number.min() if len(number) else 0), NUMBER
