# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What reaches seg_node, as a process: compressed images, all qualities of service, odd clocks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from node_client import FAST, Client, image_message, running
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image

from fcn_seg_ros.images.decode import decode
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.messages import from_image, to_header

SECOND = 10**9
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)


def packed_message(image: np.ndarray, suffix: str, stamp_ns: int) -> CompressedImage:
    """Return an image as image_transport compresses it."""
    data = cv2.imencode(suffix, image[..., ::-1])[1].tobytes()
    kind = {'.jpg': 'jpeg', '.png': 'png'}[suffix]
    return CompressedImage(header=to_header(stamp_ns, 'front_optical'),
                           format=f'rgb8; {kind} compressed bgr8', data=data)


@pytest.fixture(scope='module')
def node(random_checkpoint):
    """Run a node on a compressed camera and one whose publishers need not be reliable."""
    with running('-p', f'checkpoint:={random_checkpoint}', *FAST, '-p', 'cameras:=[packed, plain]',
                 '-p', 'packed.transport:=compressed') as node:
        yield node


def test_compressed_images_are_segmented_and_damaged_ones_counted(
        node, random_checkpoint, rendered_frames):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', threads=1, backend='torch')
    client = Client('packed', outputs=('probability',))
    try:
        topic = 'packed/image_raw/compressed'
        camera = client.node.create_publisher(CompressedImage, topic, 5)
        client.until(lambda: camera.get_subscription_count() == 1)
        got = client.got['packed']['probability']
        for number, suffix in enumerate(['.png', '.jpg']):
            message = packed_message(rendered_frames[number].image, suffix, SECOND + number)
            camera.publish(message)
            client.until(lambda: len(got) == number + 1)  # noqa: B023
            assert got[-1].header == message.header
            pixels = decode(message.data, message.format)
            assert np.array_equal(from_image(got[-1]), segmenter.segment(pixels).probability)
        damaged = packed_message(rendered_frames[2].image, '.jpg', 3)
        damaged.data = damaged.data[:len(damaged.data) // 2]
        camera.publish(damaged)
        client.counts_become(received=3, published=2, dropped_malformed=1)
        assert client.status['transport'] == 'compressed'
    finally:
        client.close()


def test_the_reliability_follows_the_camera(node, rendered_frames):
    client = Client('plain', outputs=('mask',))
    try:
        client.node.destroy_publisher(client.publishers.pop('plain'))
        got = client.got['plain']['mask']
        for profile, reliability in ((BEST_EFFORT, 'best_effort'), (RELIABLE, 'reliable')):
            camera = client.node.create_publisher(Image, 'plain/image_raw', profile)
            client.until(lambda: client.status.get('reliability') == reliability)  # noqa: B023
            client.until(lambda: camera.get_subscription_count() == 1)  # noqa: B023
            before = len(got)
            camera.publish(image_message(rendered_frames[0].image, 1))
            client.until(lambda: len(got) > before)  # noqa: B023
            client.node.destroy_publisher(camera)
        assert client.status['incompatible_publisher'] == ''
    finally:
        client.close()


def test_a_camera_that_does_not_fit_is_named(random_checkpoint):
    with running('-p', f'checkpoint:={random_checkpoint}', *FAST, '-p', 'reliability:=reliable'):
        client = Client(outputs=('mask',))
        try:
            client.node.destroy_publisher(client.publishers.pop('camera'))
            client.node.create_publisher(Image, 'camera/image_raw', BEST_EFFORT)
            expected = '/client and this node do not match: Best effort publisher'
            client.until(lambda: client.status.get('incompatible_publisher', '').startswith(
                expected))
            words = client.status['incompatible_publisher']
            client.until(lambda: any(words in message for message in client.messages))
        finally:
            client.close()


class SimulatedTime:
    """A client of a node that runs on /clock."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.clock = client.node.create_publisher(Clock, '/clock', 1)
        client.until(lambda: self.clock.get_subscription_count() > 0)

    def is_segmented(self, image: np.ndarray, now_s: int, stamp_s: float) -> bool:
        """Set the clock, send an image, and tell whether it got a mask or was too old."""
        client = self.client
        before = int(client.status['dropped_too_old'])
        masks = len(client.got['camera']['mask'])
        for _ in range(3):  # best effort, and the node must take it before the image
            self.clock.publish(Clock(clock=Time(sec=now_s)))
            client.spin(0.1)
        client.publishers['camera'].publish(image_message(image, round(stamp_s * SECOND)))
        client.until(lambda: len(client.got['camera']['mask']) > masks
                     or client.status['dropped_too_old'] == str(before + 1))
        return len(client.got['camera']['mask']) > masks


def test_bags_loop_and_stamps_lie_in_the_future(random_checkpoint, rendered_frames):
    """With use_sim_time: the age is that by /clock, whatever jumps."""
    image = rendered_frames[0].image
    with running('-p', f'checkpoint:={random_checkpoint}', *FAST, '-p', 'use_sim_time:=true',
                 '-p', 'max_age_ms:=500.0'):
        client = Client(outputs=('mask',))
        try:
            client.connect()
            time = SimulatedTime(client)
            assert time.is_segmented(image, 1000, 1000.0)
            assert time.is_segmented(image, 1060, 1059.9)
            assert not time.is_segmented(image, 1060, 1059.0)
            assert time.is_segmented(image, 1000, 1000.0)  # the bag begins anew
            assert time.is_segmented(image, 1000, 1000.0)  # and pauses
            # The hint is on the median of a beat's images: this one is to be alone in its beat.
            client.counts_become(published=4)
            assert time.is_segmented(image, 1000, 1100.0)  # a camera whose clock is wrong
            client.until(lambda: client.counts_add_up())
            client.until(lambda: float(client.status['age_ms_max']) < 1000.0)
            assert float(client.status['age_ms_p50']) <= 100.0
            client.until(lambda: any('100 s in the future' in m for m in client.messages))
        finally:
            client.close()


def test_images_of_long_ago_hint_at_the_clock(random_checkpoint, rendered_frames):
    with running('-p', f'checkpoint:={random_checkpoint}', *FAST):
        client = Client(outputs=('mask',))
        try:
            client.connect()
            client.exchange(image_message(rendered_frames[0].image, 1_317_000_000 * SECOND))
            client.until(lambda: any('set use_sim_time on this node and play' in message
                                     for message in client.messages))
        finally:
            client.close()
