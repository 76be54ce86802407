# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Synthetic drives on a suburban road, with true masks and metric geometry."""

from fcn_seg_ros.synthetic.suburb.drive import RenderedDrive, RenderedFrame

__all__ = ['RenderedDrive', 'RenderedFrame']
