# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read the masks of a run, from its PNG files if it has them, else from its bag."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from fcn_seg_ros.drives.bag_drive import BagDrive
from fcn_seg_ros.drives.drive import DriveFrame
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import read_file
from fcn_seg_ros.offline.run_folder import BAG, FRAMES
from fcn_seg_ros.offline.run_reader import Run, facts_in

MASKS = 'mask'
_MOST_BYTES = 2**28


def read_masks(run: Run, wanted: Collection[int]) -> Iterator[tuple[int, np.ndarray]]:
    """
    Yield number and mask, uint8 (H, W) of class ids, of the frames ``wanted``, in their order.

    Raises InputError if the run has none, or a mask is missing, damaged or not of its frame.
    """
    if (run.path / MASKS).is_dir():
        yield from _from_files(run, wanted)
    elif (run.path / BAG).is_dir() and run.mask_topics:
        yield from _from_bag(run, wanted)
    else:
        raise InputError(f'{run.path}: expected masks in {BAG}/ or {MASKS}/, found neither: make '
                         'the run with --write mask or --png mask')


def _from_files(run: Run, wanted: Collection[int]) -> Iterator[tuple[int, np.ndarray]]:
    for frame in _frames(run):
        if frame.number in wanted:
            path = run.path / MASKS / f'{frame.number:06d}.png'
            content = read_file(path, 'a mask', _MOST_BYTES)
            yield frame.number, _checked(path, decode_mask(content), frame.shape)


def decode_mask(content: bytes) -> np.ndarray:
    """Return the pixels of a PNG file, empty if it is damaged."""
    data = np.frombuffer(content, np.uint8)
    found = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    return np.empty((0, 0), np.uint8) if found is None else found


def _from_bag(run: Run, wanted: Collection[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the masks of a bag, which has those of a topic and stamp in the order of the frames."""
    path = run.path / BAG
    topics = {mask: image for image, mask in run.mask_topics.items()}
    waiting: dict[tuple[str, int], deque[_Frame]] = defaultdict(deque)
    for frame in _frames(run):
        waiting[frame.topic, frame.stamp_ns].append(frame)
    left = len(wanted)
    if not left:
        return
    for message in BagDrive(path, list(topics)):
        frames = waiting[topics[message.topic], message.stamp_ns]
        if not frames:
            raise InputError(f'{path}: expected the masks of the frames in {run.path}, found one '
                             f'on {message.topic} of stamp {message.stamp_ns} ns, which no frame '
                             'has')
        frame = frames.popleft()
        if frame.number in wanted:
            left -= 1
            yield frame.number, _checked(path, _pixels(message), frame.shape)
    if left:
        raise InputError(f'{path}: expected {len(wanted)} masks, found {len(wanted) - left}')


class _Frame(NamedTuple):
    """What is to be known of a frame to find its mask, whose shape is (H, W)."""

    number: int
    topic: str
    stamp_ns: int
    shape: tuple[int, int]


def _frames(run: Run) -> Iterator[_Frame]:
    for line, frame in enumerate(run.frames(), 1):
        with facts_in(run.path / FRAMES, line, 'a frame'):
            found = _Frame(int(frame['number']), str(frame['topic']), int(frame['stamp_ns']),
                           (int(frame['height']), int(frame['width'])))
        yield found


def _pixels(message: DriveFrame) -> np.ndarray:
    """Return the pixels; a compressed mask has been decoded to three equal channels."""
    rows = message.data.reshape(message.height, message.step)
    channels = message.step // message.width if message.encoding == 'rgb8' else 1
    return np.ascontiguousarray(rows[:, :channels * message.width:channels])


def _checked(path: Path, mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if mask.dtype != np.uint8 or mask.shape != shape:
        found = f'{mask.dtype} {mask.shape}' if mask.size else 'a damaged file'
        raise InputError(f'{path}: expected a mask, uint8 {shape}, found {found}')
    return mask
