# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the node logs at start: its topics, and unknown parameters."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from rclpy.node import Node

from fcn_seg_ros.node.camera_channel import CameraChannel
from fcn_seg_ros.node.outputs.registry import OUTPUTS
from fcn_seg_ros.node.parameters import CAMERA_PARAMETERS

_OF_CAMERA = {row.name for row in CAMERA_PARAMETERS}


def log_topics(node: Node, channels: Mapping[str, CameraChannel],
               shared: Mapping[str, str]) -> None:
    """Log which topics the node reads and writes, one line each for every camera."""
    logger = node.get_logger()
    for name, channel in channels.items():
        logger.info(f'{name}: reads {channel.images.topic}, {channel.info_topic}')
        logger.info(f'{name}: writes {topics_in_words(channel.outputs.topics)}')
    for topic in shared.values():
        logger.info(f'all cameras: writes {topic}')
    for row in OUTPUTS.values():
        if row.message is None:
            package = row.type_name.partition('/')[0]
            logger.info(f'{row.name} is not published: {package} is not installed')


def topics_in_words(topics: Mapping[str, str]) -> str:
    """Return output topics (given by output name) in the form /camera/road/{mask,probability}."""
    groups: dict[str, list[str]] = {}
    for name, topic in topics.items():
        prefix = topic.removesuffix(f'/{name}')
        groups.setdefault(prefix, []).append(name if prefix != topic else '')
    return ', '.join(
        prefix + (f'/{names[0]}' if names[0] else '') if len(names) == 1
        else f'{prefix}/{{{",".join(names)}}}' for prefix, names in groups.items())


def log_unknown_parameters(node: Node) -> None:
    """Warn of parameters that were given but never declared."""
    # rclpy has no public access to the given parameters.
    given: Iterable[str] = getattr(node, '_parameter_overrides', {})
    unknown = [name for name in given if not node.has_parameter(name)]
    if unknown:
        known = list(node.get_parameters_by_prefix(''))
        words = dict.fromkeys(_in_words(name, known) for name in sorted(unknown))
        node.get_logger().warning(f'unknown parameters have no effect: {", ".join(words)}')


def _in_words(name: str, known: list[str]) -> str:
    camera, _, last = name.rpartition('.')
    if camera and last in _OF_CAMERA:
        return f'{camera}.* (not in cameras)'
    close = difflib.get_close_matches(name, known, 1)
    return f'{name} (did you mean {close[0]}?)' if close else name
