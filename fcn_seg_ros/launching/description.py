# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The actions of the launch files, for launch and launch_ros (which come with ROS only)."""

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
    Return a launch file's description: its arguments, then the node, and RViz where asked for.

    ``cameras_of`` returns the image topics of the cameras for the arguments' values.
    """
    def start(context: LaunchContext) -> list[Action]:
        values = {a.name: LaunchConfiguration(a.name).perform(context) for a in arguments}
        # What PushRosNamespace and SetParameter have left for the nodes of this scope.
        around = context.launch_configurations
        setup = node_setup(values, cameras_of, around.get('ros_namespace') or '',
                           around.get('global_params') or ())
        actions = [_seg_node(setup)]
        return actions if setup.rviz is None else [*actions, _rviz(setup.rviz)]

    return LaunchDescription([*map(_declare, arguments), OpaqueFunction(function=start)])


def _declare(argument: LaunchArgument) -> DeclareLaunchArgument:
    # What an argument may be is checked by node_setup, whose message says more than launch's.
    choices = ', '.join(filter(None, argument.choices))
    description = f'{argument.description} ({choices})' if choices else argument.description
    return DeclareLaunchArgument(argument.name, default_value=argument.default,
                                 description=description)


def _seg_node(setup: NodeSetup) -> Action:
    return Node(
        package='fcn_seg_ros', executable='seg_node', name=setup.name, output='screen',
        namespace=setup.namespace, parameters=[
            source if isinstance(source, str) else
            {name: _as_it_is(value) for name, value in source.items()}
            for source in setup.parameters],
        remappings=setup.remappings, additional_env=setup.environment,
        ros_arguments=['--log-level', setup.log_level],
        respawn=setup.respawn, respawn_delay=setup.respawn_delay)


def _as_it_is(value: Any) -> Any:
    """Keep a text a text: launch_ros would take the camera `on` for true, and `1` for a number."""
    if isinstance(value, str):
        return ParameterValue(value, value_type=str)
    if isinstance(value, list) and value and isinstance(value[0], str):
        return ParameterValue(value, value_type=list[str])
    return value


def _rviz(setup: RvizSetup) -> Action:
    try:
        get_package_prefix('rviz2')
    except PackageNotFoundError:
        return LogInfo(msg='rviz: expected the package rviz2, found none (apt install '
                           'ros-$ROS_DISTRO-rviz2); the node runs without it')
    return Node(package='rviz2', executable='rviz2', name='rviz2', output='log',
                arguments=['-d', setup.config], parameters=[setup.parameters],
                remappings=setup.remappings)
