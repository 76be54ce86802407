# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Nav2's layers and Autoware's planner: our files and our messages keep their contracts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
import yaml
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from sensor_msgs.msg import PointField

from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.rays import RoadMask
from fcn_seg_ros.ground.tables import GroundSpec, GroundTables
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.messages import from_image, to_header
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.node.outputs.computed import to_message
from fcn_seg_ros.node.outputs.registry import OUTPUTS, node_parameters
from fcn_seg_ros.node.parameters import checked
from fcn_seg_ros.outputs.content import CloudContent, GridContent, ImageContent, ScanContent
from fcn_seg_ros.resources import CHECKPOINTS, find_checkpoint, share_file

CONTRACTS = yaml.safe_load((Path(__file__).parent / 'consumer_contracts.yaml').read_text())
TYPES = {'str': str, 'int': int, 'float': float, 'bool': bool, 'list': list}
DEFAULTS = {row.name: row.default for row in node_parameters()}
ROWS = {f'/{row.topic("camera")}': row for row in OUTPUTS.values() if not row.shared}
HEADER = to_header(7_000_000_001, 'camera_optical')


def costmap(name: str) -> dict[str, Any]:
    """Return the parameters of a costmap's file."""
    content = yaml.safe_load(share_file(f'config/{name}.yaml').read_text())
    parameters: dict[str, Any] = content['local_costmap']['local_costmap']['ros__parameters']
    return parameters


def check_types(given: Mapping[str, Any], known: Mapping[str, str], other: set[str]) -> None:
    """Check that each parameter is known and of its type; those of ``other`` are not."""
    for name, value in given.items():
        assert (name in known) != (name in other), name
        if name in known:
            assert type(value) is TYPES[known[name]], name


def check_topics(given: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Check that the named topics are outputs of the type that the subscriber can receive."""
    for name, topic in wanted.items():
        check_subscriber(OUTPUTS[ROWS[given[name]].name], topic)


def check_subscriber(row: Any, topic: Mapping[str, Any]) -> None:
    """Check that a subscriber as in a contract gets what a row publishes."""
    assert row.type_name == topic['type']
    compatible, reason = qos_check_compatible(row.qos.profile(0.0), QoSProfile(
        depth=topic['depth'], reliability=ReliabilityPolicy[topic['reliability'].upper()],
        durability=DurabilityPolicy[topic['durability'].upper()]))
    assert compatible != QoSCompatibility.ERROR, reason


@pytest.mark.parametrize(('name', 'contract'), [
    ('nav2_scan', 'obstacle_layer'), ('nav2_points', 'semantic_segmentation_layer')])
def test_costmap_files_name_what_the_layers_declare(name, contract):
    given, wanted = costmap(name), CONTRACTS[contract]
    check_types(given, CONTRACTS['costmap']['parameters'], set(given['plugins']))
    assert given['robot_base_frame'] == DEFAULTS['base_frame']
    inflation = dict(given['inflation_layer'])
    assert inflation.pop('plugin') == CONTRACTS['inflation_layer']['plugin']
    check_types(inflation, CONTRACTS['inflation_layer']['parameters'], set())
    layer = dict(given['road_layer'])
    assert layer.pop('plugin') == wanted['plugin']
    sources = layer['observation_sources'].split()
    check_types(layer, wanted['parameters'], set(sources))
    for source in sources:
        own = layer[source]
        types = set(own.get('class_types', ()))
        check_types(own, wanted['source'], types)
        check_topics(own, wanted['topics'])
        for each in types:
            check_types(own[each], wanted['class_type'], set())


@pytest.mark.parametrize('name', ['nav2_scan', 'nav2_points'])
def test_rcl_reads_the_costmap_files_as_they_are_meant(name):
    """A list of mixed types, or a name that is a number for YAML, would end Nav2."""
    file = share_file(f'config/{name}.yaml')
    context = rclpy.Context()
    rclpy.init(context=context, args=['--ros-args', '--params-file', str(file)])
    node = rclpy.create_node('local_costmap', namespace='local_costmap', context=context,
                             automatically_declare_parameters_from_overrides=True)
    read = {name: node.get_parameter(name).value for name in node._parameters}
    node.destroy_node()
    rclpy.shutdown(context=context)
    assert read['plugins'] == ['road_layer', 'inflation_layer']
    assert read['road_layer.plugin'] == costmap(name)['road_layer']['plugin']
    source = 'freespace' if name == 'nav2_scan' else 'camera'
    for key, value in costmap(name)['road_layer'][source].items():
        if not isinstance(value, dict):
            assert read[f'road_layer.{source}.{key}'] == value


def test_the_obstacle_layer_marks_the_roads_end_and_clears_only_what_was_seen():
    layer = costmap('nav2_scan')['road_layer']
    scan = layer['freespace']
    assert scan['data_type'] == 'LaserScan' and scan['marking'] and scan['clearing']
    # The scan is on the ground: neither of the two filters may drop it.
    for heights in (layer, scan):
        assert heights['min_obstacle_height'] <= -0.5 and heights['max_obstacle_height'] > 0.5
    # inf becomes a point just below range_max, which is no obstacle.
    inf = DEFAULTS['ground_range'] - CONTRACTS['obstacle_layer']['inf_below_range_max']
    assert scan['inf_is_valid'] and scan['obstacle_max_range'] < inf - 1.0
    assert scan['raytrace_max_range'] <= DEFAULTS['ground_range']
    assert 0.0 < scan['raytrace_min_range'] < scan['obstacle_max_range']


def test_the_semantic_layer_knows_every_class():
    camera = costmap('nav2_points')['road_layer']['camera']
    named = {name for each in camera['class_types'] for name in camera[each]['classes']}
    for checkpoint in CHECKPOINTS:
        info = read_checkpoint(find_checkpoint(checkpoint)).info
        assert named == set(label_map_of(info).meanings.values())
        road = [info.classes[number] for number in info.road_ids]
        assert camera['drivable']['classes'] == road
    for each in camera['class_types']:
        costs = camera[each]
        assert 0 <= costs['base_cost'] <= costs['max_cost'] <= 254
        assert 0 <= costs['mark_confidence'] <= 255
    assert camera['min_obstacle_distance'] < camera['max_obstacle_distance'] <= DEFAULTS[
        'ground_range']


def test_autowares_files():
    wanted = CONTRACTS['freespace_planner']
    planner, = yaml.safe_load(
        share_file('config/autoware_freespace_planner.yaml').read_text()).values()
    check_types(planner['ros__parameters'], wanted['parameters'], set())
    assert 0 < planner['ros__parameters']['obstacle_threshold'] <= 100
    for name in ('grid', '~/grid'):
        check_subscriber(OUTPUTS[name], wanted['topics']['~/input/occupancy_grid'])
    rows = {row.name: row for row in node_parameters()}
    own, = yaml.safe_load(share_file('config/autoware_seg.yaml').read_text()).values()
    for name, value in own['ros__parameters'].items():
        assert checked(rows[name], value) == value


@pytest.fixture(scope='module')
def scene() -> tuple[GroundTables, RoadMask]:
    """Return a wide road with an obstacle on it, grass to the left, unknown at the right."""
    camera = CameraModel(320, 200, 200.0, 200.0, 159.5, 99.5)
    tables = GroundTables(GroundView(camera, CameraPose.from_angles(1.5, 0.0, 1.5, 0.0, 0.1, 0.0)),
                          GroundSpec(GridSpec(40.0, 20.0, 0.5), stride=4))
    mask = np.ones((200, 320), np.uint8)
    mask[:, :60] = 0
    mask[:110, 150:170] = 0
    mask[:, 300:] = 255
    seen = RoadMask(mask, np.where(mask == 1, 250, 5).astype(np.uint8))
    tables.shadows.update(seen)
    return tables, seen


def test_scans_project_as_the_obstacle_layer_projects_them(scene):
    tables, seen = scene
    free = tables.freespace
    scan = to_message(ScanContent(free.update(seen), free.angle_min, free.angle_increment,
                                  free.range_min, free.range_max, 'base_link'), HEADER)
    assert scan.header.frame_id == 'base_link' and scan.header.stamp == HEADER.stamp
    ranges = np.array(scan.ranges, np.float32)
    # As many as the angles say, or it is refused as malformed.
    assert len(ranges) == round((scan.angle_max - scan.angle_min) / scan.angle_increment) + 1
    assert scan.time_increment == 0.0 and len(scan.intensities) == 0
    assert np.isinf(ranges).any() and np.isnan(ranges).any() and np.isfinite(ranges).any()
    assert not (ranges < scan.range_min).any() and (ranges[np.isinf(ranges)] > 0).all()
    finite = ranges[np.isfinite(ranges)]
    assert (finite <= scan.range_max).all()
    settings = costmap('nav2_scan')['road_layer']['freespace']
    below = np.float32(CONTRACTS['obstacle_layer']['inf_below_range_max'])
    valid = np.where(np.isinf(ranges), np.float32(scan.range_max) - below, ranges)
    points = np.isfinite(valid) & (valid >= scan.range_min) & (valid <= scan.range_max)
    # A point for each ray that was seen, none for the others; inf clears but does not mark.
    np.testing.assert_array_equal(points, ~np.isnan(ranges))
    marked = points & (valid <= settings['obstacle_max_range'])
    assert marked.any() and not (marked & np.isinf(ranges)).any()


def test_points_mask_and_confidence_match_pixel_by_pixel(scene):
    tables, seen = scene
    cloud = to_message(CloudContent(tables.points.update(), 'base_link'), HEADER)
    mask, confidence = (to_message(ImageContent(tables.points.thin(image), 'mono8'), HEADER)
                        for image in (seen.mask, np.full_like(seen.mask, 200)))
    size = cloud.width * cloud.height
    for image in (mask, confidence):
        assert image.header.stamp == cloud.header.stamp
        assert (image.width, image.height, image.step) == (cloud.width, cloud.height, cloud.width)
        assert image.encoding == 'mono8' and len(image.data) == size
    assert cloud.header.frame_id == 'base_link' and not cloud.is_bigendian
    assert len(cloud.data) == size * cloud.point_step and cloud.row_step * cloud.height == len(
        cloud.data)
    wanted = CONTRACTS['semantic_segmentation_layer']['fields']
    assert [field.name for field in cloud.fields] == wanted
    assert all(field.datatype == PointField.FLOAT32 and field.count == 1 for field in cloud.fields)
    points = np.frombuffer(cloud.data, np.float32).reshape(cloud.height, cloud.width, 3)
    used = np.isfinite(points[..., 2])
    assert used.any() and not used.all() and np.isfinite(points[used]).all()
    # A point lies where its pixel sees the ground.
    rows, columns = np.nonzero(used)
    u, v = tables.view.ground_to_pixel(points[used][:, 0], points[used][:, 1])
    np.testing.assert_allclose(u, 4 * columns, atol=0.01)
    np.testing.assert_allclose(v, 4 * rows, atol=0.01)
    assert set(from_image(mask)[used].tolist()) == {0, 1, 255}


@pytest.mark.skipif(OUTPUTS['grid'].message is None, reason='nav_msgs is not installed')
def test_autowares_planner_drives_on_the_road_only(scene):
    tables, seen = scene
    grid = to_message(GridContent(tables.grid.update(seen), tables.spec.grid, 'base_link'), HEADER)
    assert grid.header.frame_id == 'base_link' and grid.header.stamp == HEADER.stamp
    assert len(grid.data) == grid.info.width * grid.info.height
    turn = grid.info.origin.orientation
    assert (turn.x, turn.y, turn.z, turn.w) == (0.0, 0.0, 0.0, 1.0)
    values = np.frombuffer(grid.data, np.int8).reshape(grid.info.height, grid.info.width)
    assert values.min() == -1 and values.max() <= 100
    planner, = yaml.safe_load(
        share_file('config/autoware_freespace_planner.yaml').read_text()).values()
    obstacle = (values < 0) | (values >= planner['ros__parameters']['obstacle_threshold'])
    x, y = tables.spec.grid.centres()
    ahead = (np.abs(y) < 1.0) & (x > 8.0) & (x < 10.0)
    assert not obstacle[ahead].any()
    assert obstacle[x < 2.0].all()  # the blind zone
    assert obstacle[(y > 8.0) & (x < 12.0)].all()  # grass, or outside the image
    sure = (values >= 0) & ~obstacle
    u, v = tables.view.ground_to_pixel(x[sure], y[sure])
    on_road = seen.mask[np.clip(np.rint(v), 0, 199).astype(int),
                        np.clip(np.rint(u), 0, 319).astype(int)] == 1
    assert on_road.mean() > 0.97
