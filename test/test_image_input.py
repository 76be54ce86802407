# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The subscription to a camera, over the real middleware."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import rclpy
from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.messages import to_header
from fcn_seg_ros.node.image_input import ImageInput
from fcn_seg_ros.node.qos import mismatch

RELIABLE = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
# Publishes images of 1.4 MB, numbered in their stamps, over UDP: what a camera driver without the
# shipped profile does.
UDP_CAMERA = """
import rclpy, sys, time
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image
rclpy.init()
node = rclpy.create_node('udp_camera')
publisher = node.create_publisher(Image, 'camera/image_raw', QoSProfile(
    depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
image = Image(height=375, width=1242, step=3726, encoding='rgb8', data=bytes(1397250))
print('ready', flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[1])):
    image.header.stamp.sec = number
    publisher.publish(image)
    time.sleep(0.02)
sys.stdin.readline()
"""


class Graph:
    """A node with inputs, and cameras, each camera a node of its own."""

    def __init__(self, overrides: list[Parameter] | None = None) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.node = self.add(rclpy.create_node('segmenter', context=self.context,
                                               parameter_overrides=overrides or []))
        self.got: list[Image | CompressedImage] = []

    def add(self, node: Node) -> Node:
        self.executor.add_node(node)
        return node

    def input(self, transport: str = 'raw', reliability: str = 'auto') -> ImageInput:
        return ImageInput(self.node, 'camera/image_raw', transport, reliability,
                          lambda data, kind: self.got.append(deserialize_message(data, kind)))

    def camera(self, name: str, profile: QoSProfile, kind: type = Image,
               topic: str = 'camera/image_raw') -> tuple[Node, Publisher]:
        node = self.add(rclpy.create_node(name, context=self.context))
        return node, node.create_publisher(kind, topic, profile)

    def until(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            self.executor.spin_once(timeout_sec=0.05)

    def receives(self, publisher: Publisher, message: object) -> None:
        """Publish until the message arrives: it may meet a subscription that is being re-made."""
        def arrived() -> bool:
            publisher.publish(message)
            self.executor.spin_once(timeout_sec=0.1)
            return message in self.got
        self.until(arrived)

    def close(self) -> None:
        # Until its executor ends, which waits on them, the subscriptions stay in the graph.
        nodes = self.executor.get_nodes()
        self.executor.shutdown()
        for node in nodes:
            node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def graph():
    graph = Graph()
    yield graph
    graph.close()


def image(number: int) -> Image:
    return Image(header=to_header(number, 'front'), height=2, width=2, step=2, encoding='mono8',
                 data=[1, 2, 3, 4])


@pytest.mark.parametrize(('profile', 'reliability'), [(RELIABLE, 'reliable'),
                                                      (BEST_EFFORT, 'best_effort')])
def test_auto_asks_for_what_the_camera_offers(graph, profile, reliability):
    images = graph.input()
    images.open()
    assert images.reliability_in_use == 'best_effort'  # takes from every publisher that may come
    _, publisher = graph.camera('front_camera', profile)
    graph.until(lambda: images.reliability_in_use == reliability)
    graph.receives(publisher, image(1))
    assert images.incompatible == ''


def test_auto_follows_the_publishers_and_keeps_its_counts(graph):
    images = graph.input()
    images.open()
    _, good = graph.camera('good_camera', RELIABLE)
    graph.until(lambda: images.reliability_in_use == 'reliable')
    graph.receives(good, image(1))
    images.lost = 7  # whatever was counted before the subscription is made anew
    other_node, other = graph.camera('other_camera', BEST_EFFORT)
    graph.until(lambda: images.reliability_in_use == 'best_effort')
    graph.receives(other, image(2))
    graph.receives(good, image(3))
    graph.executor.remove_node(other_node)
    other_node.destroy_node()
    graph.until(lambda: images.reliability_in_use == 'reliable')
    graph.receives(good, image(4))
    assert images.lost == 7 and images.incompatible == ''


def test_nothing_is_destroyed_while_it_is_waited_on(graph, monkeypatch):
    """What is in use is destroyed later: as the executor leaves a wait set that still names it."""
    images = graph.input()
    images.open()
    destroy, at_once = graph.node.destroy_subscription, []

    def destroy_and_look(subscription: Subscription) -> bool:
        done = destroy(subscription)
        for used in (subscription.handle, *subscription.event_handlers):
            with pytest.raises(InvalidHandle):
                used.__enter__()
        at_once.append(len(subscription.event_handlers))
        return done
    monkeypatch.setattr(graph.node, 'destroy_subscription', destroy_and_look)
    for name in ('front_camera', 'other_camera'):
        node, _ = graph.camera(name, RELIABLE)
        graph.until(lambda: images.reliability_in_use == 'reliable')
        node, _ = graph.camera(f'cheap_{name}', BEST_EFFORT)
        graph.until(lambda: images.reliability_in_use == 'best_effort')
        graph.executor.remove_node(node)
        node.destroy_node()
        graph.until(lambda: images.reliability_in_use == 'reliable')
    assert len(at_once) >= 4 and min(at_once) > 0


def test_a_subscription_that_is_closed_is_gone_and_comes_back(graph):
    images = graph.input()
    _, publisher = graph.camera('front_camera', RELIABLE)
    for _ in range(2):
        images.open()
        images.open()
        assert images.is_open
        graph.until(lambda: publisher.get_subscription_count() == 1)
        graph.receives(publisher, image(1))
        graph.got.clear()
        missed = images.missed
        images.close()
        assert not images.is_open and images.reliability_in_use == ''
        graph.until(lambda: publisher.get_subscription_count() == 0)
        for number in range(3):
            publisher.publish(image(number))
        # What is published while nobody listens is not missed.
        assert images.missed == missed and not graph.got


def test_incompatible_publisher_is_named_until_it_leaves(graph):
    images = graph.input(reliability='reliable')
    images.open()
    node, _ = graph.camera('cheap_camera', BEST_EFFORT)
    graph.until(lambda: '/cheap_camera' in images.incompatible)
    assert 'Best effort publisher and reliable subscription' in images.incompatible
    graph.executor.remove_node(node)
    node.destroy_node()
    graph.until(lambda: images.incompatible == '')


def test_publisher_without_a_known_node_is_reported():
    """As a program without ROS, or one whose name has not arrived yet, looks in the graph."""
    info = SimpleNamespace(node_namespace='_NODE_NAMESPACE_UNKNOWN_',
                           node_name='_NODE_NAME_UNKNOWN_', topic_type='sensor_msgs/msg/Image',
                           qos_profile=BEST_EFFORT)
    assert mismatch([info], 'sensor_msgs/msg/Image', RELIABLE).startswith(
        'a publisher of an unknown node and this node do not match: Best effort publisher')


def test_publisher_of_another_type_is_named(graph):
    images = graph.input()
    images.open()
    other = Graph()  # one participant cannot have both types on a topic
    try:
        other.camera('odd_camera', RELIABLE, CompressedImage)
        graph.until(lambda: images.incompatible == (
            '/odd_camera publishes sensor_msgs/msg/CompressedImage, '
            'expected sensor_msgs/msg/Image'))
    finally:
        other.close()
    assert images.reliability_in_use == 'best_effort'


def test_compressed_listens_beside_the_image_topic(graph):
    images = graph.input(transport='compressed')
    images.open()
    assert images.topic == '/camera/image_raw/compressed'
    _, publisher = graph.camera('front_camera', RELIABLE, CompressedImage,
                                'camera/image_raw/compressed')
    message = CompressedImage(header=to_header(1, 'front'), format='png', data=b'\x89PNG')
    graph.receives(publisher, message)


def override(policy: str, value: object) -> Parameter:
    return Parameter(f'qos_overrides./camera/image_raw.subscription.{policy}', value=value)


def test_overrides_win():
    graph = Graph([override('reliability', 'best_effort'), override('depth', 3),
                   override('history', 'keep_last'), override('durability', 'transient_local')])
    try:
        images = graph.input(reliability='reliable')
        images.open()
        profile = graph.node.get_subscriptions_info_by_topic('camera/image_raw')[0].qos_profile
        assert images.reliability_in_use == 'best_effort'
        assert profile.reliability == ReliabilityPolicy.BEST_EFFORT
        assert profile.durability.name == 'TRANSIENT_LOCAL'
        graph.camera('front_camera', RELIABLE)
        graph.until(lambda: 'front_camera' in images.incompatible)  # it does not latch
        assert images.reliability_in_use == 'best_effort'
    finally:
        graph.close()


@pytest.mark.parametrize(('policy', 'value', 'expected'), [
    ('reliability', 'perfect', 'expected reliable or best_effort'),
    ('history', 'all', 'expected keep_last or keep_all'),
    ('durability', 'eternal', 'expected volatile or transient_local'),
    ('depth', 0, 'expected a whole number from 1'),
    ('depth', 'deep', 'expected a whole number from 1'),
])
def test_wrong_overrides_are_named(policy, value, expected):
    graph = Graph([override(policy, value)])
    try:
        with pytest.raises(InputError, match=f'subscription.{policy}: {expected}'):
            graph.input()
    finally:
        graph.close()


@pytest.mark.parametrize(('arguments', 'expected'), [
    (('camera/image_raw', 'theora', 'auto'), 'transport: expected one of raw, compressed'),
    (('camera/image_raw', 'raw', 'perfect'), 'reliability: expected one of auto, reliable'),
    (('camera//image raw', 'raw', 'auto'), "expected a topic name, found 'camera//image raw'"),
])
def test_wrong_arguments_are_named(graph, arguments, expected):
    with pytest.raises(InputError, match=expected):
        ImageInput(graph.node, *arguments, graph.got.append)


def test_images_replaced_in_the_middleware_are_missed(graph):
    """The queue is one deep: of five images at once the executor sees the last."""
    images = graph.input()
    images.open()
    _, publisher = graph.camera('front_camera', BEST_EFFORT)
    graph.receives(publisher, image(1))
    graph.until(lambda: publisher.get_subscription_count() == 1)
    before, seen = images.missed, len(graph.got)
    for number in range(2, 7):
        publisher.publish(image(number))
    graph.until(lambda: graph.got[-1] == image(6))
    assert images.missed - before == 5 - (len(graph.got) - seen) > 0


def test_lost_images_are_counted():
    """Best effort over UDP: what does not arrive is counted, image by image."""
    environ = os.environ | {'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}
    environ.pop('FASTDDS_DEFAULT_PROFILES_FILE', None)
    sent = 60
    graph = Graph()
    camera = subprocess.Popen([sys.executable, '-c', UDP_CAMERA, str(sent)], env=environ,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        images = graph.input()
        images.open()
        assert camera.stdout.readline() == 'ready\n'
        graph.until(lambda: graph.node.count_publishers('camera/image_raw') == 1)
        camera.stdin.write('\n')
        camera.stdin.flush()
        graph.until(lambda: images.lost + len(graph.got) > sent // 2)
        assert images.lost + len(graph.got) <= sent
        if len(graph.got) > sent // 2:
            pytest.skip('the socket buffers of this machine are large enough for these images')
        assert images.lost > 0 and images.missed <= images.lost
    finally:
        camera.kill()
        camera.communicate()
        graph.close()
