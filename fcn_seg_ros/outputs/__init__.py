# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is published and written about a frame, computed without ROS: a row of ``CONTENTS`` each."""
