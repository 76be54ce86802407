# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outputs in metres: grid, freespace and points, in the base frame."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.ground.tables import GroundTables
from fcn_seg_ros.outputs.content import (
    CloudContent,
    GridContent,
    ImageContent,
    PolygonContent,
    ScanContent,
)
from fcn_seg_ros.outputs.frame import SegmentedFrame


def grid_values(frame: SegmentedFrame) -> np.ndarray:
    """Return the grid of a frame, int8 (rows, columns)."""
    tables = _with_shadows(frame)
    values, highest = tables.grid.update(frame.seen), 100.0 * (1.0 - frame.seen.threshold)
    if frame.memory is not None:
        values = frame.memory.recall(values, tables, frame.header, frame.settings, highest)
    if frame.settings.grid_ego_connected:
        values = tables.grid.keep_connected(values, highest)
    return values


def ranges_of(frame: SegmentedFrame) -> np.ndarray:
    """Return the ranges of the freespace of a frame, float32 (rays,)."""
    return _tables(frame).freespace.update(frame.seen)


def road_grid(frame: SegmentedFrame) -> GridContent:
    """Return the road as a grid of cells."""
    return GridContent(frame.once(grid_values), frame.settings.ground.grid,
                       frame.settings.base_frame)


def freespace(frame: SegmentedFrame) -> ScanContent:
    """Return how far the road is free, from the origin of the base frame, on the ground."""
    ranges, free = frame.once(ranges_of), _tables(frame).freespace
    return ScanContent(ranges, free.angle_min, free.angle_increment, free.range_min,
                       free.range_max, frame.settings.base_frame)


def freespace_polygon(frame: SegmentedFrame) -> PolygonContent:
    """Return the free area: counter-clockwise along the near side, then back along the far."""
    frame.once(ranges_of)
    return PolygonContent(_tables(frame).freespace.polygon(), frame.settings.base_frame)


def road_points(frame: SegmentedFrame) -> CloudContent:
    """Return the ground points of every n-th pixel; the array changes with the next frame."""
    return CloudContent(_with_shadows(frame).points.update(), frame.settings.base_frame)


def thin_image(part: str, frame: SegmentedFrame) -> ImageContent:
    """Return the part of an image of the frame that the points belong to, as mono8."""
    return ImageContent(
        np.ascontiguousarray(_tables(frame).points.thin(getattr(frame, part))), 'mono8')


def _tables(frame: SegmentedFrame) -> GroundTables:
    assert frame.ground is not None  # the rows need it
    return frame.ground


def _shadows(frame: SegmentedFrame) -> GroundTables:
    tables = _tables(frame)
    tables.shadows.update(frame.seen)
    return tables


def _with_shadows(frame: SegmentedFrame) -> GroundTables:
    """Return the tables, with the shadows of this frame."""
    return frame.once(_shadows)
