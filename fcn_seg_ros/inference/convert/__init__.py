# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion of the network from PyTorch to other libraries, for backends and exported files."""
