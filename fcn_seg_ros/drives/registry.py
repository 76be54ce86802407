# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Open a drive by name, from a table of kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED
from fcn_seg_ros.drives.bag_files import is_bag
from fcn_seg_ros.drives.drive import Drive, DriveFrame
from fcn_seg_ros.drives.folder import FolderDrive, is_image
from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.errors import InputError

# In this drive the default network mistakes no vehicle for road. In others it does, most often
# parked ones cut off by the edge of the image (seeds 10000 and 10003).
DEFAULT_SEED = FIRST_HELD_OUT_SEED + 5
DEFAULT_RENDERED_FRAMES = 150
DEFAULT_RENDERED_RATE_HZ = 10.0

KINDS = ('a folder of images (KITTI layouts too), a video file, a bag (folder, .mcap, .db3 or '
         '.bag), or rendered[:SEED][:steady]')
# The camera of the drive keeps its pose over the ground.
STEADY = ':steady'


@dataclass(frozen=True)
class Request:
    """Options for opening a drive; None means the drive's default."""

    topics: Sequence[str] = ()
    rate_hz: float | None = None
    limit: int | None = None
    notes: Notes = field(default_factory=Notes)


class LimitedDrive:
    """The first ``limit`` frames of another drive."""

    def __init__(self, drive: Drive, limit: int) -> None:
        """Limit ``drive``; name and rate stay the same."""
        self.drive = drive
        self.limit = limit
        self.name = drive.name
        self.rate_hz = drive.rate_hz
        self.notes = drive.notes
        self.pose = drive.pose
        self.length: int | None = None if drive.length is None else min(limit, drive.length)

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the first frames."""
        return islice(iter(self.drive), self.limit)


def _open_rendered(spec: str, request: Request) -> Drive:
    plain = spec.removesuffix(STEADY)
    seed_text = plain.partition(':')[2]
    if plain != 'rendered' and not seed_text.isdecimal():
        raise InputError(f'{spec}: expected rendered:SEED with a whole number from 0, '
                         f'found {seed_text!r}')
    # Imported here, like the video and bag libraries, which a folder does not need.
    from fcn_seg_ros.drives.rendered import RenderedDriveSource
    return RenderedDriveSource(int(seed_text or DEFAULT_SEED),
                               request.limit or DEFAULT_RENDERED_FRAMES,
                               request.rate_hz or DEFAULT_RENDERED_RATE_HZ,
                               steady=spec.endswith(STEADY))


def _open_bag(spec: str, request: Request) -> Drive:
    from fcn_seg_ros.drives.bag_drive import BagDrive
    return BagDrive(Path(spec), request.topics, request.rate_hz, request.notes)


def _open_folder(spec: str, request: Request) -> Drive:
    return FolderDrive(Path(spec), request.rate_hz, notes=request.notes)


def _open_video(spec: str, request: Request) -> Drive:
    from fcn_seg_ros.drives.video import VideoDrive
    return VideoDrive(Path(spec), request.rate_hz, notes=request.notes)


def _is_rendered(spec: str) -> bool:
    return spec == 'rendered' or spec.startswith('rendered:')


def _is_folder(spec: str) -> bool:
    return Path(spec).is_dir() or is_image(Path(spec))


# The first kind that recognises the name opens it. To add a kind, write one file and add one line.
OPENERS: tuple[tuple[Callable[[str], bool], Callable[[str, Request], Drive]], ...] = (
    (_is_rendered, _open_rendered),
    (lambda spec: is_bag(Path(spec)), _open_bag),
    (_is_folder, _open_folder),
    (lambda spec: True, _open_video),
)


def open_drive(spec: str, *, topics: Sequence[str] = (), rate_hz: float | None = None,
               limit: int | None = None,
               on_note: Callable[[Note], None] | None = None) -> Drive:
    """
    Open a drive.

    ``spec`` is ``rendered``, ``rendered:SEED``, either with ``:steady`` behind it (the camera does
    not nod), or the path of an image folder, a video file or a bag. ``topics`` selects image topics
    of a bag: empty if it has only one, ``('*',)`` for all, whose frames then come in the order of
    recording. ``rate_hz`` is used where no times are recorded, and becomes the drive's ``rate_hz``
    in any case; ``limit`` is the largest number of frames. Losses of the recording are passed to
    ``on_note`` as they are found and kept in ``notes``. Raises InputError.
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
    if topics and opener is not _open_bag:
        raise InputError(f'{spec}: expected a bag, of which topic selects images, found another '
                         'kind of drive; leave the topic out')
    drive = opener(spec, Request(topics, rate_hz, limit, Notes(on_note)))
    return drive if limit is None or _is_rendered(spec) else LimitedDrive(drive, limit)
