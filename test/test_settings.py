# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node become one settings object, or a clear error."""

from array import array

import pytest
import rclpy
from rclpy.parameter import Parameter

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.node.parameters import PARAMETERS, camera_rows, in_declared_types
from fcn_seg_ros.node.settings import change, declare_all, read


@pytest.fixture(scope='module')
def context():
    """Return a context whose graph nobody else is in."""
    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    rclpy.shutdown(context=context)


@pytest.fixture
def make_node(context):
    """Return a function that makes a node with parameters from outside."""
    nodes = []

    def make(**overrides: object) -> rclpy.node.Node:
        given = [Parameter(name.replace('__', '.'), value=value)
                 for name, value in overrides.items()]
        nodes.append(rclpy.create_node(f'node{len(nodes)}', context=context,
                                       parameter_overrides=given))
        declare_all(nodes[-1])
        return nodes[-1]
    yield make
    for node in nodes:
        node.destroy_node()


def changes(**values: object) -> list[Parameter]:
    """Return a change as the node gets it."""
    return [Parameter(name.replace('__', '.'), value=value) for name, value in values.items()]


def test_cameras_inherit_the_nodes_parameters(make_node):
    settings = read(make_node(
        cameras=['front', 'rear'], threshold=0.3, unknown_below=0.6,
        region_of_interest=[1, 2, 3, 4], transport='compressed', front__topic='/f/image',
        front__threshold=-1.0, rear__transport='raw', rear__region_of_interest=[5, 6, 7, 8]))
    front, rear = settings.cameras['front'], settings.cameras['rear']
    assert (front.topic, front.transport) == ('/f/image', 'compressed')
    assert (rear.topic, rear.transport) == ('rear/image_raw', 'raw')
    assert (front.options.threshold, rear.options.threshold) == (None, 0.3)
    assert front.options.region == Region(1, 2, 3, 4)
    assert rear.options.region == Region(5, 6, 7, 8)
    assert front.options.unknown_below == rear.options.unknown_below == 0.6


@pytest.mark.parametrize(('overrides', 'text'), [
    ({'precision': 'fp8'}, 'parameter precision: expected one of auto, fp32'),
    ({'backend': 'caffe'}, 'parameter backend: expected one of auto, '),
    ({'transport': 'theora'}, 'parameter transport: expected one of raw, compressed'),
    ({'reliability': 'perhaps'}, 'parameter reliability: expected one of auto, reliable'),
    ({'threshold': 'high'}, 'parameter threshold: expected a number from 0 to 1 or -1'),
    ({'threshold': -0.5}, 'parameter threshold: expected a number from 0 to 1 or -1'),
    ({'unknown_below': 2}, 'parameter unknown_below: expected a number from 0 to 1'),
    ({'network_height': -5}, 'parameter network_height: expected a whole number from 0 to 4096'),
    ({'overlay_alpha': 7.0}, 'parameter overlay_alpha: expected'),
    ({'overlay_colour': [0, 0]}, 'parameter overlay_colour: expected three numbers'),
    ({'region_of_interest': [0, 0, 0, 9]}, 'parameter region_of_interest: expected x, y, width'),
    ({'mask_deadline_ms': -1.0}, 'parameter mask_deadline_ms: expected'),
    ({'cameras': ['a', 'a']}, 'parameter cameras: expected different names'),
    ({'cameras': ['a', '/a']}, 'parameter cameras: expected different names'),
    ({'cameras': ['a/']}, 'parameter cameras: expected names that can begin a topic'),
    ({'cameras': ['']}, 'parameter cameras: expected names that can begin a topic'),
    ({'odometry_topic': 'odom', 'grid_x_min': 1000.0, 'grid_length': 10.0, 'grid_width': 10.0,
      'grid_resolution': 0.01},
     'parameter grid_resolution: expected, with odometry_topic, a grid whose furthest cell is'),
    ({'camera__threshold': 1.2}, 'parameter camera.threshold: expected'),
    ({'camera__region_of_interest': [1]}, 'parameter camera.region_of_interest: expected x, y'),
])
def test_wrong_values_are_refused(make_node, overrides, text):
    with pytest.raises(InputError) as caught:
        read(make_node(**overrides))
    assert text in str(caught.value) and '\n' not in str(caught.value)


def test_a_whole_number_is_a_float_as_well(make_node):
    node = make_node(threshold=1, max_age_ms=100, camera__threshold=0)
    settings = read(node)
    assert settings.max_age_ms == 100.0 and settings.cameras['camera'].options.threshold == 0.0
    for row in [*PARAMETERS, *camera_rows('camera')]:
        value = node.get_parameter(row.name).value
        assert row.default == [] or type(value) in (type(row.default), array), row.name
        assert not node.describe_parameter(row.name).dynamic_typing
    for given in (0, 0.25):
        node.set_parameters(in_declared_types(node, changes(threshold=given, threads=3)))
        assert node.get_parameter('threshold').value == float(given)
        assert type(node.get_parameter('threshold').value) is float
        assert type(node.get_parameter('threads').value) is int


def test_a_configured_node_takes_only_what_may_change_at_run_time(make_node):
    node = make_node()
    result, settings = change(node, changes(threshold=0.5, checkpoint='x'), configured=True)
    assert result.successful and settings is not None
    assert settings.cameras['camera'].options.threshold == 0.5 and settings.checkpoint == 'x'
    other = {'cameras': ['x'], 'network_height': 64, 'threads': 2, 'cpu_latency_us': 5,
             'mask_deadline_ms': 1.0, 'base_frame': 'base', 'ground_range': 9.0, 'grid_length': 9.0,
             'grid_width': 9.0, 'grid_resolution': 0.3, 'grid_x_min': 1.0,
             'freespace_increment': 1.0, 'points_stride': 2, 'autostart': False, 'device': 'cpu',
             'odometry_topic': '/odom'}
    for row in PARAMETERS:
        if not row.run_time:
            value = other.get(row.name, row.choices[-1] if row.choices else None)
            assert value != row.default
            result, settings = change(node, changes(**{row.name: value}), configured=True)
            assert settings is None and 'Cannot change while the node is' in result.reason
            # Setting the current value is allowed.
            result, settings = change(node, changes(**{row.name: row.default}), configured=True)
            assert result.successful and settings is not None, result.reason


def test_an_unconfigured_node_takes_other_cameras_with_their_parameters(make_node):
    node = make_node(left__topic='/l')
    assert not node.has_parameter('left.topic')
    result, settings = change(node, changes(cameras=['left', 'right']), configured=False)
    assert result.successful and settings is not None
    assert node.get_parameter('left.topic').value == '/l'
    assert node.get_parameter('right.threshold').value == -2.0
    # A refused change declares nothing.
    result, settings = change(node, changes(cameras=['b c']), configured=False)
    assert not result.successful and settings is None and not node.has_parameter('b c.topic')


def test_a_wrong_given_value_of_a_new_camera_is_refused(make_node):
    node = make_node(left__threshold='high')
    result, settings = change(node, changes(cameras=['left']), configured=False)
    assert settings is None and 'parameter left.threshold: expected a number' in result.reason
