# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether frames or the end of a video are missing, which FFmpeg passes over without a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import av.container

_AVI, _MP4, _MATROSKA, _TRANSPORT = 'avi', 'mp4', 'matroska', 'mpegts'
# Bytes of a packet of a transport stream, without and with the time of arrival; its first byte.
_PACKETS, _SYNC = (188, 192), 0x47
# Decoders give frames late: this many after a fault, a gap in the times is blamed on it.
_SUSPECT = 32


class VideoCheck:
    """Compares the frames that came with their times and with the length that the file says."""

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream,
                 rate_hz: float) -> None:
        """Note what the opened file says."""
        self._format = container.format.name
        self._period_s = 1.0 / rate_hz
        self._expected_s = _length_s(container, stream)
        self._first_s: float | None = None
        self._last_s = self._end_s = self._longest_s = 0.0
        self._frames = self._suspect = self._counted = 0

    def fault_at(self, lost: int) -> None:
        """Note that something was damaged, with the number of lost frames that is known."""
        self._suspect = _SUSPECT
        self._counted += lost

    def take(self, frame: av.VideoFrame) -> int:
        """Note a frame's time; return how many frames a fault cost before it, beside the known."""
        self._frames += 1
        seconds = (float(frame.pts * frame.time_base)
                   if frame.pts is not None and frame.time_base is not None
                   else self._frames * self._period_s)
        if self._first_s is None:
            self._first_s = self._last_s = seconds
        missing = round((seconds - self._last_s) / self._period_s) - 1
        if self._suspect and missing > 0:
            missing, self._counted = max(0, missing - self._counted), 0
        else:
            # Without a fault a gap is the camera's.
            missing = 0
            self._longest_s = max(self._longest_s, seconds - self._last_s)
        self._suspect = max(0, self._suspect - 1)
        self._counted = self._counted if self._suspect else 0
        self._last_s = seconds
        lasts = (float(frame.duration * frame.time_base)
                 if frame.duration and frame.time_base is not None else self._period_s)
        self._end_s = max(self._end_s, seconds + lasts)
        return missing

    def fault_of_end(self, path: Path) -> str:
        """Return what tells that the end of the file is missing, or ''."""
        length = self._end_s - (self._first_s or 0.0)
        # A frame may last longer than any before it, but in an AVI all last the same.
        tolerance = (0.75 * self._period_s if self._format == _AVI
                     else 1.5 * max(self._period_s, self._longest_s))
        if self._expected_s is not None and self._expected_s - length > tolerance:
            return f'it ends after {length:.2f} of {self._expected_s:.2f} s'
        if _MP4 in self._format and _is_cut_off(path):
            return f'its last part is cut off after {length:.2f} s'
        if self._format == _TRANSPORT and not _ends_in_packet(path):
            return f'its last packet is cut off after {length:.2f} s'
        if _MATROSKA in self._format and self._expected_s is None:
            return f'its recorder has not closed it; it holds {length:.2f} s'
        return ''


def _length_s(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """Return the length of the video in seconds according to its file, None if it says none."""
    # FFmpeg shortens the length of an AVI to what is there.
    if container.format.name == _AVI and stream.frames and stream.average_rate:
        return stream.frames / float(stream.average_rate)
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    # The length of all streams; sound may go on after the video.
    if container.duration is not None and (
            len(container.streams) == 1 or _MATROSKA not in container.format.name):
        return container.duration / av.time_base
    return None if container.duration is None else 0.0


def lacks_index(path: Path) -> bool:
    """Return whether a file is an MP4 without the index of its frames."""
    kinds = [kind for kind, _ in _boxes(path)]
    return kinds[:1] == [b'ftyp'] and b'moov' not in kinds


def _ends_in_packet(path: Path) -> bool:
    """Return whether a transport stream ends with a whole packet."""
    size = path.stat().st_size
    with path.open('rb') as file:
        for packet in _PACKETS:
            if size % packet == 0:
                file.seek(size - _PACKETS[0])
                return file.read(1) == bytes([_SYNC])
    return False


def _is_cut_off(path: Path) -> bool:
    """Return whether an MP4 ends in the middle of a part."""
    ends = [end for _, end in _boxes(path)]
    return bool(ends) and ends[-1] > path.stat().st_size


def _boxes(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield kind and end of the parts of an MP4 file."""
    with path.open('rb') as file:
        position = 0
        while True:
            file.seek(position)
            head = file.read(16)
            if len(head) < 8:
                return
            size, kind = int.from_bytes(head[:4], 'big'), head[4:8]
            size = int.from_bytes(head[8:], 'big') if size == 1 else size
            if size < 8:  # 0: up to the end of the file
                yield kind, path.stat().st_size
                return
            position += size
            yield kind, position
