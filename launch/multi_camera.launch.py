# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Start one seg_node, with one network, for several cameras.

    ros2 launch fcn_seg_ros multi_camera.launch.py cameras:=front,left,right
    ros2 launch fcn_seg_ros multi_camera.launch.py cameras:=a,b topics:=/sensing/{camera}/image_raw
    ros2 launch fcn_seg_ros multi_camera.launch.py cameras:=front,rear topics:=/cam0/rgb,/cam1/rgb
"""

from fcn_seg_ros.launching.arguments import SEVERAL_CAMERAS_ARGUMENTS
from fcn_seg_ros.launching.cameras import several_cameras
from fcn_seg_ros.launching.description import describe


def generate_launch_description():
    """Declare the arguments and the node; see fcn_seg_ros/launching."""
    return describe(SEVERAL_CAMERAS_ARGUMENTS, several_cameras)
