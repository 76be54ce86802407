# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Start seg_node for one camera, or for the cameras of a parameter file.

    ros2 launch fcn_seg_ros seg.launch.py
    ros2 launch fcn_seg_ros seg.launch.py topic:=/sensing/camera/front/image_raw device:=cuda
    ros2 launch fcn_seg_ros seg.launch.py params_file:=my_cameras.yaml respawn:=true
"""

from fcn_seg_ros.launching.arguments import ONE_CAMERA_ARGUMENTS
from fcn_seg_ros.launching.cameras import one_camera
from fcn_seg_ros.launching.description import describe


def generate_launch_description():
    """Declare the arguments and the node; see fcn_seg_ros/launching."""
    return describe(ONE_CAMERA_ARGUMENTS, one_camera)
