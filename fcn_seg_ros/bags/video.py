# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A video file as a drive, through PyAV (FFmpeg)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import numpy as np

from fcn_seg_ros.bags.drive import DriveFrame
from fcn_seg_ros.errors import InputError

DEFAULT_RATE_HZ = 25.0


class VideoDrive:
    """The first video stream of a file: stamps from its presentation times, its own rate."""

    def __init__(self, path: Path, rate_hz: float | None = None,
                 frame_id: str = 'camera') -> None:
        """Open the file once and decode one frame; raises InputError where it has none."""
        self.path = path
        self.name = str(path)
        self.frame_id = frame_id
        with self._open() as container:
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate
            self.rate_hz = rate_hz or (float(rate) if rate else DEFAULT_RATE_HZ)
            self.length: int | None = stream.frames or None
        if next(iter(self), None) is None:
            raise InputError(f'{path}: expected a video, found a video stream without a frame')

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the frames as rgb8; raises InputError at one that cannot be decoded."""
        index = 0
        with self._open() as container:
            stream = container.streams.video[0]
            try:
                for frame in container.decode(stream):
                    yield self._to_drive_frame(frame, index)
                    index += 1
            except av.error.FFmpegError as error:
                raise InputError(f'{self.path}: expected a video, found data that cannot be '
                                 f'decoded after frame {index} ({error.strerror})') from None

    def _to_drive_frame(self, frame: av.VideoFrame, index: int) -> DriveFrame:
        """Return a decoded frame, upright, with its presentation time (or index / rate)."""
        if frame.pts is not None and frame.time_base is not None:
            stamp_ns = round(frame.pts * frame.time_base * 10**9)
        else:
            stamp_ns = round(index * 1e9 / self.rate_hz)
        rgb = frame.to_ndarray(format='rgb24')
        # A phone writes sideways pixels and a note to turn them; FFmpeg's decoder leaves that
        # to the reader. Counter-clockwise degrees, as np.rot90 counts.
        turns = round(getattr(frame, 'rotation', 0) / 90) % 4
        return DriveFrame.from_rgb(np.rot90(rgb, turns), stamp_ns, frame_id=self.frame_id)

    def _open(self) -> av.container.InputContainer:
        """Return the opened file; raises InputError where it holds no video stream."""
        try:
            container = av.open(str(self.path))
        except (av.error.FFmpegError, OSError) as error:
            raise InputError(f'{self.path}: expected a video file (mp4, avi, mkv, ...), found '
                             f'{self.path.stat().st_size} bytes that FFmpeg cannot open '
                             f'({error.strerror})') from None
        if not container.streams.video:
            kinds = ', '.join(sorted({s.type for s in container.streams})) or 'no stream'
            container.close()
            raise InputError(f'{self.path}: expected a file with a video stream, found {kinds}')
        return container
