# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small recordings for runs of ``segment --output``, and what is in their bags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import Reader
from test_drive_bag import START_NS, STORE, camera_info, compressed, image, write_bag

STEP_NS = 100_000_000
#: Of the arguments that make a run of a random network the same everywhere.
FP32 = ('--backend', 'torch', '--precision', 'fp32', '--threads', '1')


def street(index: int, frames: list[Any]) -> np.ndarray:
    """Return a picture that differs from all others, uint8 (48, 160, 3)."""
    return np.roll(frames[index % len(frames)].image[::2, ::2], index, axis=1).copy()


def record(path: Path, frames: list[Any], count: int = 10, storage: str = 'mcap',
           topics: tuple[str, ...] = ('/front/image_raw',)) -> Path:
    """Write a bag of ``count`` images per topic, with CameraInfo and a topic of something else."""
    messages: list[tuple[str, Any, int]] = []
    for index in range(count):
        stamp = START_NS + index * STEP_NS
        for topic in topics:
            picture = street(index, frames)
            messages.append((f'{topic.partition("/image")[0]}/camera_info',
                             camera_info(160, 48, 120.0, stamp), stamp + 1_000_000))
            make = compressed if topic.endswith('compressed') else (
                lambda pixels, when: image(pixels, 'rgb8', when))
            messages.append((topic, make(picture, stamp), stamp + 2_000_000))
        messages.append(('/note', STORE.types['std_msgs/msg/String'](f'{index}'),
                         stamp + 3_000_000))
    return write_bag(path, storage, messages)


def read(bag: Path) -> list[tuple[str, str, int, bytes]]:
    """Return topic, type, time and bytes of all messages in the order of reading."""
    with Reader(bag) as reader:
        return [(connection.topic, connection.msgtype, when, bytes(content))
                for connection, when, content in reader.messages()]


def images_of(bag: Path, topic: str) -> dict[int, np.ndarray]:
    """Return the mono8 images of a topic by stamp."""
    found = {}
    for name, kind, _, content in read(bag):
        if name == topic:
            message = STORE.deserialize_cdr(content, kind)
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            assert message.encoding == 'mono8' and message.header.frame_id == 'front'
            found[stamp] = message.data.reshape(message.height, message.step)
    return found
