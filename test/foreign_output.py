# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""An output of another package: how far ahead the road reaches, as a scan in another frame."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import LaserScan

from fcn_seg_ros.node.outputs.output import Output, OutputRow, SegmentedFrame
from fcn_seg_ros.node.parameters import Row


def road_rows(frame: SegmentedFrame) -> np.ndarray:
    """Return how many rows of each column are road."""
    return frame.road.sum(axis=0)


class RoadScan(Output):
    """A range for each column, in a frame and up to a limit that parameters name."""

    def __init__(self, node, camera) -> None:
        super().__init__(node, camera)
        self.computed = 0

    def compute(self, source: SegmentedFrame) -> LaserScan:
        """Scale the rows by the focal length."""
        self.computed += 1
        values = source.settings.output_parameters
        scan = LaserScan(range_max=values['scan_range'])
        scan.header.stamp, scan.header.frame_id = source.header.stamp, values['scan_frame']
        ranges = source.once(road_rows) / source.camera_info.k[0]
        scan.ranges = np.minimum(ranges, scan.range_max).astype(np.float32).tolist()
        return scan


ROW = OutputRow(
    'scan', 'sensor_msgs/msg/LaserScan', RoadScan, 'Where the road ends', ('road', 'camera_info'),
    parameters=(Row('scan_frame', 'base_link', 'Frame of the scan.'),
                Row('scan_range', 100.0, 'Longest range.', (0.0, 1000.0), run_time=True)))
