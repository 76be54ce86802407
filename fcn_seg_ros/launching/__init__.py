# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the launch files decide and do; only description.py needs launch itself."""
