# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The lookup tables for one camera in one pose."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.freespace import Freespace
from fcn_seg_ros.ground.grid import GridSpec, RoadGrid
from fcn_seg_ros.ground.points import GroundPoints
from fcn_seg_ros.ground.rings import Rings
from fcn_seg_ros.ground.road_edges import LevelRows
from fcn_seg_ros.ground.shadow import Shadows
from fcn_seg_ros.ground.view import GroundView


@dataclass(frozen=True)
class GroundSpec:
    """
    What is measured: the grid, and scan and points up to ``reach`` metres.

    ``increment`` (rad) is that of the scan; every ``stride``-th pixel has a point.
    """

    grid: GridSpec = field(default_factory=GridSpec)
    reach: float = 40.0
    increment: float = float(np.deg2rad(0.5))
    stride: int = 4


class GroundTables:
    """
    Grid, freespace and points of a camera.

    Making them takes some tenths of a second; updating them per frame a few milliseconds, without
    memory of the image's size. The grid and the points want the shadows of the frame first. Raises
    InputError where the camera sees no ground within reach.
    """

    def __init__(self, view: GroundView, spec: GroundSpec) -> None:
        self.view, self.spec = view, spec
        x, y = spec.grid.edges()
        furthest = float(np.hypot(np.abs(x - view.pose.position[0]).max(),
                                  np.abs(y - view.pose.position[1]).max()))
        self.shadows = Shadows(view, max(spec.reach, furthest))
        self.freespace = Freespace(view, spec.increment, spec.reach)
        if not len(self.shadows.rays) or not len(self.freespace.rays):
            roll, pitch, _ = np.rad2deg(view.pose.angles)
            raise InputError(f'the camera sees no ground within {spec.reach:g} m: it looks '
                             f'{abs(pitch):.1f} degrees {"down" if pitch > 0 else "up"}, rolled '
                             f'by {roll:.1f} degrees, from {view.pose.position[2]:.2f} m')
        self.grid = RoadGrid(view, spec.grid, self.shadows)
        self.level = LevelRows(view.camera, view.pose.rotation)
        self.points = GroundPoints(view, spec.stride, spec.reach, self.shadows)
        self._rings: Rings | None = None

    def rings(self, spacing: float) -> Rings:
        """Return the rings so many metres apart, made on first use."""
        if self._rings is None or self._rings.spacing != spacing:
            self._rings = Rings(self.view, self.freespace, spacing)
        return self._rings
