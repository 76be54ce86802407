# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A sequence of named pictures from image files, folders, videos and cameras."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES, read_rgb
from fcn_seg_ros.drives.bag_files import is_bag
from fcn_seg_ros.drives.camera import Camera, is_camera
from fcn_seg_ros.drives.folder import DEFAULT_RATE_HZ, images_in, is_image
from fcn_seg_ros.drives.notes import Note
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError

# The grid for the times of a camera's images in a video.
_CAMERA_HZ = 30.0


@dataclass(frozen=True)
class Picture:
    """
    A picture, uint8 RGB (H, W, 3), or None with the ``fault`` of a file that cannot be read.

    ``name`` is for files made from it, ``source`` for messages; ``seconds`` count from the first
    one.
    """

    name: str
    source: str
    seconds: float
    image: np.ndarray | None
    fault: str = ''


@dataclass(frozen=True)
class Pictures:
    """Pictures, their number (None if unknown), and how many there are per second."""

    pictures: Iterator[Picture]
    length: int | None
    rate_hz: float


def open_pictures(inputs: Sequence[str], every: int = 1, limit: int = 0) -> Pictures:
    """
    Open one video, camera or rendered drive, or any number of image files and folders of them.

    Of these, every ``every``-th picture, at most ``limit`` (0: all). Raises InputError for inputs
    that are none of these, and for two images whose names differ only in folder or suffix.
    """
    if every < 1 or limit < 0:
        raise InputError('--every, --frames: expected at least 1, and 0 (all) or more, found '
                         f'{every} and {limit}')
    stop = every * limit or None
    if len(inputs) == 1:
        single = _single(inputs[0])
        if single is not None:
            chosen = itertools.islice(single.pictures, 0, stop, every)
            return Pictures(chosen, _count(single.length, every, limit), single.rate_hz / every)
    files = [file for given in inputs for file in _files(given)][:stop:every]
    named: dict[str, Path] = {}
    for file in files:
        other = named.setdefault(file.stem, file)
        if other is not file:
            raise InputError(f'{file}: expected one image of each name, found {other} as well')
    return Pictures(_read(files), len(files), DEFAULT_RATE_HZ)


def _single(given: str) -> Pictures | None:
    """Return the pictures of an input that must be the only one, None for images and folders."""
    path = Path(given).expanduser()
    if is_camera(given):
        camera = Camera(given)
        name = path.name if path.exists() else f'camera{path.name}'
        return Pictures((Picture(f'{name}_{number:06d}', f'{given}, image {number}', seconds, image)
                         for number, (seconds, image) in enumerate(camera)), None, _CAMERA_HZ)
    if path.exists() and is_bag(path):
        raise InputError(f'{given}: expected images, a folder of them, a video or a camera, found '
                         'a bag: give --output')
    if given.partition(':')[0] == 'rendered' or (path.is_file() and not is_image(path)):
        return _drive(given, path.stem.replace(':', '_'))
    return None


def _drive(given: str, stem: str) -> Pictures:
    faults: list[Note] = []
    drive = open_drive(given, on_note=faults.append)
    faults.clear()

    def pictures() -> Iterator[Picture]:
        first = None
        for number, frame in enumerate(drive):
            first = frame.stamp_ns if first is None else first
            seconds = (frame.stamp_ns - first) / 1e9
            yield from _faulty(faults, f'{stem}_{number:06d}', given, seconds)
            yield Picture(f'{stem}_{number:06d}', f'{given}, frame {number}', seconds,
                          frame.data.reshape(frame.height, frame.width, 3))
        yield from _faulty(faults, stem, given, 0.0)
    return Pictures(pictures(), drive.length, drive.rate_hz)


def _faulty(notes: list[Note], name: str, source: str, seconds: float) -> Iterator[Picture]:
    """Yield the losses of a drive since the last call as pictures that cannot be read."""
    for note in notes:
        if note.lost != 0:
            yield Picture(name, source, seconds, None, f'{source}: {note.reason}')
    notes.clear()


def _files(given: str) -> list[Path]:
    """Return the image files of an input, those of a folder in natural order."""
    path = Path(given).expanduser()
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f'{given}: expected an image, a folder of images, a video or a camera, '
                         'found nothing')
    files = images_in(path)
    if not files:
        raise InputError(f'{given}: expected images ({", ".join(IMAGE_SUFFIXES)}), found none')
    return files


def _read(files: Sequence[Path]) -> Iterator[Picture]:
    for number, file in enumerate(files):
        image, fault = None, ''
        try:
            image = read_rgb(file)
        except InputError as error:
            fault = str(error)
        yield Picture(file.stem, str(file), number / DEFAULT_RATE_HZ, image, fault)


def _count(length: int | None, every: int, limit: int) -> int | None:
    """Return how many of ``length`` pictures are chosen."""
    if length is None:
        return limit or None
    chosen = -(-length // every)
    return min(chosen, limit) if limit else chosen
