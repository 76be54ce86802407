# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the launch files decide: arguments in, the node's parameters and remappings out."""

from __future__ import annotations

import os
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
    LaunchArgument('use_sim_time', 'false', 'Take time from /clock (ros2 bag play --clock)'),
    LaunchArgument('log_level', 'info', 'Log level of the node'),
)


def node_setup(values: Mapping[str, str], environ: Mapping[str, str] | None = None) -> NodeSetup:
    """
    Return how to start the node for the values of LAUNCH_ARGUMENTS.

    An argument left empty does not override the parameter file. Outputs are published beside the
    camera: the image topic ``/front/image_raw`` gives ``/front/road/mask`` (for a topic that does
    not end in ``/image_raw``, ``<topic>/road/mask``). Raises InputError for a missing file.
    """
    params_file = values['params_file'] or str(share_file('config/seg.yaml'))
    for name, path in (('params_file', params_file), ('checkpoint', values['checkpoint'])):
        if path and not Path(path).expanduser().is_file():
            raise InputError(f'{name}: expected a file, found none at {path}')
    if values['use_sim_time'].lower() not in ('true', 'false'):
        raise InputError(f'use_sim_time: expected true or false, found {values["use_sim_time"]!r}')
    parameters: dict[str, Any] = {name: values[name] for name in ('device', 'precision')
                                  if values[name]}
    if values['checkpoint']:
        parameters['checkpoint'] = str(Path(values['checkpoint']).expanduser().resolve())
    parameters['use_sim_time'] = values['use_sim_time'].lower() == 'true'
    environment = dict(os.environ if environ is None else environ)
    before = dict(environment)
    use_shipped_profile(environment)
    added = {name: value for name, value in environment.items() if before.get(name) != value}
    return NodeSetup(params_file, parameters, _remappings(values['topic']), added)


def _remappings(topic: str) -> list[tuple[str, str]]:
    """Return the remappings that move the default camera's topics to those of another camera."""
    if not topic or topic.endswith('/'):
        raise InputError(f'topic: expected the name of an image topic, found {topic!r}')
    camera = topic.removesuffix('/image_raw')
    if topic == 'camera/image_raw':
        return []
    outputs = ('mask', 'probability', 'overlay')
    return [('camera/image_raw', topic),
            *((f'camera/road/{name}', f'{camera}/road/{name}') for name in outputs)]
