# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Start seg_node for one camera.

    ros2 launch fcn_seg_ros seg.launch.py
    ros2 launch fcn_seg_ros seg.launch.py topic:=/sensing/camera/front/image_raw device:=cuda
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from fcn_seg_ros.launching import LAUNCH_ARGUMENTS, SIGTERM_TIMEOUT_S, node_setup


def generate_launch_description():
    """Declare the arguments and the node; what they mean stands in fcn_seg_ros.launching."""
    arguments = [DeclareLaunchArgument(a.name, default_value=a.default, description=a.description)
                 for a in LAUNCH_ARGUMENTS]
    return LaunchDescription([*arguments, OpaqueFunction(function=_start)])


def _start(context):
    values = {a.name: LaunchConfiguration(a.name).perform(context) for a in LAUNCH_ARGUMENTS}
    setup = node_setup(values)
    return [Node(
        package='fcn_seg_ros', executable='seg_node', name='seg_node', output='screen',
        namespace=values['namespace'],
        parameters=[one for one in (setup.params_file, setup.parameters) if one],
        remappings=setup.remappings, additional_env=setup.environment,
        ros_arguments=['--log-level', values['log_level']],
        sigterm_timeout=LaunchConfiguration('sigterm_timeout', default=SIGTERM_TIMEOUT_S))]
