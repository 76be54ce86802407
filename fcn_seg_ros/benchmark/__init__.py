# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Speed of segmenter and node, compared with the machine's peak and with peers."""
