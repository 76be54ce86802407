# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Compare two runs over one recording, frame by frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.inference.postprocess import classes_to_road
from fcn_seg_ros.offline.lowest_frames import MOST_PICTURES, shrink
from fcn_seg_ros.offline.mask_change import MaskChange, mask_change
from fcn_seg_ros.offline.ranking import Lowest
from fcn_seg_ros.offline.run_masks import decode_mask, read_masks
from fcn_seg_ros.offline.run_numbers import RunNumbers, read_numbers
from fcn_seg_ros.offline.run_reader import Run


class Masks(NamedTuple):
    """Two road masks of one frame as they are shown, uint8 (h, w)."""

    a: np.ndarray
    b: np.ndarray


@dataclass(frozen=True)
class Comparison:
    """
    Two runs and their differences.

    ``rows_a`` and ``rows_b``, int64 (N,), are the rows in ``a`` and ``b`` of the frames in both;
    ``only_a`` and ``only_b`` those of the others. ``values`` has float64 (N,) for each field of
    MaskChange. ``worst`` are the masks of the frames of the lowest IoU, by row of ``a``.
    """

    run_a: Run
    run_b: Run
    a: RunNumbers
    b: RunNumbers
    rows_a: np.ndarray
    rows_b: np.ndarray
    only_a: np.ndarray
    only_b: np.ndarray
    values: dict[str, np.ndarray]
    worst: dict[int, Masks] = field(repr=False)

    @property
    def area_change(self) -> np.ndarray:
        """Return the road's share of the image in B less that in A, float64 (N,)."""
        return self.values['area_b'] - self.values['area_a']


def compare_runs(run_a: Run, run_b: Run, done: Callable[[], None] = lambda: None) -> Comparison:
    """
    Compare two runs; ``done`` is called after each frame.

    Frames are the same if topic, stamp and time of recording are. Raises InputError if the runs
    have no frame in common, or masks of different sizes.
    """
    a, b = read_numbers(run_a), read_numbers(run_b)
    rows_a, rows_b = match_frames(a, b)
    if not len(rows_a) and len(b.number):
        raise InputError(f'{run_b.path}: expected a run over the recording of {run_a.path}, found '
                         f'none of its {len(a.number)} frames')
    worst: Lowest[Masks] = Lowest(MOST_PICTURES)
    place = {row: index for index, row in enumerate(rows_a.tolist())}
    values = {name: np.full(len(rows_a), np.nan) for name in MaskChange._fields}
    for row, road_a, road_b in _pairs(run_a, run_b, a, b, rows_a, rows_b):
        change = mask_change(road_a, road_b)
        for name, value in change._asdict().items():
            values[name][place[row]] = value
        if change.iou < 1.0:
            worst.offer(row, change.iou, lambda: Masks(
                *(shrink(road, cv2.INTER_NEAREST) for road in (road_a, road_b))))  # noqa: B023
        done()
    return Comparison(run_a, run_b, a, b, rows_a, rows_b, _others(a, rows_a), _others(b, rows_b),
                      values, worst.kept)


def match_frames(a: RunNumbers, b: RunNumbers) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the rows of the frames that are in both, int64 (N,) each, in the order of ``a``.

    Of several frames that look the same, the first is the first. Times of recording are left out
    if no frame has the same one: the recording may have been converted in between.
    """
    for with_received in (True, False):
        rows = {key: row for row, key in enumerate(_keys(b, with_received))}
        found = [(row, rows[key]) for row, key in enumerate(_keys(a, with_received))
                 if key in rows]
        if found:
            break
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _keys(numbers: RunNumbers, with_received: bool) -> Iterator[tuple[str, int, int, int]]:
    """Yield what tells the frames of a run apart: topic, times, and a count of equal ones."""
    seen: Counter[tuple[str, int, int]] = Counter()
    received = numbers.received if with_received else np.zeros_like(numbers.received)
    for topic, stamp, time in zip(numbers.topic.tolist(), numbers.stamps.tolist(),
                                  received.tolist(), strict=True):
        key = numbers.topics[topic], stamp, time
        seen[key] += 1
        yield *key, seen[key]


def _pairs(run_a: Run, run_b: Run, a: RunNumbers, b: RunNumbers, rows_a: np.ndarray,
           rows_b: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield the row in A and the roads of the frames in both."""
    if not len(rows_a):
        return
    numbers_a, numbers_b = (each.number[rows].tolist()
                            for each, rows in ((a, rows_a), (b, rows_b)))
    partner = dict(zip(numbers_a, numbers_b, strict=True))
    row_of = dict(zip(numbers_a, rows_a.tolist(), strict=True))
    others = read_masks(run_b, set(numbers_b))
    waiting: dict[int, bytes] = {}
    for number, mask_a in read_masks(run_a, set(numbers_a)):
        wanted = partner[number]
        mask_b = _take(others, waiting, wanted)
        if mask_a.shape != mask_b.shape:
            raise InputError(f'{run_b.path}: expected masks of the size of those in {run_a.path}, '
                             f'found {mask_b.shape} for {mask_a.shape} at image {wanted}')
        yield (row_of[number], classes_to_road(mask_a, run_a.road_ids),
               classes_to_road(mask_b, run_b.road_ids))


def _take(masks: Iterator[tuple[int, np.ndarray]], waiting: dict[int, bytes], wanted: int
          ) -> np.ndarray:
    """Return the mask of a frame; those before it, which come later in the other run, wait."""
    if wanted in waiting:
        return decode_mask(waiting.pop(wanted))
    # Both runs have the order of the recording, so this is hardly ever a long way.
    for found, mask in masks:
        if found == wanted:
            return mask
        waiting[found] = encode_png(mask)
    raise AssertionError('read_masks yields all that are wanted, or raises')


def _others(numbers: RunNumbers, rows: np.ndarray) -> np.ndarray:
    return np.setdiff1d(np.arange(len(numbers.number)), rows)
