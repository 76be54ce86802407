# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What cameras send and what attackers send, to seg_node as a process over the middleware."""

from __future__ import annotations

import cv2
import numpy as np
from node_client import FAST, Client, image_message, start_node, wait_for_end
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from test_hostile_images import REFUSED, WHOLE

from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.messages import from_image, to_header

GIVE_UP_AFTER = 10
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)


def file_message(content: bytes, stamp_ns: int, text: str = 'png') -> CompressedImage:
    return CompressedImage(header=to_header(stamp_ns, 'front'), format=text, data=content)


def test_nothing_that_is_sent_ends_the_node(random_checkpoint, rendered_frames):
    """Files that crash decoders, bytes that are no message, 20 MB of text: counted, each once."""
    node = start_node('-p', f'checkpoint:={random_checkpoint}', *FAST, '-p', 'cameras:=[packed]',
                      '-p', 'transport:=compressed')
    client = Client('packed', outputs=('mask',))
    try:
        camera = client.node.create_publisher(CompressedImage, 'packed/image_raw/compressed', 5)
        client.until(lambda: camera.get_subscription_count() == 1)
        client.until(lambda: client.status.get('state') == 'active')
        sent = 0

        def send(message: CompressedImage | bytes) -> None:
            nonlocal sent
            camera.publish(message)
            sent += 1
            client.until(lambda: client.status['received'] == str(sent))
        small = [content for content, _ in REFUSED.values() if len(content) < 10_000]
        assert len(small) > 30
        whole = serialize_message(file_message(WHOLE, 1))
        hostile: list[CompressedImage | bytes] = [
            file_message(small[number % 4], number) for number in range(GIVE_UP_AFTER + 2)]
        hostile += [whole[:40], whole[:-5], b'\x00\x01\x00\x00', whole[:4] + b'\xff' * 100]
        hostile += [file_message(WHOLE, 1, 'x' * 20_000_000)] * 3
        for message in hostile:
            send(message)
        send(file_message(WHOLE, 77))
        client.until(lambda: client.got['packed']['mask'])
        assert client.got['packed']['mask'][0].header.stamp.nanosec == 77
        client.counts_become(published=1, dropped_malformed=len(hostile))
        assert client.counts_add_up()
    finally:
        client.close()
        node.send_signal(2)
        output = wait_for_end(node, 20.0)
    assert node.returncode == 0 and 'Traceback' not in output
    lines = output.splitlines()
    assert len(output) < 20_000 and max(map(len, lines)) < 1000
    assert any('image refused: data: animated PNG images are not' in line for line in lines)


def test_a_ten_bit_camera_is_noticed_and_set_right(random_checkpoint, rendered_frames):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', threads=1, backend='torch')
    grey = cv2.cvtColor(rendered_frames[0].image, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    ten_bits = Image(height=height, width=width, step=2 * width, encoding='mono16',
                     data=(grey.astype(np.uint16) << 2).tobytes())
    node = start_node('-p', f'checkpoint:={random_checkpoint}', *FAST)
    client = Client(outputs=('probability',))
    try:
        client.connect()
        for number in range(10):
            ten_bits.header = to_header(number, 'front')
            client.exchange(ten_bits)
        words = 'for a 10-bit camera set bit_depth to 10'
        client.until(lambda: words in client.messages[-1])
        refused = client.set('bit_depth', 5)
        assert not refused.successful
        assert 'expected a whole number from 8 to 16 or 0' in refused.reason
        assert client.set('camera.bit_depth', 10).successful
        got = client.exchange(ten_bits)['probability']
        expected = segmenter.segment(np.dstack([grey] * 3)).probability
        assert np.array_equal(from_image(got), expected)
        client.until(lambda: words not in client.messages[-1])
    finally:
        client.close()
        node.send_signal(2)
        output = wait_for_end(node, 20.0)
    assert sum(words in line for line in output.splitlines()) == 1


def test_a_latched_calibration_of_a_region_comes_for_the_mask(random_checkpoint,
                                                              rendered_frames):
    """It was sent once, before the node was there, and describes the lower part of a sensor."""
    image = rendered_frames[0].image
    height, width = image.shape[:2]
    client = Client(outputs=('mask', 'camera_info'))
    client.node.destroy_publisher(client.infos.pop('camera'))
    info = CameraInfo(
        width=2 * width, height=3 * height, k=[200.0, 0, 100, 0, 200, 90, 0, 0, 1],
        p=[200.0, 0, 100, 0, 0, 200, 90, 0, 0, 0, 1, 0], binning_x=2, binning_y=2,
        roi=RegionOfInterest(y_offset=height, height=2 * height, width=2 * width))
    latched = client.node.create_publisher(CameraInfo, 'camera/camera_info', LATCHED)
    latched.publish(info)
    node = start_node('-p', f'checkpoint:={random_checkpoint}', *FAST)
    try:
        client.connect()
        number = 0

        def answered() -> bool:
            """Send an image until the latched message has come: what was before gets none."""
            nonlocal number
            number += 1
            client.exchange(image_message(image, number))
            client.spin(0.1)
            return bool(client.got['camera']['camera_info'])
        client.until(answered)
        got = client.got['camera']['camera_info'][0]
        assert (got.width, got.height, got.binning_x) == (width, height, 0)
        assert got.roi == RegionOfInterest() and got.header.frame_id == 'front_optical'
        assert list(got.k) == [100, 0, 50, 0, 100, (90 - height) / 2, 0, 0, 1]
        # A driver that sends all the time and does not latch takes over.
        client.node.destroy_publisher(latched)
        live = client.node.create_publisher(CameraInfo, 'camera/camera_info', 1)
        live_info = CameraInfo(width=width, height=height, k=[7.0] * 9)

        def taken_over() -> bool:
            live.publish(live_info)
            answered()
            return client.got['camera']['camera_info'][-1].k[0] == 7.0
        client.until(taken_over)
        # One that fits no image is said, not published.
        live_info.width = 5

        def silent() -> bool:
            before = len(client.got['camera']['camera_info'])
            taken_over()
            return len(client.got['camera']['camera_info']) == before
        client.until(silent)
    finally:
        client.close()
        node.send_signal(2)
        output = wait_for_end(node, 20.0)
    assert node.returncode == 0 and 'Traceback' not in output, output
    assert (f'the CameraInfo is for 5x{height} pixels, the images have {width}x{height} pixels'
            in output)
