# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A drive: a sequence of camera frames that can be iterated any number of times."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.ground.pose import CameraPose


@dataclass(frozen=True)
class Calibration:
    """The fields of sensor_msgs/CameraInfo of a recorded or rendered camera."""

    width: int
    height: int
    distortion_model: str = ''
    d: tuple[float, ...] = ()
    k: tuple[float, ...] = (0.0,) * 9
    r: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    p: tuple[float, ...] = (0.0,) * 12
    binning_x: int = 0
    binning_y: int = 0
    #: x_offset, y_offset, width, height at full resolution; all 0 for the whole image.
    roi: tuple[int, int, int, int] = (0, 0, 0, 0)
    do_rectify: bool = False

    @property
    def image_size(self) -> tuple[int, int]:
        """Return (width, height) of the images, that is of the region after binning."""
        _, _, width, height = self.roi
        width, height = (width, height) if width and height else (self.width, self.height)
        return width // max(1, self.binning_x), height // max(1, self.binning_y)

    @classmethod
    def from_pinhole(cls, camera: PinholeCamera) -> Calibration:
        """Return a rectified pinhole camera's calibration."""
        k = camera.matrix
        p = np.hstack([k, np.zeros((3, 1))])
        return cls(camera.width, camera.height, 'plumb_bob', (0.0,) * 5,
                   tuple(k.ravel().tolist()), p=tuple(p.ravel().tolist()))


@dataclass(frozen=True)
class DriveFrame:
    """
    One camera image, with the fields of sensor_msgs/Image.

    ``data`` is a contiguous uint8 array of the message's ``height * step`` bytes, ``stamp_ns`` the
    time in its header in nanoseconds, ``received_ns`` the time of recording (None if unknown),
    ``topic`` the topic in a bag. ``truth`` is the true road mask if known: uint8 (height, width),
    1 road, 0 not road, 255 unlabelled.
    """

    data: np.ndarray
    height: int
    width: int
    encoding: str
    step: int
    stamp_ns: int
    frame_id: str = 'camera'
    is_bigendian: bool = False
    calibration: Calibration | None = None
    truth: np.ndarray | None = field(default=None, repr=False)
    received_ns: int | None = None
    topic: str = ''

    @property
    def time_ns(self) -> int:
        """Return the time, in ns, by which frames are ordered and played."""
        return self.stamp_ns if self.received_ns is None else self.received_ns

    @classmethod
    def from_rgb(cls, rgb: np.ndarray, stamp_ns: int, *, frame_id: str = 'camera',
                 calibration: Calibration | None = None,
                 truth: np.ndarray | None = None, received_ns: int | None = None,
                 topic: str = '') -> DriveFrame:
        """Return the frame of an RGB image, uint8 of shape (H, W, 3)."""
        height, width = rgb.shape[:2]
        return cls(np.ascontiguousarray(rgb), height, width, 'rgb8', 3 * width, stamp_ns,
                   frame_id, calibration=calibration, truth=truth,
                   received_ns=received_ns, topic=topic)


class Drive(Protocol):
    """
    A recorded or rendered sequence of frames of one camera, or of several topics of a bag.

    Each iteration gives the same frames. ``rate_hz`` is the typical rate of the recording;
    ``length`` the number of frames, or None if the whole drive would have to be read to count them.
    Frames that cannot be read are skipped and listed in ``notes``. ``pose`` is the camera's pose
    over the ground, None if the recording does not tell one.
    """

    name: str
    rate_hz: float
    length: int | None
    notes: Notes
    pose: CameraPose | None

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the frames by time; raises InputError if there are none."""
        ...


def frames_and_losses(drive: Drive) -> Iterator[DriveFrame | Note]:
    """
    Yield the frames of a drive and, in their places, the notes of what was lost.

    A drive of which nothing can be read ends after its losses; InputError is raised only if it
    names none.
    """
    lost = 0
    with drive.notes.collected() as new:
        frames = iter(drive)
        while True:
            fault, frame = None, None
            try:
                frame = next(frames, None)
            except InputError as error:
                fault = error
            losses = [note for note in new if note.lost != 0]
            new.clear()
            yield from losses
            lost += len(losses)
            if fault is not None and not lost:
                raise fault
            if frame is None:
                return
            yield frame


# Intervals span this many frames, since a camera may deliver them in twos or threes.
_STRIDE = 6
_MOST_HZ = 1e6


def rate_of(times_ns: Sequence[int], fallback_hz: float) -> float:
    """
    Return the rate of a sequence of times, from the median interval over a few frames.

    It is ``fallback_hz`` where the times tell none, or one above a million a second.
    """
    stride = max(1, min(_STRIDE, len(times_ns) // 3))
    distances = [(b - a) / stride
                 for a, b in zip(times_ns, times_ns[stride:], strict=False) if b > a]
    rate_hz = 1e9 / statistics.median(distances) if distances else fallback_hz
    return rate_hz if rate_hz <= _MOST_HZ else fallback_hz
