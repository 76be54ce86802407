# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The cameras that the launch arguments name, their topics and their output topics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fcn_seg_ros.errors import InputError

# Topic names of drivers and image_proc; the camera's other topics are in the same namespace.
_IMAGE_NAMES = ('image', 'image_raw', 'image_mono', 'image_color', 'image_rect',
                'image_rect_color')
# What rcl accepts on the right side of a remapping.
_TOPIC = re.compile(r'(~/|/)?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)
_NAME = re.compile(r'[A-Za-z_]\w*', re.ASCII)


def one_camera(values: Mapping[str, str], known: Sequence[str]) -> dict[str, str]:
    """
    Return each camera's topic by the camera's name; '' if the arguments give none.

    ``known`` are the cameras in the parameters; the arguments may name another. Raises InputError
    for an invalid name or topic, and for a topic that could belong to several cameras.
    """
    camera, topic = values['camera'], values['topic']
    if camera:
        check_name('camera', camera, 'the name of a camera, such as front')
    if topic:
        check_topic('topic', topic)
    if topic and not camera and len(known) > 1:
        raise InputError(f'camera: say which camera topic belongs to (one of {", ".join(known)})')
    return dict.fromkeys([camera] if camera else known, topic)


def several_cameras(values: Mapping[str, str], known: Sequence[str]) -> dict[str, str]:
    """
    Return each camera's topic from ``cameras`` and ``topics``; '' if they give none.

    Raises InputError for an invalid name or topic, and if two cameras share a topic.
    """
    cameras, topics = _listed(values['cameras']), _listed(values['topics'])
    for camera in cameras:
        check_name('cameras', camera, 'the name of a camera, such as front')
    if len(set(cameras)) < len(cameras):
        raise InputError(f'cameras: expected different names, found {values["cameras"]!r}')
    if len(topics) <= 1 or '{camera}' in values['topics']:
        topics = [values['topics'].replace('{camera}', camera) for camera in cameras]
    for topic in filter(None, topics):
        check_topic('topics', topic)
    given = {topic for topic in topics if topic}
    if len(topics) != len(cameras) or (given and len(given) < len(cameras)):
        raise InputError('topics: expected one with {camera} in it, or one for each of the '
                         f'{len(cameras)} cameras, found {values["topics"]!r}')
    return dict(zip(cameras, topics, strict=True))


def output_prefixes(cameras: Mapping[str, str], outputs: str) -> dict[str, str]:
    """
    Return the prefix of each camera's output topics, ``front/road`` for ``front/road/mask``.

    ``outputs`` is the argument of that name. Raises InputError if two cameras share a prefix.
    """
    prefixes = {camera: _prefix(camera, topic, outputs) for camera, topic in cameras.items()}
    if len(set(prefixes.values())) < len(prefixes):
        raise InputError('outputs: expected {camera} in it, or image topics in different '
                         f'namespaces; found the same outputs for {", ".join(prefixes)}')
    return prefixes


def check_name(argument: str, name: str, what: str) -> None:
    """Raise InputError for an invalid name of a camera or node; ``what`` describes a valid one."""
    if not _NAME.fullmatch(name):
        raise InputError(f'{argument}: expected {what}, found {name!r}')


def check_topic(argument: str, topic: str) -> None:
    """Raise InputError for an invalid topic, and for one with a transport."""
    if topic.endswith(('/compressed', '/compressedDepth', '/theora', '/ffmpeg')):
        raise InputError(f'{argument}: expected a topic without its transport (use '
                         f'transport:=compressed), found {topic!r}')
    if not _TOPIC.fullmatch(topic):
        raise InputError(f'{argument}: expected the name of a topic, found {topic!r}')


def _prefix(camera: str, topic: str, outputs: str) -> str:
    if outputs:
        prefix = outputs.replace('{camera}', camera)
        check_topic('outputs', prefix)
        return prefix
    if not topic:
        return f'{camera}/road'
    namespace, _, last = topic.rpartition('/')
    if last not in _IMAGE_NAMES:
        return f'{topic}/road'
    return f'{namespace}/road' if namespace or topic.startswith('/') else 'road'


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(',')]
