# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A video file as a drive, through PyAV (FFmpeg)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import numpy as np
from av.stream import Disposition

from fcn_seg_ros.drives.drive import DriveFrame
from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.drives.video_end import VideoCheck, lacks_index
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.pose import CameraPose

DEFAULT_RATE_HZ = 25.0


class VideoDrive:
    """The first video stream of a file, with its presentation times and frame rate."""

    def __init__(self, path: Path, rate_hz: float | None = None,
                 frame_id: str = 'camera', notes: Notes | None = None) -> None:
        """Open the file and decode one frame; raises InputError if it has none."""
        self.notes = Notes() if notes is None else notes
        self.path = path
        self.pose: CameraPose | None = None
        self.name = str(path)
        self.frame_id = frame_id
        with self._open() as container:
            stream = _stream(container)
            rate = stream.average_rate or stream.guessed_rate
            self._own_rate_hz = float(rate) if rate else DEFAULT_RATE_HZ
            self.rate_hz = rate_hz or self._own_rate_hz
            self.length: int | None = stream.frames or None
        with self.notes.muted():
            next(iter(self))

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the frames as rgb8; raises InputError if none can be decoded."""
        self.notes.restart()
        index = 0
        with self._open() as container:
            check = VideoCheck(container, _stream(container), self._own_rate_hz)
            for frame in self._decode(container, check):
                if missing := check.take(frame):
                    self.notes.add(Note(f'{missing} frames before frame {index} are missing',
                                        missing))
                yield self._to_drive_frame(frame, index)
                index += 1
        if not index:
            raise InputError(f'{self.path}: no frame of this video can be decoded')
        if fault := check.fault_of_end(self.path):
            self.notes.add(Note(f'{self.path.name}: the video is incomplete: {fault}, {index} '
                                'frames; later ones are lost', None))

    def _decode(self, container: av.container.InputContainer, check: VideoCheck,
                ) -> Iterator[av.VideoFrame]:
        """Yield the frames that can be decoded, and note the others."""
        packets, count = container.demux(_stream(container)), 0
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self.notes.add(Note(f'the video cannot be read after frame {count} '
                                    f'({error.strerror})', None))
                return
            if packet.is_corrupt:
                check.fault_at(0)
                self.notes.add(Note(f'the data after frame {count} are damaged'))
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self.notes.add(Note(f'a frame after frame {count} cannot be decoded '
                                    f'({error.strerror})', 1))
                check.fault_at(1)
                continue
            for frame in frames:
                if frame.is_corrupt:
                    check.fault_at(0)
                    self.notes.add(Note(f'frame {count} is damaged; the decoder has filled the '
                                        f'gaps'))
                yield frame
                count += 1

    def _to_drive_frame(self, frame: av.VideoFrame, index: int) -> DriveFrame:
        """Return a decoded frame, upright, with its presentation time (or index / rate)."""
        if frame.pts is not None and frame.time_base is not None:
            stamp_ns = round(frame.pts * frame.time_base * 10**9)
        else:
            stamp_ns = round(index * 1e9 / self.rate_hz)
        rgb = frame.to_ndarray(format='rgb24')
        # Phones store rotated pixels and an angle, which FFmpeg's decoder does not apply. Degrees
        # are counter-clockwise, as for np.rot90.
        turns = round(getattr(frame, 'rotation', 0) / 90) % 4
        return DriveFrame.from_rgb(np.rot90(rgb, turns), stamp_ns, frame_id=self.frame_id)

    def _open(self) -> av.container.InputContainer:
        """Return the opened file; raises InputError if it has no video stream."""
        try:
            # With a protocol, because FFmpeg takes anything before a colon in a name for one.
            container = av.open(f'file:{self.path}', metadata_errors='replace')
        except (av.error.FFmpegError, OSError) as error:
            hint = ('; its index (moov) is missing, probably because the recorder was killed: '
                    'repair it, for example with untrunc' if lacks_index(self.path) else '')
            raise InputError(f'{self.path}: expected a video file (mp4, avi, mkv, ...), found '
                             f'{self.path.stat().st_size} bytes that FFmpeg cannot open '
                             f'({error.strerror}){hint}') from None
        if not container.streams.video:
            kinds = ', '.join(sorted({s.type for s in container.streams})) or 'no stream'
            container.close()
            raise InputError(f'{self.path}: expected a video stream, found {kinds}')
        return container


def _stream(container: av.container.InputContainer) -> av.VideoStream:
    """Return the first video stream that is not a picture attached to the file (a thumbnail)."""
    videos = container.streams.video
    return next((s for s in videos if not s.disposition & Disposition.attached_pic), videos[0])
