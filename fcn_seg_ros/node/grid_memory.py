# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One camera's grid with a memory of what was not road."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from std_msgs.msg import Header

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.tables import GroundTables
from fcn_seg_ros.ground.temporal import TemporalFilter, TemporalOptions
from fcn_seg_ros.messages import stamp_ns
from fcn_seg_ros.node.ground_source import is_other_mounting
from fcn_seg_ros.node.odometry import Odometry

if TYPE_CHECKING:
    from fcn_seg_ros.node.settings import Settings


@dataclass(frozen=True)
class MemoryReport:
    """Why a grid was as in its frame alone, and when that was last so (monotonic seconds)."""

    reason: str = ''
    time: float = field(default=float('-inf'))


class GridMemory:
    """
    Applies a TemporalFilter to the grids of a camera, on the worker's thread.

    The memory begins anew when camera, pose or parameters change. Any thread may read ``report``.
    """

    def __init__(self, camera: str, odometry: Odometry) -> None:
        self.report = MemoryReport()
        self._camera = camera
        self._odometry = odometry
        self._filter: TemporalFilter | None = None
        self._out: np.ndarray = np.empty(0, np.int8)
        # Those of the latest frame.
        self._tables: GroundTables | None = None

    def recall(self, values: np.ndarray, tables: GroundTables, header: Header,
               settings: Settings, highest: float) -> np.ndarray:
        """
        Return a frame's grid, int8 (rows, columns), with what is remembered as not road.

        ``values`` up to ``highest`` are free; they are not changed. Without a memory they are
        returned as they are, and ``report`` says why.
        """
        if not settings.odometry_topic or not settings.grid_hold_frames:
            self._filter = None
            return values
        memory = self._memory(tables, settings)
        pose, reason = None, ''
        try:
            pose = self._odometry.pose(header, settings.base_frame)
        except InputError as error:
            reason = str(error)
        # A copy: the camera's own grid keeps what it does not see.
        np.copyto(self._out, values)
        values = memory.update(self._out, stamp_ns(header) / 1e9, pose, highest)
        reason = reason or memory.reset_by
        if reason:
            self.report = MemoryReport(reason, time.monotonic())
        return values

    def _memory(self, tables: GroundTables, settings: Settings) -> TemporalFilter:
        """Return the memory of the latest frame, a new one if what it holds is not comparable."""
        options = TemporalOptions(settings.grid_hold_frames, settings.grid_hold_s)
        memory, before = self._filter, self._tables
        if memory is None or before is None or memory.options != options or (
                before is not tables and (
                    before.view.camera != tables.view.camera or before.spec != tables.spec
                    or is_other_mounting(before.view.pose, tables.view.pose,
                                         settings.cameras[self._camera].pose is not None))):
            memory = self._filter = TemporalFilter(tables.spec.grid, options)
            self._out = np.empty(tables.spec.grid.shape, np.int8)
        self._tables = tables
        return memory
