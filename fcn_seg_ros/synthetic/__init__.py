# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rendered worlds: images whose true classes, depth and geometry are known."""
