# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The arguments of the launch files: those of launch itself, and every parameter of the node."""

from __future__ import annotations

from dataclasses import dataclass

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.node.parameters import PARAMETERS, Row


@dataclass(frozen=True)
class LaunchArgument:
    """
    An argument of a launch file; values and defaults are texts, as launch has them.

    ``default`` None: it must be given. ``choices`` empty: any text; case does not matter.
    """

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...] = ()


BOOLEAN = ('true', 'false')
OWN_ARGUMENTS = (
    LaunchArgument('outputs', '', 'Prefix of the output topics; {camera} stands for the name of '
                   'the camera: /perception/{camera} gives /perception/front/mask. Empty: beside '
                   'the images where their topic is an argument (/front/image_raw gives '
                   '/front/road/mask), else CAMERA/road'),
    LaunchArgument('name', 'seg_node', 'Name of the node'),
    LaunchArgument('namespace', '', 'Namespace of the node and of relative topics, below that of '
                   'the group it is launched in'),
    LaunchArgument('params_file', '', 'Parameter file; empty: none, the defaults are those of '
                   'config/seg.yaml'),
    LaunchArgument('use_sim_time', '', 'Take time from /clock (ros2 bag play --clock)',
                   ('', *BOOLEAN)),
    LaunchArgument('respawn', 'false', 'Start the node again whenever it ends, but by Ctrl-C',
                   BOOLEAN),
    LaunchArgument('respawn_delay', '1.0', 'Seconds to wait before that'),
    LaunchArgument('rviz', 'false', 'Show images, overlay, probability and mask of the (first) '
                   'camera in RViz', BOOLEAN),
    LaunchArgument('log_level', 'info', 'Log level of this node and no other',
                   ('debug', 'info', 'warn', 'error', 'fatal')),
)
# Which cameras there are is said by the launch files' own arguments.
PARAMETER_ROWS = {row.name: row for row in PARAMETERS if row.name != 'cameras'}


def _argument(row: Row) -> LaunchArgument:
    default = str(row.default).lower() if isinstance(row.default, bool) else repr(row.default)
    return LaunchArgument(row.name, '', f'{row.description} Empty: as params_file or '
                          f'SetParameter says, else {default}')


COMMON_ARGUMENTS = (*OWN_ARGUMENTS, *map(_argument, PARAMETER_ROWS.values()))
CAMERA_ARGUMENTS = (
    LaunchArgument('camera', '', 'Name of the camera, in the parameters and the diagnostics; '
                   'empty: what params_file or SetParameter says, else `camera`'),
    LaunchArgument('topic', '', 'Topic of its images (sensor_msgs/Image), without a transport '
                   '(/compressed); empty: what params_file or SetParameter says, else '
                   'CAMERA/image_raw'),
)
CAMERAS_ARGUMENTS = (
    LaunchArgument('cameras', None, 'Names of the cameras, with commas: front,left,right'),
    LaunchArgument('topics', '', 'Topics of their images, without a transport (/compressed): one '
                   'for all, in which {camera} stands for the name, as in '
                   '/sensing/camera/{camera}/image_raw, or one for each, with commas; empty: '
                   'what params_file or SetParameter says, else CAMERA/image_raw'),
)
ONE_CAMERA_ARGUMENTS = (*CAMERA_ARGUMENTS, *COMMON_ARGUMENTS)
SEVERAL_CAMERAS_ARGUMENTS = (*CAMERAS_ARGUMENTS, *COMMON_ARGUMENTS)


def choice(argument: LaunchArgument, text: str) -> str:
    """Return which of an argument's choices a text is, in any case; raises InputError for none."""
    if text.lower() not in argument.choices:
        raise InputError(f'{argument.name}: expected one of '
                         f'{", ".join(filter(None, argument.choices))}, found {text!r}')
    return text.lower()
