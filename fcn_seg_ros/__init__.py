# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Road segmentation for ROS 2 with fully convolutional networks."""

__version__ = '0.1.0'
