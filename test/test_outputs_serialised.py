# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""``segment`` writes the messages that the node publishes: every row, field by field."""

from __future__ import annotations

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, RegionOfInterest
from std_msgs.msg import Header
from test_drive_bag import camera_info

from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.tables import GroundSpec
from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.inference.segmentation import Segmentation, StageTimes
from fcn_seg_ros.node.outputs.computed import to_message as to_node_message
from fcn_seg_ros.node.parameters import PARAMETERS
from fcn_seg_ros.offline.messages import STORE, serialised, to_message
from fcn_seg_ros.offline.outputs import FixedGround
from fcn_seg_ros.outputs.frame import OutputOptions, SegmentedFrame
from fcn_seg_ros.outputs.table import CONTENTS

OPTIONS = OutputOptions(ground=GroundSpec(GridSpec(10.0, 6.0, 0.5), 20.0, 0.05, 8))
STAMP = (1_700_000_000, 123_456_789)


@pytest.fixture(scope='module')
def result(rendered_frames):
    """Return a segmentation of a rendered frame: its truth, with noise."""
    from conftest import network_info
    road = rendered_frames[0].road
    probability = np.clip(road * 180 + np.random.default_rng(0).integers(0, 60, road.shape), 0,
                          255).astype(np.uint8)
    mask = (probability > 127).astype(np.uint8)
    mask[:5] = 255
    return Segmentation(mask, probability, StageTimes(1.0, 2.0, 3.0), label_map_of(network_info()),
                        lambda: np.maximum(probability, 255 - probability))


def rclpy_info(info) -> CameraInfo:
    """Return rosbags' CameraInfo as rclpy's."""
    roi = RegionOfInterest()
    return CameraInfo(
        header=Header(stamp=Time(sec=STAMP[0], nanosec=STAMP[1]), frame_id='front'),
        height=info.height, width=info.width, distortion_model=info.distortion_model,
        d=info.d.tolist(), k=info.k, r=info.r, p=info.p, roi=roi)


@pytest.mark.parametrize('name', CONTENTS)
def test_both_serialise_the_same(name, result, rendered_frames):
    image = rendered_frames[0].image
    info = camera_info(320, 96, 180.0, STAMP[0] * 10**9 + STAMP[1])
    written, published = (
        SegmentedFrame('camera', each.header, image, result, each, OPTIONS,
                       FixedGround(CameraPose.from_angles(0.0, 0.0, 1.6, 0.0, 0.05, 0.0)))
        for each in (info, rclpy_info(info)))
    row = CONTENTS[name]
    ours = serialised(to_message(row.compute(written), written.header))
    message = to_node_message(row.compute(published), published.header)
    found = STORE.deserialize_cdr(ours, row.type_name)
    expected = STORE.deserialize_cdr(serialize_message(message), row.type_name)
    assert repr_of(found) == repr_of(expected)
    assert found.header.stamp.nanosec == STAMP[1]


def repr_of(value: object) -> object:
    """Return a message as nested lists, NaN as text."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    if isinstance(value, list):
        return [repr_of(each) for each in value]
    if hasattr(value, '__dataclass_fields__'):
        return {name: repr_of(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def test_the_defaults_are_the_nodes():
    defaults = {row.name: row.default for row in PARAMETERS}
    options = OutputOptions()
    for name in ('overlay_alpha', 'overlay_rings', 'jpeg_quality', 'base_frame',
                 'grid_ego_connected'):
        assert getattr(options, name) == defaults[name], name
    assert list(options.overlay_colour) == defaults['overlay_colour']
    ground, grid = options.ground, options.ground.grid
    assert (grid.length, grid.width, grid.cell, grid.x_min, ground.reach, ground.stride) == tuple(
        defaults[name] for name in ('grid_length', 'grid_width', 'grid_resolution', 'grid_x_min',
                                    'ground_range', 'points_stride'))
    assert np.rad2deg(ground.increment) == pytest.approx(defaults['freespace_increment'])
