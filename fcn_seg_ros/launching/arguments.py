# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The arguments of the launch files: their own, and one for every parameter of the node."""

from __future__ import annotations

from dataclasses import dataclass

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.node.outputs.registry import node_parameters
from fcn_seg_ros.node.parameters import Row


@dataclass(frozen=True)
class LaunchArgument:
    """
    An argument of a launch file; values and defaults are strings, as in launch.

    Without a ``default`` it is required. ``choices``, if any, are compared without regard to case.
    """

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...] = ()


BOOLEAN = ('true', 'false')
OWN_ARGUMENTS = (
    LaunchArgument('outputs', '', 'Prefix of the output topics, where {camera} is the name of the '
                   'camera: /perception/{camera} gives /perception/front/mask. Empty: next to the '
                   'images if an argument names their topic (/front/image_raw gives '
                   '/front/road/mask), else CAMERA/road'),
    LaunchArgument('name', 'seg_node', 'Name of the node'),
    LaunchArgument('namespace', '', 'Namespace of the node and its relative topics, inside the '
                   'namespace of the enclosing group'),
    LaunchArgument('params_file', '', 'Parameter file, such as a copy of config/seg.yaml; empty: '
                   'the defaults'),
    LaunchArgument('use_sim_time', '', 'Use the time on /clock (ros2 bag play --clock)',
                   ('', *BOOLEAN)),
    LaunchArgument('respawn', 'false', 'Restart the node when it exits, except on Ctrl-C',
                   BOOLEAN),
    LaunchArgument('respawn_delay', '1.0', 'Seconds to wait before a restart'),
    LaunchArgument('rviz', 'false', 'Show image, overlay, probability, mask, grid, freespace and '
                   'points of the first camera in RViz', BOOLEAN),
    LaunchArgument('log_level', 'info', 'Log level of this node only',
                   ('debug', 'info', 'warn', 'error', 'fatal')),
)
# The launch files have arguments of their own for the cameras.
PARAMETER_ROWS = {row.name: row for row in node_parameters() if row.name != 'cameras'}


def _argument(row: Row) -> LaunchArgument:
    default = str(row.default).lower() if isinstance(row.default, bool) else repr(row.default)
    return LaunchArgument(row.name, '', f'{row.description} Empty: from params_file or '
                          f'SetParameter, else {default}')


COMMON_ARGUMENTS = (*OWN_ARGUMENTS, *map(_argument, PARAMETER_ROWS.values()))
CAMERA_ARGUMENTS = (
    LaunchArgument('camera', '', 'Name of the camera in parameters and diagnostics; empty: from '
                   'params_file or SetParameter, else `camera`'),
    LaunchArgument('topic', '', 'Topic of its images (sensor_msgs/Image), without a transport '
                   '(/compressed); empty: from params_file or SetParameter, else '
                   'CAMERA/image_raw'),
)
CAMERAS_ARGUMENTS = (
    LaunchArgument('cameras', None, 'Names of the cameras, separated by commas: front,left,right'),
    LaunchArgument('topics', '', 'Topics of their images, without a transport (/compressed): '
                   'either one pattern with the name as {camera}, such as '
                   '/sensing/camera/{camera}/image_raw, or one topic for each, separated by '
                   'commas; empty: from params_file or SetParameter, else CAMERA/image_raw'),
)
ONE_CAMERA_ARGUMENTS = (*CAMERA_ARGUMENTS, *COMMON_ARGUMENTS)
SEVERAL_CAMERAS_ARGUMENTS = (*CAMERAS_ARGUMENTS, *COMMON_ARGUMENTS)


def choice(argument: LaunchArgument, text: str) -> str:
    """Return the choice that equals a text, ignoring case; raises InputError if there is none."""
    if text.lower() not in argument.choices:
        raise InputError(f'{argument.name}: expected one of '
                         f'{", ".join(filter(None, argument.choices))}, found {text!r}')
    return text.lower()
