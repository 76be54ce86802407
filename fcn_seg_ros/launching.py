# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the launch files decide: arguments in, the node's parameters and remappings out."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcn_seg_ros.dds import use_shipped_profile
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.resources import share_file


@dataclass(frozen=True)
class LaunchArgument:
    """An argument of a launch file; values and defaults are texts, as launch has them."""

    name: str
    default: str
    description: str


@dataclass(frozen=True)
class NodeSetup:
    """What launch_ros' Node takes."""

    params_file: str
    parameters: dict[str, Any]
    remappings: list[tuple[str, str]]
    environment: dict[str, str]


LAUNCH_ARGUMENTS = (
    LaunchArgument('topic', 'camera/image_raw', 'Topic of the camera images (sensor_msgs/Image)'),
    LaunchArgument('checkpoint', '', 'Checkpoint file (.safetensors); empty: what params_file '
                   'says, which by default is the packaged network'),
    LaunchArgument('device', '', 'auto, cpu, cuda or cuda:N; empty: what params_file says'),
    LaunchArgument('precision', '', 'auto, fp32, bf16 or fp16; empty: what params_file says'),
    LaunchArgument('params_file', '', 'Parameter file; empty: the packaged config/seg.yaml'),
    LaunchArgument('namespace', '', 'Namespace of the node and its outputs'),
    LaunchArgument('use_sim_time', '', 'true: take time from /clock (ros2 bag play --clock); '
                   'empty: what params_file says, which by default is false'),
    LaunchArgument('log_level', 'info', 'Log level of the node'),
)
# How long launch waits after SIGINT before it escalates (its own default is 5 s). While the node
# loads it obeys a signal only between two steps, and one may take longer than that on a busy CPU.
SIGTERM_TIMEOUT_S = '15'
# What rcl takes as the right side of a remapping.
_TOPIC = re.compile(r'(~/|/)?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)


def node_setup(values: Mapping[str, str], environ: Mapping[str, str] | None = None) -> NodeSetup:
    """
    Return how to start the node for the values of LAUNCH_ARGUMENTS.

    An argument left empty does not override the parameter file. The topic is that of the camera
    named ``camera``, the default of the parameter ``cameras``; outputs are published beside it:
    the image topic ``/front/image_raw`` gives ``/front/road/mask`` (for a topic whose last part is
    not ``image_raw``, ``<topic>/road/mask``). Raises InputError for a missing file or a value
    that cannot be.
    """
    files = {name: _existing_file(name, values[name]) for name in ('params_file', 'checkpoint')}
    parameters: dict[str, Any] = {name: values[name] for name in ('device', 'precision')
                                  if values[name]}
    if files['checkpoint']:
        parameters['checkpoint'] = files['checkpoint']
    if values['use_sim_time']:
        parameters['use_sim_time'] = _boolean('use_sim_time', values['use_sim_time'])
    params_file = files['params_file'] or str(share_file('config/seg.yaml'))
    environment = dict(os.environ if environ is None else environ)
    before = dict(environment)
    use_shipped_profile(environment)
    added = {name: value for name, value in environment.items() if before.get(name) != value}
    return NodeSetup(params_file, parameters, _remappings(values['topic']), added)


def _existing_file(name: str, path: str) -> str:
    """Return the absolute path of an argument's file, or an empty text where none was given."""
    # A shell leaves the ~ of name:=~/file alone, and launch_ros only warns where a file is missing.
    if path and not Path(path).expanduser().is_file():
        raise InputError(f'{name}: expected a file, found none at {path}')
    return str(Path(path).expanduser().resolve()) if path else ''


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in ('true', 'false'):
        raise InputError(f'{name}: expected true or false, found {text!r}')
    return text.lower() == 'true'


def _remappings(topic: str) -> list[tuple[str, str]]:
    """Return the remappings that move the default camera's topics to those of another camera."""
    if not _TOPIC.fullmatch(topic):
        raise InputError(f'topic: expected the name of an image topic, found {topic!r}')
    if topic == 'camera/image_raw':
        return []
    beside = topic.removesuffix('image_raw') if f'/{topic}'.endswith('/image_raw') else f'{topic}/'
    outputs = ('mask', 'probability', 'overlay')
    return [('camera/image_raw', topic),
            *((f'camera/road/{name}', f'{beside}road/{name}') for name in outputs)]
