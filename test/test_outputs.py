# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outputs of one camera, with and without vision_msgs and matched events."""

from __future__ import annotations

import sys
import time
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from conftest import network_info
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo, Image

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.messages import to_header
from fcn_seg_ros.node import publish
from fcn_seg_ros.node.outputs import publishers
from fcn_seg_ros.node.outputs.label_info import LabelNames
from fcn_seg_ros.node.outputs.output import NetworkInUse
from fcn_seg_ros.node.outputs.publishers import CameraOutputs
from fcn_seg_ros.node.outputs.registry import OUTPUTS

SETTINGS = SimpleNamespace(mask_deadline_ms=0.0)


@pytest.fixture
def node():
    """Return a lifecycle node."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = LifecycleNode('outputs_test', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def road_topics(node) -> set[str]:
    """Return the outputs that a node publishes."""
    return {each.topic_name for each in node.publishers if '/road/' in each.topic_name}


@pytest.fixture
def vision_msgs(monkeypatch):
    """Install stand-ins for the two messages of vision_msgs."""
    class LabelInfo:
        def __init__(self) -> None:
            self.header = SimpleNamespace(stamp=None)
    messages = ModuleType('vision_msgs.msg')
    messages.LabelInfo, messages.VisionClass = LabelInfo, SimpleNamespace
    monkeypatch.setitem(sys.modules, 'vision_msgs', ModuleType('vision_msgs'))
    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', messages)


@pytest.mark.parametrize(('changes', 'names', 'colours'), [
    ({}, {0: 'not road', 1: 'road', 255: 'unknown'}, [(0, 0, 0), (0, 200, 80)]),
    # The mask of a binary checkpoint is 1 on the road, whatever the class's number.
    ({'classes': ('street', 'rest'), 'road_ids': (0,)},
     {0: 'rest', 1: 'street', 255: 'unknown'}, [(0, 200, 80), (0, 0, 0)]),
    ({'classes': ('sky', 'road', 'car'), 'road_ids': (1,),
      'palette': ((1, 2, 3), (4, 5, 6), (7, 8, 9))},
     {0: 'sky', 1: 'road', 2: 'car', 255: 'unknown'}, [(1, 2, 3), (4, 5, 6), (7, 8, 9)]),
])
def test_every_value_of_a_mask_has_a_name_and_a_colour(node, vision_msgs, changes, names, colours):
    info = network_info(**changes)
    mask = np.array([[*range(len(colours)), 255]], np.uint8)
    assert label_map_of(info).draw(mask).tolist() == [[*map(list, colours), [128, 128, 128]]]
    message = LabelNames(node, 'camera').compute(NetworkInUse(info, 0.5, Time(sec=7)))
    assert {each.class_id: each.class_name for each in message.class_map} == names
    assert (message.threshold, message.header.stamp.sec) == (0.5, 7)


def test_without_vision_msgs_nothing_else_is_missing(node):
    if OUTPUTS['label_info'].message is not None:
        pytest.skip('vision_msgs is installed here')
    made = CameraOutputs(node, 'camera', SETTINGS, lambda: None)
    made.publish_network(network_info(), 0.5)
    assert road_topics(node) == {
        f'/camera/road/{row.name}' for row in OUTPUTS.values()
        if row.per_frame and not row.shared and row.message is not None}
    made.destroy()
    assert not road_topics(node)


def test_nothing_is_computed_without_a_subscriber(node):
    """Without a subscriber, not even the parts of a result are accessed."""
    made = CameraOutputs(node, 'camera', SETTINGS, lambda: None)
    assert not made.watched()
    made.publish(to_header(1, 'x'), np.zeros((2, 2, 3), np.uint8), object(),
                 CameraInfo(height=2, width=2), object())
    made.destroy()


def test_a_wrong_override_leaves_no_publisher(node):
    node.declare_parameter('qos_overrides./camera/road/overlay.publisher.reliability', 'perhaps')
    with pytest.raises(InputError) as caught:
        CameraOutputs(node, 'camera', SETTINGS, lambda: None)
    assert 'qos_overrides of /camera/road/overlay' in str(caught.value)
    assert not road_topics(node)


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
    made = CameraOutputs(node, 'camera', SETTINGS, lambda: None)
    published = {publisher.topic_name for publisher in node.publishers} - before
    plain = node.get_namespace().rstrip('/') + '/camera/road/'
    # All but what all cameras share, and what no installed package has messages for.
    expected = {name: plain + name for name, row in OUTPUTS.items()
                if row.message is not None and not row.shared} | topics
    assert published == set(expected.values())
    made.destroy()
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_outputs_work_without_matched_events(node, monkeypatch):
    monkeypatch.setattr(publish, 'HAS_MATCHED_EVENT', False)
    made = CameraOutputs(node, 'camera', SETTINGS, lambda: pytest.fail('no event was asked'))
    listener = node.create_subscription(Image, 'camera/road/mask', print, 1)
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


def test_an_output_without_its_camera_info_is_reported(node, monkeypatch):
    warnings = []
    monkeypatch.setattr(node, 'get_logger', lambda: SimpleNamespace(
        warning=lambda text, **options: warnings.append(text)))
    made = CameraOutputs(node, 'camera', SETTINGS, lambda: None)
    listener = node.create_subscription(CameraInfo, 'camera/road/camera_info', print, 1)
    deadline = time.monotonic() + 60.0
    while not made.watched('camera_info'):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    frame = to_header(1, 'x'), np.zeros((2, 4, 3), np.uint8), object()
    made.publish(*frame, None, SETTINGS)
    assert not warnings  # it may still come
    monkeypatch.setattr(publishers, '_INFO_GRACE_S', 0.0)
    made.publish(*frame, None, SETTINGS)
    made.publish(*frame, CameraInfo(height=5, width=4), SETTINGS)
    assert warnings == [
        'camera: no camera_info: the camera has published no CameraInfo',
        'camera: no camera_info: the CameraInfo is for 4x5 pixels, the images have 4x2 pixels']
    node.destroy_subscription(listener)
    made.destroy()
