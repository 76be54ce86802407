# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A folder of camera images as a drive: plain, KITTI raw or KITTI Road layout."""

from __future__ import annotations

import calendar
import itertools
import re
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES, read_rgb
from fcn_seg_ros.datasets.kitti_road import decode_truth, truth_file
from fcn_seg_ros.drives.drive import DriveFrame, rate_of
from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.pose import CameraPose

DEFAULT_RATE_HZ = 10.0

# Kinds of image that a camera or a tool writes and that are not read here.
_OTHER_IMAGES = ('.avif', '.dng', '.exr', '.gif', '.heic', '.heif', '.jp2', '.jxl', '.pgm', '.pnm',
                 '.ppm', '.raw')
_MOST_NAMED = 5

# Where to look for images below the named folder: in the folder itself, a KITTI raw camera
# (image_02/data), a KITTI raw drive (its left colour camera), KITTI Road (training/image_2).
SUBFOLDERS = ('.', 'data', 'image_02/data', 'image_02', 'image_2', 'training/image_2')


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Return the key that sorts ``frame_2`` before ``frame_10``."""
    return [(0, int(part), '') if part.isdigit() else (1, 0, part.lower())
            for part in re.split(r'(\d+)', path.name) if part]


def is_image(path: Path) -> bool:
    """Return whether a file has an image's suffix."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith('.')


class FolderDrive:
    """
    The images of a folder in natural order, at 10 Hz by default; their sizes may differ.

    If the parent folder holds KITTI's times (raw: ``image_02/timestamps.txt`` beside
    ``image_02/data``; odometry: ``times.txt`` beside ``image_2``), stamps and rate come from them;
    otherwise stamps start at 0. In KITTI Road's layout the frames have their ground truth.
    """

    def __init__(self, folder: Path, rate_hz: float | None = None,
                 frame_id: str = 'camera', notes: Notes | None = None) -> None:
        """Find the images; raises InputError if there are none or none can be read."""
        self.images = find_images(folder)
        self.pose: CameraPose | None = None
        self.name = str(folder)
        self.length: int | None = len(self.images)
        self.frame_id = frame_id
        self.notes = Notes() if notes is None else notes
        stamps_file = find_stamps(self.images[0])
        self._recorded_ns: list[int] | None = None
        self.rate_hz = rate_hz or DEFAULT_RATE_HZ
        if folder.is_dir() and stamps_file is not None:
            self._recorded_ns = stamps_of(self.images, stamps_file)
            self.rate_hz = rate_hz or rate_of(self._recorded_ns, DEFAULT_RATE_HZ)
        if folder.is_dir():
            self._note_others()
        with self.notes.muted():
            next(iter(self))

    def _note_others(self) -> None:
        """Note images beside these whose kind is not read."""
        others = Counter(p.suffix.lower() for p in self.images[0].parent.iterdir()
                         if p.suffix.lower() in _OTHER_IMAGES and not p.name.startswith('.'))
        if others:
            kinds = ', '.join(f'{count} {suffix}' for suffix, count in sorted(others.items()))
            self.notes.add(Note(f'{kinds} beside the images are not read: convert them to one of '
                                f'{", ".join(IMAGE_SUFFIXES)}', others.total()))

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the images as rgb8 frames; raises InputError if none can be read."""
        self.notes.restart()
        read, first_fault = 0, ''
        for index, path in enumerate(self.images):
            stamp_ns = (self._recorded_ns[index] if self._recorded_ns
                        else round(index * 1e9 / self.rate_hz))
            try:
                rgb = read_rgb(path, turn=False)
            except InputError as error:
                self.notes.add(Note(str(error), 1, stamp_ns=stamp_ns))
                first_fault = first_fault or str(error)
                continue
            read += 1
            truth = None
            try:
                truth = _truth_of(path, rgb)
            except InputError as error:
                self.notes.add(Note(f'{path}: played without its labels: {error}',
                                    stamp_ns=stamp_ns))
            yield DriveFrame.from_rgb(rgb, stamp_ns, frame_id=self.frame_id, truth=truth)
        if not read:
            others = f' (nor can the other {len(self.images) - 1} images be read)'
            raise InputError(first_fault + (others if len(self.images) > 1 else ''))


def _truth_of(image: Path, rgb: np.ndarray) -> np.ndarray | None:
    """Return the labels of an image of KITTI Road, None if there are none."""
    path = truth_file(image)
    if path is None or not path.is_file():
        return None
    labels = decode_truth(read_rgb(path, turn=False))
    if labels.shape != rgb.shape[:2]:
        raise InputError(f'{path}: expected the size of {image.name}, {rgb.shape[1]}x'
                         f'{rgb.shape[0]}, found {labels.shape[1]}x{labels.shape[0]}')
    return labels


def images_in(folder: Path) -> list[Path]:
    """Return the image files in a folder, without subfolders, in natural order."""
    # A broken link is listed, so that the loss is said when it is read.
    return sorted((path for path in folder.iterdir() if is_image(path)
                   and (path.is_file() or (path.is_symlink() and not path.exists()))),
                  key=natural_key)


def find_images(folder: Path) -> list[Path]:
    """
    Return the images of the first subfolder in SUBFOLDERS that has any, in natural order.

    ``folder`` may also be one image file. Raises InputError, which names the folders searched.
    """
    if folder.is_file():
        return [folder]
    for subfolder in SUBFOLDERS:
        candidate = folder / subfolder
        if candidate.is_dir():
            images = images_in(candidate)
            if images:
                return images
    kinds = Counter(p.suffix.lower() or 'without suffix' for p in folder.iterdir() if p.is_file())
    found = ', '.join(f'{count} {kind}' for kind, count in kinds.most_common(5)) or 'no files'
    if folders := sorted(p.name for p in folder.iterdir() if p.is_dir()):
        more = ', ...' if len(folders) > _MOST_NAMED else ''
        found += f'; name one of its folders: {", ".join(folders[:_MOST_NAMED])}{more}'
    searched = ', '.join(SUBFOLDERS[1:])
    raise InputError(f'{folder}: expected images ({", ".join(IMAGE_SUFFIXES)}) in it or in its '
                     f'{searched}, or a rosbag2 (metadata.yaml, .mcap, .db3); found {found}')


def find_stamps(image: Path) -> Path | None:
    """Return the file of times that belongs to an image in KITTI's layouts, or None."""
    for name in ('timestamps.txt', 'times.txt'):
        if (image.parent.parent / name).is_file():
            return image.parent.parent / name
    return None


# Added to what is wrong with a file of times.
_REMEDY = '; mend it, or rename it to have the images at an even rate'


def parse_stamp(line: str) -> int:
    """
    Return a time in KITTI's format in ns.

    Raw has ``2011-09-26 13:02:25.964389445`` (read as UTC), odometry the seconds from the start:
    ``1.037875e-01``.
    """
    if ':' not in line:
        try:
            return round(Decimal(line.strip()) * 10**9)
        except (InvalidOperation, OverflowError):
            raise ValueError(repr(line[:50])) from None
    seconds, _, fraction = line.strip().partition('.')
    whole = calendar.timegm(time.strptime(seconds, '%Y-%m-%d %H:%M:%S'))
    return whole * 10**9 + int((fraction + '0' * 9)[:9])


def stamps_of(images: list[Path], stamps_file: Path) -> list[int]:
    """
    Return the recorded time of each image in ns, strictly increasing.

    Line N of the file is the time of image N. N is the file name if all names are numbers (KITTI
    raw has gaps where an image was lost), else the position in the sequence.
    """
    try:
        # Some editors begin a file with a byte-order mark.
        text = stamps_file.read_text(encoding='utf-8-sig')
        stamps = [parse_stamp(x) for x in text.splitlines() if x.strip()]
    except (ValueError, OSError) as error:
        raise InputError(f'{stamps_file}: expected one time a line, such as 2011-09-26 '
                         f'13:02:25.964389445 or 1.037875e-01, found: {error}{_REMEDY}') from None
    if all(p.stem.isdigit() for p in images):
        lines = [int(p.stem) for p in images]
    else:
        lines = list(range(len(images)))
    if max(lines) >= len(stamps):
        raise InputError(f'{stamps_file}: expected a time for each of {len(images)} images, up to '
                         f'line {max(lines) + 1}, found {len(stamps)} lines{_REMEDY}')
    picked = [stamps[line] for line in lines]
    if any(b <= a for a, b in itertools.pairwise(picked)):
        raise InputError(f'{stamps_file}: expected times that increase from line to line, found '
                         f'some that do not{_REMEDY}')
    return picked
