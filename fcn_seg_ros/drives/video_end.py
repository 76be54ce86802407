# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether the end of a video file is missing, which FFmpeg passes over without a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import av.container

_MP4, _MATROSKA = 'mp4', 'matroska'


class VideoEnd:
    """Compares the frames that came with the length that the file says."""

    def __init__(self, container: av.container.InputContainer, stream: av.VideoStream,
                 rate_hz: float) -> None:
        """Note what the opened file says."""
        self._format = container.format.name
        self._period_s = 1.0 / rate_hz
        self._expected_s = _length_s(container, stream)
        self._first_s: float | None = None
        self._last_s = self._end_s = self._longest_s = 0.0
        self._frames = 0

    def take(self, frame: av.VideoFrame) -> None:
        """Note the time of a frame."""
        self._frames += 1
        seconds = (float(frame.pts * frame.time_base)
                   if frame.pts is not None and frame.time_base is not None
                   else self._frames * self._period_s)
        if self._first_s is None:
            self._first_s = self._last_s = seconds
        self._longest_s = max(self._longest_s, seconds - self._last_s)
        self._last_s = seconds
        lasts = (float(frame.duration * frame.time_base)
                 if frame.duration and frame.time_base is not None else self._period_s)
        self._end_s = max(self._end_s, seconds + lasts)

    def fault(self, path: Path) -> str:
        """Return what tells that the end of the file is missing, or ''."""
        length = self._end_s - (self._first_s or 0.0)
        # A frame may last longer than any before it.
        tolerance = 1.5 * max(self._period_s, self._longest_s)
        if self._expected_s is not None and self._expected_s - length > tolerance:
            return f'it ends after {length:.2f} of {self._expected_s:.2f} s'
        if _MP4 in self._format and _is_cut_off(path):
            return f'its last part is cut off after {length:.2f} s'
        if _MATROSKA in self._format and self._expected_s is None:
            return f'its recorder has not closed it; it holds {length:.2f} s'
        return ''


def _length_s(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """Return the length of the video in seconds according to its file, None if it says none."""
    # FFmpeg shortens the length of an AVI to what is there.
    if container.format.name == 'avi' and stream.frames and stream.average_rate:
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
