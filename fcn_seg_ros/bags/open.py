# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Open whatever a person names as a drive: one table from the kind to its opener."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fcn_seg_ros.bags.drive import Drive, DriveFrame
from fcn_seg_ros.bags.folder import FolderDrive, is_image
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED
from fcn_seg_ros.errors import InputError

BAG_SUFFIXES = ('.mcap', '.db3')
DEFAULT_SEED = FIRST_HELD_OUT_SEED
DEFAULT_RENDERED_FRAMES = 150
DEFAULT_RENDERED_RATE_HZ = 10.0

KINDS = ('a folder of images (KITTI layouts too), a video file, a rosbag2 (folder, .mcap or '
         '.db3), or rendered[:SEED]')


@dataclass(frozen=True)
class Request:
    """What is asked for besides the drive itself; None leaves it to the drive."""

    topic: str | None = None
    rate_hz: float | None = None
    limit: int | None = None


class LimitedDrive:
    """The first ``limit`` frames of another drive."""

    def __init__(self, drive: Drive, limit: int) -> None:
        """Take the name and rate of ``drive``."""
        self.drive = drive
        self.limit = limit
        self.name = drive.name
        self.rate_hz = drive.rate_hz
        self.length: int | None = None if drive.length is None else min(limit, drive.length)

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the first frames."""
        return islice(iter(self.drive), self.limit)


def _open_rendered(spec: str, request: Request) -> Drive:
    seed_text = spec.partition(':')[2]
    if spec != 'rendered' and not seed_text.isdecimal():
        raise InputError(f'{spec}: expected rendered:SEED with a whole number from 0, '
                         f'found {seed_text!r}')
    # Imported here, as the video and bag libraries are: who plays a folder needs none of them.
    from fcn_seg_ros.bags.rendered import RenderedDriveSource
    return RenderedDriveSource(int(seed_text or DEFAULT_SEED),
                               request.limit or DEFAULT_RENDERED_FRAMES,
                               request.rate_hz or DEFAULT_RENDERED_RATE_HZ)


def _open_bag(spec: str, request: Request) -> Drive:
    from fcn_seg_ros.bags.rosbag2 import Rosbag2Drive
    path = Path(spec)
    whole = path.is_file() or (path / 'metadata.yaml').is_file()
    # A recording that was killed has its storage files but no metadata.yaml.
    return Rosbag2Drive([path] if whole else _storage_files(path), spec, request.topic,
                        request.rate_hz)


def _open_folder(spec: str, request: Request) -> Drive:
    return FolderDrive(Path(spec), request.rate_hz)


def _open_video(spec: str, request: Request) -> Drive:
    from fcn_seg_ros.bags.video import VideoDrive
    return VideoDrive(Path(spec), request.rate_hz)


def _storage_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix in BAG_SUFFIXES)


def _is_rendered(spec: str) -> bool:
    return spec == 'rendered' or spec.startswith('rendered:')


def _is_bag(spec: str) -> bool:
    path = Path(spec)
    if path.is_dir():
        return (path / 'metadata.yaml').is_file() or bool(_storage_files(path))
    return path.suffix in BAG_SUFFIXES


def _is_folder(spec: str) -> bool:
    return Path(spec).is_dir() or is_image(Path(spec))


# The first kind that recognises the name opens it. A new kind is one file and one line here.
OPENERS: tuple[tuple[Callable[[str], bool], Callable[[str, Request], Drive]], ...] = (
    (_is_rendered, _open_rendered),
    (_is_bag, _open_bag),
    (_is_folder, _open_folder),
    (lambda spec: True, _open_video),
)


def open_drive(spec: str, *, topic: str | None = None, rate_hz: float | None = None,
               limit: int | None = None) -> Drive:
    """
    Open a drive.

    ``spec`` is ``rendered`` or ``rendered:SEED``, or the path of an image folder, a video file or
    a rosbag2. ``topic`` chooses among a bag's image topics; ``rate_hz`` replaces the rate of the
    drive where it is not recorded with it (and is its ``rate_hz`` in any case); ``limit`` is the
    number of frames at most. Raises InputError.
    """
    if limit is not None and limit < 1:
        raise InputError(f'limit: expected at least one frame, found {limit}')
    if rate_hz is not None and not 0.0 < rate_hz <= 1000.0:
        raise InputError(f'rate: expected more than 0 and at most 1000 Hz, found {rate_hz:g}')
    if not spec:
        raise InputError(f'input: expected {KINDS}; found an empty name')
    if not _is_rendered(spec):
        spec = str(Path(spec).expanduser())
        if not Path(spec).exists():
            raise InputError(f'{spec}: expected {KINDS}; found no such file or folder')
        if not (Path(spec).is_dir() or Path(spec).is_file()):
            raise InputError(f'{spec}: expected {KINDS}; found a device or a pipe')
    opener = next(opener for matches, opener in OPENERS if matches(spec))
    drive = opener(spec, Request(topic, rate_hz, limit))
    return drive if limit is None or _is_rendered(spec) else LimitedDrive(drive, limit)
