# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One grid from the newest ones of all cameras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.ground.fuse import fused
from fcn_seg_ros.messages import stamp_ns
from fcn_seg_ros.node.outputs.computed import to_message
from fcn_seg_ros.node.outputs.output import Output, SegmentedFrame
from fcn_seg_ros.outputs.content import GridContent
from fcn_seg_ros.outputs.ground import grid_values


@dataclass(frozen=True)
class _Seen:
    header: Header
    values: np.ndarray


class FusedGrid(Output):
    """
    The grid of all cameras, anew with each frame of any of them.

    Each camera counts with its newest grid, unless that is older than ``grid_max_age_ms`` against
    the newest of all; what only that camera sees is unknown then.
    """

    def __init__(self, node: LifecycleNode, camera: str) -> None:
        super().__init__(node, camera)
        self._seen: dict[str, _Seen] = {}
        self._out: np.ndarray | None = None
        self._contributors: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, str]:
        """Return which cameras the last grid is from."""
        return {keys.GRID_CAMERAS: ', '.join(self._contributors)}

    def compute(self, source: SegmentedFrame) -> Any:
        """Return a nav_msgs/OccupancyGrid with the stamp of its oldest part."""
        values, settings = source.once(grid_values), source.settings
        if self._out is None or self._out.shape != values.shape:
            self._seen.clear()
            self._out = np.empty_like(values)
        known = self._seen.get(source.camera)
        kept = np.empty_like(values) if known is None else known.values
        np.copyto(kept, values)
        self._seen[source.camera] = _Seen(source.header, kept)
        now = stamp_ns(source.header)
        # In the future, too: time has jumped back.
        recent = {camera: seen for camera, seen in self._seen.items()
                  if abs(now - stamp_ns(seen.header)) <= 1e6 * settings.grid_max_age_ms}
        self._contributors = tuple(sorted(recent))
        oldest = min((seen.header for seen in recent.values()), key=stamp_ns)
        grid = fused((seen.values for seen in recent.values()), self._out)
        return to_message(GridContent(grid, settings.ground.grid, settings.base_frame), oldest)
