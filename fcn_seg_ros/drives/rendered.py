# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A rendered drive as a Drive."""

from __future__ import annotations

from collections.abc import Iterator

from fcn_seg_ros.drives.drive import Calibration, DriveFrame
from fcn_seg_ros.drives.notes import Notes
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.synthetic.suburb import RenderedDrive

#: Stamp of the first frame in ns, fixed so that runs can be compared.
START_NS = 1_700_000_000 * 10**9


class RenderedDriveSource:
    """
    A Drive (see drive.py) over a RenderedDrive: rgb8 frames with their true masks.

    ``pose`` is that of a ``steady`` camera, with the base frame's origin on the ground below it.
    """

    def __init__(self, seed: int = 0, length: int = 100, rate_hz: float = 10.0,
                 camera: PinholeCamera | None = None, start_ns: int = START_NS,
                 frame_id: str = 'camera', steady: bool = False) -> None:
        """
        Set up the drive; frames are rendered when they are needed.

        Raises InputError if an argument is out of range.
        """
        if start_ns < 0:
            raise InputError(f'rendered drive: start_ns must not be negative, got {start_ns}')
        self.drive = RenderedDrive(seed, length, rate_hz, camera, steady)
        self.pose = CameraPose.from_plane(self.drive.ground) if steady else None
        self.name = f'rendered drive {seed}'
        self.rate_hz = self.drive.rate_hz
        self.length: int | None = len(self.drive)
        self.notes = Notes()
        self._start_ns = int(start_ns)
        self._frame_id = frame_id
        self._calibration = Calibration.from_pinhole(self.drive.camera)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.drive)

    def __getitem__(self, index: int) -> DriveFrame:
        """Render and return frame ``index``."""
        frame = self.drive[index]
        index %= len(self.drive)
        stamp = self._start_ns + round(index * 1e9 / self.rate_hz)
        return DriveFrame.from_rgb(frame.image, stamp, frame_id=self._frame_id,
                                   calibration=self._calibration, truth=frame.road)

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the frames in order."""
        return (self[index] for index in range(len(self)))
