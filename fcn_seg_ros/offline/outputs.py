# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is written about a frame, computed by the rows that the node publishes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros.drives.recorded_messages import header_ns
from fcn_seg_ros.errors import InputError, did_you_mean
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.tables import GroundTables
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.inference.postprocess import UNKNOWN
from fcn_seg_ros.offline.messages import serialised, to_message
from fcn_seg_ros.offline.steps import Loss, Passed, Segmented, Step, Topic
from fcn_seg_ros.outputs.camera_info import camera_model
from fcn_seg_ros.outputs.frame import OutputOptions, SegmentedFrame
from fcn_seg_ros.outputs.images import overlay
from fcn_seg_ros.outputs.table import COMPRESSED, CONTENTS, road_topic

#: What ``--png`` writes: the rows that are images of the frame's size.
PICTURES = tuple(name for name, row in CONTENTS.items()
                 if row.format in ('mono8', 'rgb8') and 'ground' not in row.needs)


@dataclass(frozen=True)
class Wanted:
    """What is written: topics of the bag, PNG files, and the overlay as a video."""

    topics: tuple[str, ...] = ('mask', 'camera_info')
    png: tuple[str, ...] = ()
    video: bool = False

    def __post_init__(self) -> None:
        """Refuse unknown names."""
        for option, names, known in (('--write', self.topics, tuple(CONTENTS)),
                                     ('--png', self.png, PICTURES)):
            for name in names:
                if name not in known:
                    raise InputError(f'{option}: expected names of {", ".join(known)}, found '
                                     f'{name!r}{did_you_mean(name, known)}')

    @property
    def in_metres(self) -> tuple[str, ...]:
        """Return the topics that need the camera's pose."""
        return tuple(name for name in self.topics if 'ground' in CONTENTS[name].needs)


@dataclass(frozen=True)
class Picture:
    """A frame of the video of a topic: its stamp in ns, and uint8 RGB (H, W, 3)."""

    topic: str
    stamp_ns: int
    pixels: np.ndarray


@dataclass(frozen=True)
class Written:
    """
    A step as it is written; ``frame`` is the line of frames.jsonl, ``files`` are by name.

    ``seen`` is the image and its result.
    """

    number: int | None
    messages: tuple[Passed, ...] = ()
    losses: tuple[Loss, ...] = ()
    frame: Mapping[str, Any] | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    picture: Picture | None = None
    seen: Segmented | None = None

    @property
    def size(self) -> int:
        """Return about how many bytes this holds in memory."""
        return (sum(each.size for each in self.messages) + sum(map(len, self.files.values()))
                + (self.picture.pixels.nbytes if self.picture else 0)
                + (self.seen.size if self.seen else 0))


class FixedGround:
    """Gives the tables of a camera that stays where it is, for one thread at a time."""

    def __init__(self, pose: CameraPose) -> None:
        self._pose = pose
        self._made: tuple[GroundView, GroundTables | None] | None = None
        self._told = self.reason = ''

    def tables(self, info: Any, header: Any, settings: Any) -> GroundTables | None:
        """Return the tables for an image with its own CameraInfo, None for ``reason``."""
        try:
            model, rotation, offset = camera_model(info, rectified=False)
            view = GroundView(model, self._pose.turned(rotation, offset))
            if self._made is None or self._made[0].camera != view.camera:
                self._made = view, None
                self._made = view, GroundTables(view, settings.ground)
        except InputError as error:
            self.reason = str(error)
            return None
        if self._made[1] is not None:
            self.reason = ''
        return self._made[1]

    def news(self) -> str:
        """Return the reason if it has changed since the last call or part, else ''."""
        news = '' if self.reason == self._told else self.reason
        self._told = self.reason
        return news

    def begin_part(self) -> None:
        """Tell the reason again, so that what a part says does not depend on others."""
        self._told = ''


class Computer:
    """
    Computes what is wanted of each step, of several at the same time on ``threads`` threads.

    What it says of a part of ``part_frames`` images does not depend on other parts.
    """

    def __init__(self, wanted: Wanted, topics: Sequence[str], options: OutputOptions,
                 pose: CameraPose | None, part_frames: int) -> None:
        if wanted.in_metres and pose is None:
            raise InputError(f'--pose: expected the camera\'s pose, which {wanted.in_metres[0]} '
                             'needs, found none')
        if wanted.in_metres and len(topics) > 1:
            raise InputError(f'--topics: expected one topic for {wanted.in_metres[0]}, since '
                             f'--pose is that of one camera, found {", ".join(topics)}')
        self._wanted = wanted
        self._cameras = camera_names(topics)
        self._options = options
        self._part_frames, self._part = part_frames, 0
        self._grounds = {topic: FixedGround(pose) for topic in topics
                         if pose is not None and wanted.in_metres}
        # Tables over the ground keep their arrays from frame to frame.
        self.threads = 1 if self._grounds else max(1, min(4, (os.cpu_count() or 1) - 1))

    def mask_topics(self) -> dict[str, str]:
        """Return the topic of the masks, raw if there are both, of each image topic."""
        names = [name for name in ('mask', f'mask{COMPRESSED}') if name in self._wanted.topics]
        return {topic: road_topic(camera, names[0]) for topic, camera in self._cameras.items()
                if names}

    def topics(self) -> Iterator[Topic]:
        """Yield the topics of the bag that are computed."""
        for camera in self._cameras.values():
            for name in self._wanted.topics:
                yield Topic(road_topic(camera, name), CONTENTS[name].type_name)

    def __call__(self, step: Step) -> Written:
        """Return what is written about a step."""
        if isinstance(step, Passed):
            return Written(step.number, (step,))
        if isinstance(step, Loss):
            return Written(step.number, losses=(step,))
        assert isinstance(step, Segmented)
        shot = step.frame
        if self._grounds and shot.number // self._part_frames != self._part:
            self._part = shot.number // self._part_frames
            for each in self._grounds.values():
                each.begin_part()
        ground = self._grounds.get(shot.topic)
        frame = SegmentedFrame(self._cameras[shot.topic], shot.header, shot.image, step.result,
                               shot.info, self._options, ground)
        if ground is not None and shot.info is None:
            ground.reason = 'there is no CameraInfo of its camera'
        messages = tuple(self._messages(frame, shot.received_ns))
        losses: tuple[Loss, ...] = ()
        if ground is not None and (news := ground.news()):
            losses = (Loss(f'no {", ".join(self._wanted.in_metres)}: {news}', 0, shot.topic,
                           header_ns(shot), shot.received_ns, shot.number),)
        picture = (Picture(shot.topic, header_ns(shot), frame.once(overlay))
                   if self._wanted.video else None)
        files = {f'{name}/{shot.number:06d}.png': encode_png(CONTENTS[name].compute(frame).pixels)
                 for name in self._wanted.png}
        return Written(shot.number, messages, losses, facts_of(step), files, picture, step)

    def _messages(self, frame: SegmentedFrame, received_ns: int) -> Iterator[Passed]:
        for name in self._wanted.topics:
            row = CONTENTS[name]
            if frame.lacks(row.needs):
                continue
            message = to_message(row.compute(frame), frame.header)
            yield Passed(Topic(road_topic(frame.camera, name), row.type_name), received_ns,
                         serialised(message))


def facts_of(step: Segmented) -> dict[str, Any]:
    """Return the line of frames.jsonl for a frame."""
    frame, result = step.frame, step.result
    pixels = result.mask.size
    unknown = int(np.count_nonzero(result.mask == UNKNOWN))
    road = sum(int(np.count_nonzero(result.mask == each)) for each in result.label_map.road_ids)
    known = pixels - unknown
    sure = float(cv2.sumElems(result.confidence)[0])
    return {
        'number': frame.number, 'topic': frame.topic, 'stamp_ns': header_ns(frame),
        'frame_id': frame.header.frame_id, 'received_ns': frame.received_ns,
        'width': result.mask.shape[1], 'height': result.mask.shape[0],
        'road_share': round(road / pixels, 6),
        'unknown_share': round(unknown / pixels, 6),
        'confidence': round(sure / (255.0 * known), 6) if known else None,
        'ms': {'decode': round(frame.decode_ms, 3),
               'preprocess': round(result.times.preprocess, 3),
               'forward': round(result.times.forward, 3),
               'postprocess': round(result.times.postprocess, 3)}}


def camera_names(topics: Sequence[str]) -> dict[str, str]:
    """
    Return the name of the camera of each image topic, whose results are below NAME/road.

    As for the node, /front/image_raw and /front/image_raw/compressed are of /front. Where that
    would be the same for two topics, their own names serve.
    """
    names = {topic: topic.removesuffix(COMPRESSED).rpartition('/')[0] for topic in topics}
    often = Counter(names.values())
    return {topic: topic if often[name] > 1 else name for topic, name in names.items()}
