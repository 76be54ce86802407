# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Recorded drives in, masks out: runs that can be interrupted, and what reads their results."""
