# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The overlays of a run as videos, one per topic: a piece per part, put together without loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from fcn_seg_ros.drives.video_writer import VideoFile
from fcn_seg_ros.files import make_folder, replacing
from fcn_seg_ros.offline.outputs import Picture

VIDEO = 'overlay.mp4'
# Without frames that refer to later ones, pieces can be put one after the other.
_OPTIONS = {'bf': '0'}


class PartVideos:
    """
    The pieces of one part, as a context manager.

    ``facts`` says of each topic the file, its size, and the time of its first image.
    """

    def __init__(self, folder: Path, rate_hz: float) -> None:
        self.facts: dict[str, Any] = {}
        self._folder = folder
        self._rate = _rate(rate_hz)
        self._files: dict[str, VideoFile] = {}

    def __enter__(self) -> PartVideos:
        """Return this."""
        return self

    def __exit__(self, *error: object) -> None:
        """Complete the pieces."""
        for file in self._files.values():
            file.__exit__(*error)

    def add(self, picture: Picture) -> None:
        """Add an image to the piece of its topic."""
        topic = picture.topic
        if topic not in self._files:
            name = f'{len(self._files)}.mp4'
            self._files[topic] = VideoFile(make_folder(self._folder) / name, self._rate,
                                           options=_OPTIONS)
            self.facts[topic] = {'first_ns': picture.stamp_ns, 'file': name}
        self._files[topic].add((picture.stamp_ns - self.facts[topic]['first_ns']) / 1e9,
                               picture.pixels)
        self.facts[topic]['size'] = self._files[topic].size


def join_videos(result: Path, parts: Sequence[tuple[Path, Mapping[str, Any]]], rate_hz: float
                ) -> None:
    """Write the videos of a run from the pieces: the folder and the facts of each part."""
    topics = list(dict.fromkeys(topic for _, facts in parts for topic in facts))
    for topic, name in zip(topics, _names(topics), strict=True):
        mine = [(folder, facts[topic]) for folder, facts in parts if topic in facts]
        width, height = mine[0][1]['size']
        pieces = [(folder / each['file'] if [*each['size']] == [width, height] else
                   _fitted(folder / each['file'], (width, height), _rate(rate_hz)),
                   each['first_ns']) for folder, each in mine]
        with replacing(result / name) as partial:
            _join(partial, pieces, _rate(rate_hz))


def _names(topics: Sequence[str]) -> list[str]:
    """Return the name of each topic's video."""
    if len(topics) == 1:
        return [VIDEO]
    stems = [f'overlay{topic.replace("/", "_")}' for topic in topics]
    # /a/b and /a_b would be the same.
    if len(set(stems)) < len(stems):
        stems = [f'{stem}_{number}' for number, stem in enumerate(stems, 1)]
    return [f'{stem}.mp4' for stem in stems]


def _fitted(piece: Path, size: tuple[int, int], rate: Fraction) -> Path:
    """Encode a piece again in the size of the first one, since a video has only one size."""
    path = piece.with_suffix(f'.fitted{piece.suffix}')
    with av.open(str(piece)) as given, VideoFile(path, rate, size, _OPTIONS) as file:
        for frame in given.decode(video=0):
            file.add(frame.time or 0.0, frame.to_ndarray(format='rgb24'))
    return path


def _join(path: Path, pieces: Sequence[tuple[Path, int]], rate: Fraction) -> None:
    """Copy the pieces' packets, each piece later by its first image's time."""
    last = -1
    with av.open(str(path), 'w', format='mp4', options={'movflags': '+faststart'}) as out:
        stream = None
        for file, first_ns in pieces:
            with av.open(str(file)) as piece:
                source = piece.streams.video[0]
                if stream is None:
                    stream = out.add_stream_from_template(source)
                begin = max(last + 1, round(Fraction(first_ns - pieces[0][1], 10**9) * rate))
                for packet in piece.demux(source):
                    if packet.pts is None:
                        continue
                    at = begin + round(packet.pts * packet.time_base * rate)
                    last = max(last + 1, at)
                    packet.pts = packet.dts = last
                    packet.time_base = 1 / rate
                    packet.stream = stream
                    out.mux(packet)


def _rate(rate_hz: float) -> Fraction:
    return Fraction(rate_hz).limit_denominator(1000)
