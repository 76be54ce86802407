# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The actions of the launch files; needs launch and launch_ros, which come only with ROS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.action import Action
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.launch_context import LaunchContext
from launch.launch_description import LaunchDescription
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from fcn_seg_ros.launching.arguments import LaunchArgument
from fcn_seg_ros.launching.node_setup import CamerasOf, NodeSetup, RvizSetup, node_setup


def describe(arguments: Sequence[LaunchArgument], cameras_of: CamerasOf) -> LaunchDescription:
    """
    Return a launch description: the arguments, the node and, if requested, RViz.

    ``cameras_of`` returns the cameras' image topics for the values of the arguments.
    """
    def start(context: LaunchContext) -> list[Action]:
        values = {a.name: LaunchConfiguration(a.name).perform(context) for a in arguments}
        # Set by PushRosNamespace and SetParameter for this scope.
        around = context.launch_configurations
        setup = node_setup(values, cameras_of, around.get('ros_namespace') or '',
                           around.get('global_params') or ())
        actions = [_seg_node(setup)]
        return actions if setup.rviz is None else [*actions, _rviz(setup.rviz)]

    return LaunchDescription([*map(_declare, arguments), OpaqueFunction(function=start)])


def _declare(argument: LaunchArgument) -> DeclareLaunchArgument:
    # node_setup checks the values: its messages are clearer than launch's.
    choices = ', '.join(filter(None, argument.choices))
    description = f'{argument.description} ({choices})' if choices else argument.description
    return DeclareLaunchArgument(argument.name, default_value=argument.default,
                                 description=description)


def _seg_node(setup: NodeSetup) -> Action:
    return Node(
        package='fcn_seg_ros', executable='seg_node', name=setup.name, output='screen',
        namespace=setup.namespace, parameters=[
            source if isinstance(source, str) else
            {name: _as_text(value) for name, value in source.items()}
            for source in setup.parameters],
        remappings=setup.remappings, additional_env=setup.environment,
        ros_arguments=['--log-level', setup.log_level],
        respawn=setup.respawn, respawn_delay=setup.respawn_delay)


def _as_text(value: Any) -> Any:
    """Keep strings: launch_ros would turn a camera named `on` into true, and `1` into a number."""
    if isinstance(value, str):
        return ParameterValue(value, value_type=str)
    if isinstance(value, list) and value and isinstance(value[0], str):
        return ParameterValue(value, value_type=list[str])
    return value


def _rviz(setup: RvizSetup) -> Action:
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return LogInfo(msg='rviz: the package rviz2 is not installed (apt install '
                           'ros-$ROS_DISTRO-rviz2); starting the node without it')
    return Node(package='rviz2', executable='rviz2', name='rviz2', output='log',
                arguments=['-d', setup.config, '-f', setup.frame], parameters=[setup.parameters],
                remappings=setup.remappings)
