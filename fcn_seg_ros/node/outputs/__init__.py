# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes: a class and a row of ``registry.OUTPUTS`` for each topic."""
