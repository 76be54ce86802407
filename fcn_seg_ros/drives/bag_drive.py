# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The images of a bag as a drive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from fcn_seg_ros.drives.bag import Bag, BagMessage
from fcn_seg_ros.drives.drive import Calibration, DriveFrame, rate_of
from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.drives.recorded_messages import (
    CAMERA_INFO,
    COMPRESSED,
    IMAGE,
    Damaged,
    deserialize,
    guess_type,
    header_ns,
    is_ros,
    to_calibration,
    to_frame,
)
from fcn_seg_ros.drives.storage import Channel
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.pose import CameraPose

DEFAULT_RATE_HZ = 10.0
# The rate is estimated from the first messages, so that a long bag is not read twice.
MESSAGES_FOR_RATE = 30
# Pairs of sizes of image and CameraInfo that are noted.
_MOST_SIZES = 10
#: Means all image topics.
ALL_TOPICS = ('*',)


class DriveMessage(NamedTuple):
    """
    A message of a bag.

    ``is_image``: it is of one of the drive's image topics, and ``calibration`` is the newest one of
    its camera, the first for the images before it, or None.
    """

    message: BagMessage
    is_image: bool
    calibration: Calibration | None


class BagDrive:
    """
    One or several image topics of a bag, each with its camera's CameraInfo if it was recorded.

    Raw images keep their encoding, byte for byte; compressed ones are decoded to rgb8. Frames
    come in the order of recording, whatever their stamps. ``at_once`` says that the first messages
    all have the same time of recording.
    """

    def __init__(self, path: Path, topics: Sequence[str] = (), rate_hz: float | None = None,
                 notes: Notes | None = None) -> None:
        """
        Open the bag and choose the image topics; none need be named if there is only one.

        Raises InputError if the bag cannot be read, has no images, or has several image topics and
        none is named.
        """
        self.pose: CameraPose | None = None
        self.name = str(path)
        self.notes = Notes() if notes is None else notes
        self.bag = Bag(path, self.notes)
        self._types: dict[tuple[str, str], str] = {}
        channels = self.bag.channels
        self.topics = self._choose(channels, topics)
        infos = {camera_info_topic(topic) for topic in self.topics}
        self._info_topics = infos & {c.topic for c in channels if c.type == CAMERA_INFO}
        counts = [c.count for c in channels if c.topic in self.topics and self.image_type(c)]
        self.length: int | None = None if None in counts else sum(c or 0 for c in counts)
        with self.notes.muted():
            self._first_calibrations = self._read_first_calibrations()
            received, stamps = self._read_first_times()
        # In a converted bag all messages may have the same time of recording.
        self.at_once = len(received) > 1 and len(set(received)) == 1
        self._by_stamp = self.at_once and len(set(stamps)) > 1
        if self._by_stamp:
            self.notes.add(Note('all messages have the same time of recording: using the stamps '
                                'of their headers'))
        elif self.at_once:
            self.notes.add(Note('neither times of recording nor stamps say when the images were '
                                'taken: a rate (--rate) plays them evenly'))
        self.rate_hz = rate_hz or rate_of(stamps if self._by_stamp else received, DEFAULT_RATE_HZ)

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield the frames; raises InputError if none of the messages can be read."""
        self.notes.restart()
        read, first_fault = 0, ''
        noted: set[tuple[int, ...]] = set()
        for message, is_image, calibration in self.messages():
            if not is_image:
                continue
            topic = message.channel.topic
            try:
                frame = self.to_frame(message, calibration)
            except Damaged as error:
                self.notes.add(Note(str(error), 1, topic, message.received_ns, error.stamp_ns))
                first_fault = first_fault or f'{topic}: {error}'
                continue
            self._check_calibration(frame, noted)
            read += 1
            yield frame
        if not read:
            raise InputError(f'{self.name}: expected images on {", ".join(self.topics)}, found '
                             f'none that can be read; {first_fault or "all messages are damaged"}')

    def messages(self, everything: bool = False) -> Iterator[DriveMessage]:
        """
        Yield the messages of images and their CameraInfo, or those of all topics, in one pass.

        They are serialised, as recorded (compression by message undone), to be copied or decoded:
        ``to_frame`` takes the message of an image and its calibration.
        """
        calibrations = dict(self._first_calibrations)
        for message in self.bag.messages((lambda channel: True) if everything else self._is_wanted):
            channel = message.channel
            if channel.topic in self.topics and self.image_type(channel):
                yield DriveMessage(message, True, calibrations.get(
                    camera_info_topic(channel.topic)))
                continue
            if channel.topic in self._info_topics and _is_info(channel, channel.topic):
                try:
                    calibrations[channel.topic] = to_calibration(message)
                except Damaged as error:
                    self.notes.add(Note(str(error), 1, channel.topic, message.received_ns,
                                        error.stamp_ns))
            yield DriveMessage(message, False, None)

    def to_frame(self, message: BagMessage, calibration: Calibration | None = None) -> DriveFrame:
        """Return the frame in a message of one of the drive's topics; raises Damaged."""
        frame = to_frame(message, self.image_type(message.channel), calibration)
        return replace(frame, received_ns=None) if self._by_stamp else frame

    def image_type(self, channel: Channel) -> str:
        """Return the type of an image channel (Image or CompressedImage), '' for other channels."""
        if not is_ros(channel):
            return ''
        if channel.type:
            return channel.type if channel.type in (IMAGE, COMPRESSED) else ''
        key = (channel.topic, channel.encoding)
        if key not in self._types:
            # A channel without a schema: try its first message.
            with self.notes.muted():
                first = next(self.bag.messages(
                    lambda c: not c.type and (c.topic, c.encoding) == key), None)
            self._types[key] = guess_type(first) if first else ''
        return self._types[key]

    def _is_wanted(self, channel: Channel) -> bool:
        if any(_is_info(channel, topic) for topic in self._info_topics):
            return True
        return channel.topic in self.topics and bool(self.image_type(channel))

    def _choose(self, channels: list[Channel], wanted: Sequence[str]) -> tuple[str, ...]:
        """Return the image topics to read."""
        counts: dict[str, int | None] = {}
        for channel in channels:
            if self.image_type(channel):
                before = counts.get(channel.topic, 0)
                counts[channel.topic] = (None if before is None or channel.count is None
                                         else before + channel.count)
        if not counts:
            found = ', '.join(_describe(c) for c in channels) or 'no topic at all'
            found += ''.join(f'; {note.reason}' for note in islice(self.notes, 1))
            hint = ('; topics of other types or encodings must be converted to one of these first'
                    if channels else '')
            raise InputError(f'{self.name}: expected a bag with images (sensor_msgs Image or '
                             f'CompressedImage), found {found}{hint}')
        listing = ', '.join(f'{topic} ({"?" if count is None else count})'
                            for topic, count in counts.items())
        named = ['/' + topic.strip('/') for topic in wanted if topic not in ALL_TOPICS]
        for topic in named:
            if topic not in counts:
                raise InputError(f'{self.name}: expected an image topic {topic}, found {listing}')
        # Depth images cannot be segmented, so they are read only if named.
        full = [topic for topic, count in counts.items()
                if count != 0 and not topic.endswith('/compressedDepth')]
        chosen = named or full
        if not any(counts[topic] != 0 for topic in chosen):
            raise InputError(f'{self.name}: expected images on {", ".join(named or counts)}, found '
                             'no messages'
                             + ''.join(f'; {note.reason}' for note in islice(self.notes, 1)))
        if len(chosen) > 1 and not wanted:
            raise InputError(f'{self.name}: expected one image topic or --topic to choose one, '
                             f'found {listing}')
        return tuple(dict.fromkeys(chosen))

    def _read_first_calibrations(self) -> dict[str, Calibration]:
        """Return each CameraInfo topic's first message, which also serves the images before it."""
        found: dict[str, Calibration] = {}
        for topic in sorted(self._info_topics):
            infos = self.bag.messages(partial(_is_info, topic=topic))
            for message in infos:
                with suppress(Damaged):
                    found[topic] = to_calibration(message)
                    break
        return found

    def _read_first_times(self) -> tuple[list[int], list[int]]:
        """Return the first images' times of recording and header stamps."""
        received, stamps = [], []
        for message in self.bag.messages(
                lambda c: c.topic == self.topics[0] and bool(self.image_type(c))):
            with suppress(Damaged):
                stamps.append(header_ns(deserialize(message, self.image_type(message.channel))))
                received.append(message.received_ns)
            if len(stamps) >= MESSAGES_FOR_RATE:
                break
        return received, stamps

    def _check_calibration(self, frame: DriveFrame, noted: set[tuple[int, ...]]) -> None:
        """Note, once for each pair of sizes, if the calibration is for another size."""
        calibration = frame.calibration
        if calibration is None or not (calibration.width and calibration.height):
            return
        width, height = calibration.image_size
        sizes = (frame.width, frame.height, width, height)
        if sizes[:2] != sizes[2:] and sizes not in noted and len(noted) < _MOST_SIZES:
            noted.add(sizes)
            self.notes.add(Note(
                f'the images are {frame.width}x{frame.height}, their CameraInfo describes '
                f'{width}x{height} (its size, region and binning)', 0, frame.topic))


def camera_info_topic(image_topic: str) -> str:
    """Return the CameraInfo topic beside an image topic, as image_transport names it."""
    base = image_topic.removesuffix('/compressed')
    return base.rpartition('/')[0] + '/camera_info'


def _is_info(channel: Channel, topic: str) -> bool:
    return channel.topic == topic and channel.type == CAMERA_INFO and is_ros(channel)


def _describe(channel: Channel) -> str:
    kind = channel.type or 'no type'
    return f'{channel.topic} ({kind}' + ('' if is_ros(channel) else f', {channel.encoding}') + ')'
