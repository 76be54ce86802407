# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of segmenter and node, beside the machine's peak and other projects' code."""
