# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Road segmentation for ROS 2 with fully convolutional networks."""

import os

__version__ = '0.1.0'

# OpenCV's threads look for more work for about a millisecond after each call, on cores that the
# network and the middleware are waiting for. It reads this when it is imported.
os.environ.setdefault('OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER', '0')
