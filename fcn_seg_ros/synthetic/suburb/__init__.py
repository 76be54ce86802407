# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A synthetic drive over a textured road, with its true mask and metric geometry."""

from fcn_seg_ros.synthetic.suburb.drive import RenderedDrive, RenderedFrame

__all__ = ['RenderedDrive', 'RenderedFrame']
