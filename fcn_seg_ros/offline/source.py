# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The steps of a recording: of a bag without decoding, of any other drive by its frames."""

from __future__ import annotations

import math
import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fcn_seg_ros.drives.bag_drive import BagDrive, DriveMessage
from fcn_seg_ros.drives.drive import Calibration, Drive, DriveFrame, frames_and_losses
from fcn_seg_ros.drives.folder import FolderDrive, find_stamps
from fcn_seg_ros.drives.notes import Note
from fcn_seg_ros.drives.recorded_messages import Damaged
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.drives.storage import Channel
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.encodings import to_rgb
from fcn_seg_ros.offline.messages import make_camera_info, make_header, make_image, serialised
from fcn_seg_ros.offline.steps import Decoded, Loss, Passed, Step, Topic, Undecoded

#: The topic of drives without topics.
DEFAULT_TOPIC = '/camera/image_raw'
_IMAGE, _CAMERA_INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo'
# Published once, at the beginning; whatever comes later may need it.
_LATCHED = ('/tf_static', '/robot_description')


@dataclass(frozen=True)
class Selection:
    """
    Which images: every ``every``-th of each topic, at most ``limit`` (0: all).

    Those from ``start`` to ``end`` seconds after the first image; ``end`` 0: to the last one.
    """

    topics: Sequence[str] = ()
    every: int = 1
    limit: int = 0
    start: float = 0.0
    end: float = 0.0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.every < 1 or self.limit < 0:
            raise InputError('--every, --frames: expected at least 1, and 0 (all) or more, found '
                             f'{self.every} and {self.limit}')
        if (not (0.0 <= self.start < math.inf and 0.0 <= self.end < math.inf)
                or 0.0 < self.end <= self.start):
            raise InputError('--start, --end: expected seconds of which the end is later, found '
                             f'{self.start:g} and {self.end:g}')


@dataclass
class _Chooser:
    """Numbers the chosen images, in their order."""

    selection: Selection
    number: int = 0
    first_ns: int | None = None
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def full(self) -> bool:
        return 0 < self.selection.limit <= self.number

    def seconds(self, time_ns: int) -> float:
        """Return the time since the first image."""
        return 0.0 if self.first_ns is None else (time_ns - self.first_ns) / 1e9

    def begun(self, time_ns: int) -> bool:
        if not self.selection.start:
            return True
        return self.first_ns is not None and self.seconds(time_ns) >= self.selection.start

    def ended(self, time_ns: int) -> bool:
        return 0.0 < self.selection.end < self.seconds(time_ns)

    def take(self, topic: str, time_ns: int) -> int | None:
        """Return the number of an image, None if it is not chosen."""
        if self.first_ns is None:
            self.first_ns = time_ns
        if not self.begun(time_ns) or self.ended(time_ns):
            return None
        self.seen[topic] += 1
        if (self.seen[topic] - 1) % self.selection.every:
            return None
        self.number += 1
        return self.number - 1


class Source:
    """
    A recording.

    ``topics`` are those of its images; ``length`` is the number of chosen images if it is known.
    With ``originals`` its messages are among the steps, but those of ``replaced`` topics and those
    that are not ROS's. Raises InputError.
    """

    def __init__(self, given: str, selection: Selection, originals: bool) -> None:
        self.replaced: frozenset[str] = frozenset()
        self._left_out: set[str] = set()
        self.given = given
        self.selection = selection
        self._originals = originals
        self._notes: deque[Note] = deque()
        path = Path(given).expanduser()
        self.drive = open_drive(given, topics=selection.topics, on_note=self._notes.append)
        self._bag = self.drive if isinstance(self.drive, BagDrive) else None
        self.topics = self._bag.topics if self._bag else (DEFAULT_TOPIC,)
        self.files = _files(path, self.drive)
        self.length = self._length()
        if self._bag is not None:
            _check_times(self._bag, selection)
            if originals:
                _check_originals(self._bag)

    def steps(self) -> Iterator[Step]:
        """Yield the steps; a loss comes before the next image."""
        yield from self._losses()
        yield from self._recorded(self._bag) if self._bag else self._frames()

    def _recorded(self, bag: BagDrive) -> Iterator[Step]:
        chooser = _Chooser(self.selection)
        self._left_out.clear()
        bag.notes.restart()
        for each in bag.messages(self._originals):
            yield from self._losses()
            message = each.message
            topic, time_ns = message.channel.topic, message.received_ns
            if chooser.ended(time_ns) or chooser.full:
                return
            number = chooser.take(topic, time_ns) if each.is_image else None
            if self._originals and (chooser.begun(time_ns) or topic in _LATCHED):
                yield from self._passed(bag, each)
            if number is not None:
                yield Undecoded(number, partial(_decode_recorded, bag, each, number),
                                len(message.content))
        yield from self._losses()

    def _passed(self, bag: BagDrive, each: DriveMessage) -> Iterator[Step]:
        """Yield a message to be written unchanged, or once for each topic why it cannot be."""
        message = each.message
        channel, topic = message.channel, message.channel.topic
        if topic in self._left_out:
            return
        if topic in self.replaced:
            reason = 'the new messages of this topic replace the recorded ones'
        elif channel.encoding == 'cdr' and (channel.type or each.is_image):
            yield Passed(_topic_of(channel, bag.image_type(channel)), message.received_ns,
                         message.content)
            return
        else:
            reason = ('the messages of this topic are not in the new bag: their type is '
                      f'{channel.type or "unknown"}, in {channel.encoding}')
        self._left_out.add(topic)
        yield Loss(reason, 0, topic, None, message.received_ns)

    def _frames(self) -> Iterator[Step]:
        chooser = _Chooser(self.selection)
        for frame in frames_and_losses(self.drive):
            if isinstance(frame, Note):
                yield _loss(frame)
                continue
            if chooser.ended(frame.time_ns) or chooser.full:
                return
            number = chooser.take(DEFAULT_TOPIC, frame.time_ns)
            if self._originals and chooser.begun(frame.time_ns):
                yield Passed(Topic(DEFAULT_TOPIC, _IMAGE), frame.time_ns,
                             serialised(make_image(frame)))
                if frame.calibration is not None:
                    info = make_camera_info(frame.calibration,
                                            make_header(frame.stamp_ns, frame.frame_id))
                    yield Passed(Topic(f'{DEFAULT_TOPIC.rpartition("/")[0]}/camera_info',
                                       _CAMERA_INFO), frame.time_ns, serialised(info))
            if number is not None:
                yield Undecoded(number, partial(_decode, frame, number, DEFAULT_TOPIC,
                                                frame.time_ns), frame.data.nbytes)

    def _losses(self) -> Iterator[Loss]:
        while self._notes:
            yield _loss(self._notes.popleft())

    def _length(self) -> int | None:
        length, selection = self.drive.length, self.selection
        if length is None or selection.start or selection.end:
            return selection.limit or None
        length = -(-length // selection.every)
        return min(length, selection.limit) if selection.limit else length


def _decode_recorded(bag: BagDrive, each: DriveMessage, number: int) -> Decoded | Loss:
    message, started = each.message, time.perf_counter()
    try:
        frame = bag.to_frame(message, each.calibration)
    except Damaged as error:
        return Loss(str(error), 1, message.channel.topic, error.stamp_ns, message.received_ns,
                    number)
    return _decode(frame, number, message.channel.topic, message.received_ns, started)


def _decode(frame: DriveFrame, number: int, topic: str, received_ns: int,
            started: float | None = None) -> Decoded | Loss:
    started = time.perf_counter() if started is None else started
    try:
        image = to_rgb(frame.data.reshape(-1), frame.height, frame.width, frame.encoding,
                       frame.step, frame.is_bigendian)
    except InputError as error:
        return Loss(str(error), 1, topic, frame.stamp_ns, received_ns, number)
    header = make_header(frame.stamp_ns, frame.frame_id)
    return Decoded(number, topic, received_ns, header, image, _info(frame.calibration, header),
                   1e3 * (time.perf_counter() - started))


def _loss(note: Note) -> Loss:
    return Loss(note.reason, note.lost, note.topic, note.stamp_ns, note.received_ns)


def _topic_of(channel: Channel, kind: str) -> Topic:
    return Topic(channel.topic, kind or channel.type, channel.definition, channel.type_hash,
                 channel.qos)


def _info(calibration: Calibration | None, header: object) -> object:
    return None if calibration is None else make_camera_info(calibration, header)


def _files(path: Path, drive: Drive) -> dict[str, int]:
    """
    Return the sizes of the files of a recording, by name, which tell whether it is the same.

    Folders below do not count: the run itself may be in one.
    """
    if isinstance(drive, FolderDrive):
        files = [*drive.images, *filter(None, [find_stamps(drive.images[0])])]
    else:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
    start = path if path.is_dir() else path.parent
    return {os.path.relpath(file, start): file.stat().st_size for file in files if file.is_file()}


def _check_times(bag: BagDrive, selection: Selection) -> None:
    if bag.at_once and (selection.start or selection.end):
        raise InputError(f'{bag.name}: expected messages with times of recording for --start and '
                         '--end, found the same time for all: choose by --every and --frames')


def _check_originals(bag: BagDrive) -> None:
    if any(channel.encoding == 'ros1' for channel in bag.bag.channels):
        raise InputError(f'{bag.name}: expected a rosbag2 bag for --originals, found one of ROS 1: '
                         'convert it by `rosbags-convert`, or leave --originals out')
