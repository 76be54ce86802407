# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""seg_node as a process, over the real middleware: images in, outputs out."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from node_client import FAST, OUTPUTS, Client, image_message, running, start_node, wait_for_end
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros.images.encode import encode_jpeg
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.messages import from_image, to_header, to_mono8
from fcn_seg_ros.node.parameters import PARAMETERS, camera_rows


@pytest.fixture(scope='module')
def process(random_checkpoint):
    """Run one node for the tests of this file."""
    with running('-p', f'checkpoint:={random_checkpoint}', *FAST) as node:
        yield node


@pytest.fixture
def client(process):
    """Return a client that is connected to the node."""
    client = Client()
    client.connect()
    yield client
    client.close()


@pytest.fixture(scope='module')
def segmenter(random_checkpoint):
    """Return the segmenter whose results the node has to publish."""
    return RoadSegmenter(random_checkpoint, 'cpu', 'fp32', threads=1, backend='torch')


def decoded(message: object) -> np.ndarray:
    """Return the pixels of an output's message."""
    if hasattr(message, 'format'):
        assert message.format == 'mono8; png compressed mono8'
        return cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert message.step == message.width * (3 if message.encoding == 'rgb8' else 1)
    return from_image(message)


def test_outputs_are_those_of_the_segmenter(client, segmenter, rendered_frames):
    colours = np.array(segmenter.info.palette, np.uint8)
    for number, frame in enumerate(rendered_frames):
        stamp = 1_600_000_000_123_456_789 + number
        outputs = client.exchange(image_message(frame.image, stamp))
        expected = segmenter.segment(frame.image)
        assert 0.01 < expected.mask.mean() < 0.99
        overlay = draw_overlay(frame.image, expected.mask, (0, 200, 80), 0.45)
        wanted = {'mask': expected.mask, 'probability': expected.probability,
                  'confidence': expected.confidence, 'overlay': overlay,
                  'mask_colour': colours[expected.mask], 'mask/compressed': expected.mask}
        pictures = {name: f'{name}/compressed' for name in ('overlay', 'mask_colour')}
        assert set(outputs) == set(wanted) | set(pictures.values())
        for name, compressed in pictures.items():
            message = outputs[compressed]
            assert message.header == to_header(stamp, 'front_optical')
            assert message.format == 'rgb8; jpeg compressed bgr8'
            assert bytes(message.data) == encode_jpeg(wanted[name], 80)
        for name, pixels in wanted.items():
            assert outputs[name].header == to_header(stamp, 'front_optical'), name
            assert np.array_equal(decoded(outputs[name]), pixels), name
        assert outputs['mask'].encoding == 'mono8'
        assert outputs['overlay'].encoding == outputs['mask_colour'].encoding == 'rgb8'


def test_other_sizes_and_encodings(client, segmenter):
    grey = np.random.default_rng(0).integers(0, 256, (61, 83), np.uint8)
    outputs = client.exchange(to_mono8(grey, to_header(5, 'a')))
    expected = segmenter.segment(np.dstack([grey] * 3))
    assert np.array_equal(from_image(outputs['probability']), expected.probability)


def test_camera_info_follows_the_image(client, rendered_frames):
    frame = rendered_frames[0]
    height, width = frame.image.shape[:2]
    client.until(lambda: client.infos['camera'].get_subscription_count() == 1)
    for size, number in (((height, width), 1), ((height, width + 1), 0)):
        info = CameraInfo(header=to_header(1, 'other'), height=size[0], width=size[1])
        info.k[0] = 700.0 + number
        del client.got['camera']['camera_info'][:]
        # The image may overtake the CameraInfo, which then goes with the next one.
        for stamp in range(100, 130):
            client.infos['camera'].publish(info)
            client.exchange(image_message(frame.image, stamp))
            got = client.got['camera']['camera_info']
            if number and got:
                break
        if number:
            assert got[-1].header.frame_id == 'front_optical'
            assert got[-1].header.stamp.nanosec >= 100 and got[-1].k[0] == 701.0
            assert (got[-1].height, got[-1].width) == size
        else:
            # A CameraInfo of another size is not published.
            assert len(got) < 30 and all(sent.k[0] == 701.0 for sent in got)


def test_malformed_messages_are_counted_and_the_node_goes_on(client, rendered_frames):
    good = image_message(rendered_frames[0].image, 1)
    client.exchange(good)
    client.until(lambda: client.status['in_flight'] == '0')
    malformed = int(client.status['dropped_malformed'])
    received = int(client.status['received'])
    for number, (field, value) in enumerate([
            ('step', 3), ('encoding', 'nonsense'), ('height', 2**31), ('width', 0),
            ('height', 97)], start=1):
        bad = image_message(rendered_frames[0].image, 2)
        setattr(bad, field, value)
        client.publishers['camera'].publish(bad)
        client.counts_become(dropped_malformed=malformed + number)
    assert any('malformed images in the last second' in text for text in client.messages)
    client.exchange(good)
    client.until(lambda: client.status['received'] == str(received + 6) and client.counts_add_up())


def test_settings_change_while_running(client, segmenter, rendered_frames):
    image = rendered_frames[1].image
    for threshold in (0.25, 0.75):
        assert client.set('threshold', threshold).successful
        outputs = client.exchange(image_message(image, 3))
        probability = from_image(outputs['probability'])
        level = int(np.ceil(255 * threshold))
        assert np.array_equal(from_image(outputs['mask']), (probability >= level).astype(np.uint8))
    # A whole number becomes a float.
    assert client.set('threshold', 1).successful
    assert client.get('threshold') == 1.0 and type(client.get('threshold')) is float
    assert client.set_together(max_age_ms=0, threshold=0).successful
    assert [type(client.get(name)) for name in ('max_age_ms', 'threshold')] == [float, float]
    assert client.set('jpeg_quality', 5).successful
    outputs = client.exchange(image_message(image, 3))
    assert bytes(outputs['overlay/compressed'].data) == encode_jpeg(
        from_image(outputs['overlay']), 5)
    # A camera's parameter wins; several parameters change atomically.
    region = [32, 16, 200, 64]
    assert client.set_together(**{'camera.threshold': 0.4, 'unknown_below': 0.6,
                                  'camera.region_of_interest': region,
                                  'overlay_colour': [255, 0, 0], 'overlay_alpha': 1.0}).successful
    outputs = client.exchange(image_message(image, 4))
    expected = segmenter.segment(image, SegmentOptions(0.4, 0.6, Region(*region)))
    assert (expected.mask == 255).any() and (expected.mask == 1).any()
    for name in ('mask', 'probability', 'confidence'):
        assert np.array_equal(from_image(outputs[name]), getattr(expected, name)), name
    overlay = from_image(outputs['overlay'])
    assert (overlay[expected.mask == 1] == (255, 0, 0)).all()
    assert np.array_equal(overlay[expected.mask != 1], image[expected.mask != 1])
    assert client.set_together(**{'threshold': -1.0, 'camera.threshold': -2.0,
                                  'unknown_below': 0.0, 'camera.region_of_interest': [0, 0, 0, 0],
                                  'overlay_colour': [0, 200, 80], 'overlay_alpha': 0.45,
                                  'jpeg_quality': 80}).successful


@pytest.mark.parametrize(('name', 'value', 'reason'), [
    ('threshold', 1.5, 'threshold out of range'),
    ('threshold', -0.5, 'threshold: expected a number from 0 to 1 or -1'),
    ('threshold', float('nan'), 'threshold out of range'),
    ('camera.threshold', -0.5, 'camera.threshold: expected a number from 0 to 1 or -2 or -1'),
    ('overlay_colour', [0, 300, 0], 'three numbers from 0 to 255'),
    ('region_of_interest', [0, 0, 10], 'region_of_interest: expected x, y, width and height'),
    ('region_of_interest', [0, 0, -1, 10], 'region_of_interest: expected x, y, width and height'),
    ('threshold', 'high', 'Wrong parameter type'),
    ('threshold', 2, 'threshold out of range'),
    ('jpeg_quality', 0, 'jpeg_quality out of range'),
    ('jpeg_quality', 80.0, 'Wrong parameter type'),
    ('device', 'cuda', 'device: Cannot change while the node is configured'),
    ('camera.topic', 'x', 'camera.topic: Cannot change while the node is configured'),
    ('cameras', ['camera', 'x'], 'cameras: Cannot change while the node is configured'),
])
def test_wrong_parameters_are_refused_with_a_reason(client, name, value, reason):
    result = client.set(name, value)
    assert not result.successful and reason in result.reason


def test_setting_what_is_there_already_succeeds(client, random_checkpoint):
    """Otherwise `ros2 param load` of a whole file would fail on a configured node."""
    given = {'checkpoint': str(random_checkpoint), 'backend': 'torch', 'precision': 'fp32',
             'device': 'cpu', 'threads': 1}
    for row in [*PARAMETERS, *camera_rows('camera')]:
        result = client.set(row.name, given.get(row.name, row.default))
        assert result.successful, (row.name, result.reason)


def test_of_wrong_parameters_set_together_none_is_taken(client, rendered_frames):
    before = from_image(client.exchange(image_message(rendered_frames[1].image, 3))['mask']).copy()
    result = client.set_together(threshold=0.0, overlay_alpha=0.5, overlay_colour=[1])
    assert not result.successful and 'overlay_colour' in result.reason
    after = from_image(client.exchange(image_message(rendered_frames[1].image, 3))['mask'])
    assert before.min() == 0 and np.array_equal(before, after)


def test_a_region_outside_of_the_image_is_reported(client, rendered_frames):
    malformed = int(client.status['dropped_malformed'])
    assert client.set('region_of_interest', [0, 0, 5000, 5]).successful
    client.publishers['camera'].publish(image_message(rendered_frames[0].image, 1))
    client.counts_become(dropped_malformed=malformed + 1)
    assert client.set('region_of_interest', [0, 0, 0, 0]).successful


def test_old_frames_are_dropped_when_asked(client, rendered_frames):
    before = int(client.status['dropped_too_old'])
    assert client.set('max_age_ms', 60_000.0).successful
    client.publishers['camera'].publish(image_message(rendered_frames[0].image, 1))
    client.counts_become(dropped_too_old=before + 1)
    client.exchange(image_message(rendered_frames[0].image, time.time_ns()))
    assert client.set('max_age_ms', 0.0).successful


def test_subscriptions_come_and_go_with_the_listeners(client, rendered_frames):
    """Without subscribers to its outputs the node does not subscribe to the camera."""
    camera = client.publishers['camera']
    for subscription in client.subscriptions.values():
        client.node.destroy_subscription(subscription)
    client.until(lambda: camera.get_subscription_count() == 0
                 and client.infos['camera'].get_subscription_count() == 0)
    client.until(lambda: client.status['subscribed'] == 'False')
    received = client.status['received']
    camera.publish(image_message(rendered_frames[0].image, 7))
    client.spin(1.5)
    assert client.status['received'] == received
    mask = client.listen('camera', 'mask')
    start = time.monotonic()
    client.until(lambda: camera.get_subscription_count() == 1)
    print(f'subscribed {1e3 * (time.monotonic() - start):.0f} ms after the first listener came')
    # The focal length determines the size of the network's input.
    client.until(lambda: client.infos['camera'].get_subscription_count() == 1)
    kept = client.got['camera']['mask']
    before = len(kept)
    camera.publish(image_message(rendered_frames[0].image, 8))
    client.until(lambda: len(kept) > before)
    assert kept[-1].header.stamp.nanosec == 8
    client.node.destroy_subscription(mask)
    client.until(lambda: camera.get_subscription_count() == 0)


def test_an_offered_deadline_is_taken(random_checkpoint, rendered_frames):
    with running('-p', f'checkpoint:={random_checkpoint}', '-p', 'mask_deadline_ms:=200.0',
                 '-p', 'camera.topic:=sensing/front/image', '-r', '__node:=other',
                 '-r', 'camera/road/mask:=front/road', *FAST) as node:
        client = Client(outputs=())
        # A subscriber that does not match is logged and does not count as one.
        misfit = client.node.create_subscription(
            OUTPUTS['mask'], 'front/road', print,
            QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
        masks = []
        client.node.create_subscription(
            OUTPUTS['mask'], 'front/road', masks.append,
            QoSProfile(depth=1, deadline=Duration(seconds=0.5)))
        camera = client.node.create_publisher(OUTPUTS['mask'], 'sensing/front/image', 1)
        client.until(lambda: client.node.count_publishers('front/road') == 1)
        words = next(line for line in node.stderr if 'DURABILITY' in line)
        assert 'camera/road/mask' in words and 'requesting incompatible QoS' in words
        client.node.destroy_subscription(misfit)
        client.until(lambda: camera.get_subscription_count() == 1)
        camera.publish(image_message(rendered_frames[0].image, 9))
        client.until(lambda: masks)
        assert masks[0].header.stamp.nanosec == 9
        client.close()


@pytest.mark.parametrize(('arguments', 'text'), [
    (['-p', 'checkpoint:=/nowhere/net.safetensors'],
     '/nowhere/net.safetensors: expected a checkpoint file'),
    (['-p', 'device:=tpu'], "device: expected auto, cpu, cuda or cuda:N, found 'tpu'"),
    (['-p', 'cameras:=[]'], 'parameter cameras: expected'),
    (['-p', 'camera.transport:=theora'], 'parameter camera.transport: expected one of'),
    (['-p', 'qos_overrides./camera/road/mask.publisher.reliability:=perhaps'],
     'qos_overrides of /camera/road/mask'),
    (['--params-file', '/nowhere/seg.yaml'], '/nowhere/seg.yaml'),
])
def test_bad_parameters_end_it_with_one_line(arguments, text):
    node = start_node(*arguments)
    output = wait_for_end(node)
    assert node.returncode == 2, output
    lines = [line for line in output.splitlines() if line.startswith('seg_node: error: ')]
    assert len(lines) == 1 and text in lines[0], output
    assert output.count(text) == 1 and 'Traceback' not in output, output
