# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Class names of masks, and what the node does where rclpy or vision_msgs lacks something."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from conftest import network_info
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.messages import to_header
from fcn_seg_ros.node import label_info, outputs, publish


@pytest.fixture
def node():
    """Return a lifecycle node."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = LifecycleNode('outputs_test', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture
def vision_msgs(monkeypatch):
    """Put the two messages of vision_msgs that are needed where the package would be."""
    class VisionClass(SimpleNamespace):
        pass

    class LabelInfo:
        def __init__(self) -> None:
            self.header = SimpleNamespace(stamp=None)
    monkeypatch.setattr(label_info, 'LabelInfo', LabelInfo)
    monkeypatch.setattr(label_info, 'VisionClass', VisionClass)


@pytest.mark.parametrize(('changes', 'names', 'colours'), [
    ({}, {0: 'not road', 1: 'road', 255: 'unknown'}, [(0, 0, 0), (0, 200, 80)]),
    # The mask of a binary checkpoint is 1 on the road, whatever the class's number.
    ({'classes': ('street', 'rest'), 'road_ids': (0,)},
     {0: 'rest', 1: 'street', 255: 'unknown'}, [(0, 200, 80), (0, 0, 0)]),
    ({'classes': ('sky', 'road', 'car'), 'road_ids': (1,),
      'palette': ((1, 2, 3), (4, 5, 6), (7, 8, 9))},
     {0: 'sky', 1: 'road', 2: 'car', 255: 'unknown'}, [(1, 2, 3), (4, 5, 6), (7, 8, 9)]),
])
def test_every_value_of_a_mask_has_a_name_and_a_colour(vision_msgs, changes, names, colours):
    info = network_info(**changes)
    mask = np.array([[*range(len(colours)), 255]], np.uint8)
    assert label_map_of(info).draw(mask).tolist() == [[*map(list, colours), [128, 128, 128]]]
    message = label_info.label_info(info, 0.5, Time(sec=7))
    assert {each.class_id: each.class_name for each in message.class_map} == names
    assert (message.threshold, message.header.stamp.sec) == (0.5, 7)


def test_without_vision_msgs_nothing_else_is_missing(node):
    if 'vision_msgs' in sys.modules and isinstance(sys.modules['vision_msgs'], ModuleType):
        pytest.skip('vision_msgs is installed here')
    made = outputs.CameraOutputs(node, 'camera', 0.0, lambda: None)
    made.publish_labels(network_info(), 0.5)
    topics = {name for name, _ in node.get_publisher_names_and_types_by_node(
        'outputs_test', '/') if '/road/' in name}
    assert topics == {f'/camera/road/{name}' for name in outputs.OUTPUTS}
    made.destroy()
    assert not any('/road/' in name for name, _ in node.get_publisher_names_and_types_by_node(
        'outputs_test', '/'))


def test_nothing_is_computed_that_nobody_wants(node):
    """Without a subscriber, not even the parts of a result are looked at."""
    made = outputs.CameraOutputs(node, 'camera', 0.0, lambda: None)
    assert not made.watched()
    made.publish(to_header(1, 'x'), np.zeros((2, 2, 3), np.uint8), object(),
                 CameraInfo(height=2, width=2), object())
    made.destroy()


def test_a_wrong_override_leaves_no_publisher(node):
    node.declare_parameter('qos_overrides./camera/road/overlay.publisher.reliability', 'perhaps')
    with pytest.raises(InputError) as caught:
        outputs.CameraOutputs(node, 'camera', 0.0, lambda: None)
    assert 'qos_overrides of /camera/road/overlay' in str(caught.value)
    assert not any('/road/' in name for name, _ in node.get_publisher_names_and_types_by_node(
        'outputs_test', '/'))


@pytest.mark.parametrize(('rules', 'topics'), [
    ([], {}),
    (['camera/road/mask:=/planner/mask'],
     {'mask': '/planner/mask', 'mask/compressed': '/planner/mask/compressed'}),
    (['camera/road/overlay:=seen', '__ns:=/car'],
     {'overlay': '/car/seen', 'overlay/compressed': '/car/seen/compressed'}),
    # Its own remapping wins.
    (['camera/road/mask:=/planner/mask', 'camera/road/mask/compressed:=/radio/mask'],
     {'mask': '/planner/mask', 'mask/compressed': '/radio/mask'}),
    (['camera/road/mask/compressed:=/radio/mask'],
     {'mask/compressed': '/radio/mask'}),
])
def test_compressed_outputs_stay_beside_their_images(rules, topics):
    context = rclpy.Context()
    rclpy.init(context=context, args=['--ros-args', *(w for rule in rules for w in ('-r', rule))])
    node = LifecycleNode('outputs_test', context=context)
    before = {publisher.topic_name for publisher in node.publishers}
    made = outputs.CameraOutputs(node, 'camera', 0.0, lambda: None)
    published = {publisher.topic_name for publisher in node.publishers} - before
    plain = node.get_namespace().rstrip('/') + '/camera/road/'
    expected = {name: plain + name for name in outputs.OUTPUTS} | topics
    assert published - {f'{plain}label_info'} == set(expected.values())
    made.destroy()
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_where_rclpy_has_no_matched_event_none_is_asked_for(node, monkeypatch):
    monkeypatch.setattr(publish, 'HAS_MATCHED_EVENT', False)
    made = outputs.CameraOutputs(node, 'camera', 0.0, lambda: pytest.fail('no event was asked'))
    listener = node.create_subscription(outputs.OUTPUTS['mask'], 'camera/road/mask', print, 1)
    executor = rclpy.executors.SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    for _ in range(100):
        executor.spin_once(timeout_sec=0.02)
        if made.watched('mask'):
            break
    assert made.watched('mask') and not made.watched('overlay')
    executor.shutdown()
    node.destroy_subscription(listener)
    made.destroy()
