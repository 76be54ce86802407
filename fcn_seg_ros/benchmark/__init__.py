# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How fast the segmenter and the node are, beside the machine's peak and beside their peers."""
