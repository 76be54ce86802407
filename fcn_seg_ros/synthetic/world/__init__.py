# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rendered worlds beyond the suburb: scenes, weather, cameras, with classes and depth."""

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.drive import WorldDrive, WorldFrame

__all__ = ['SceneClass', 'WorldDrive', 'WorldFrame']
