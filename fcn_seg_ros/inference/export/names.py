# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every format calls the input and the output of an exported model."""

INPUT, OUTPUT = 'image', 'probability'
