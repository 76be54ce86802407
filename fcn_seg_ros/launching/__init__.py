# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The logic of the launch files; only description.py needs ROS's launch package."""
