# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""seg_node as a process of its own, over the real middleware."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

from fcn_seg_ros.bags.messages import from_image, to_header, to_mono8, to_rgb8
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.inference.segmenter import RoadSegmenter

DOMAIN = 101 + os.getpid() % 100
OUTPUTS = ('mask', 'probability', 'overlay')


class Client:
    """Publishes images to a node and keeps what comes back."""

    def __init__(self, camera: str = 'camera') -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=DOMAIN)
        self.node = rclpy.create_node('client', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.publisher = self.node.create_publisher(Image, f'{camera}/image_raw', 1)
        self.got: dict[str, list[Image]] = {name: [] for name in OUTPUTS}
        for name in OUTPUTS:
            self.node.create_subscription(Image, f'{camera}/road/{name}',
                                          self.got[name].append, 10)
        self.status: dict[str, str] = {}
        self.messages: list[str] = []
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            self.messages.append(status.message)
            self.status = {value.key: value.value for value in status.values}

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Spin until a condition holds; fail after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.status, self.messages[-3:])
            self.executor.spin_once(timeout_sec=0.05)

    def connect(self) -> None:
        """Wait until the node is active and connected in both directions."""
        self.until(lambda: self.status.get('state') == 'active'
                   and self.publisher.get_subscription_count() == 1)
        self.until(lambda: all(self.node.count_publishers(f'camera/road/{name}') == 1
                               for name in OUTPUTS))

    def exchange(self, message: Image) -> dict[str, Image]:
        """Send one image and return the three outputs of it."""
        before = len(self.got['overlay'])
        self.publisher.publish(message)
        self.until(lambda: len(self.got['overlay']) > before)
        self.until(lambda: len({len(messages) for messages in self.got.values()}) == 1)
        return {name: messages[-1] for name, messages in self.got.items()}

    def counts_become(self, **expected: int) -> None:
        """Wait until the diagnostics say these counts."""
        self.until(lambda: all(self.status.get(key) == str(value)
                               for key, value in expected.items()))

    def call(self, service_type: type, name: str, request: object) -> object:
        """Call a service of the node and return its answer."""
        client = self.node.create_client(service_type, f'/seg_node/{name}')
        assert client.wait_for_service(10.0)
        future = client.call_async(request)
        self.until(future.done)
        return future.result()

    def close(self) -> None:
        """Leave the graph."""
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def start_node(*arguments: str) -> subprocess.Popen[str]:
    """Start seg_node with ROS arguments."""
    return subprocess.Popen(
        [sys.executable, '-m', 'fcn_seg_ros', 'seg_node', '--ros-args', *arguments],
        env=os.environ | {'ROS_DOMAIN_ID': str(DOMAIN)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture(scope='module')
def process(random_checkpoint):
    """Run the node for the tests of this file, and see that it ends as it should."""
    node = start_node('-p', f'checkpoint:={random_checkpoint}', '-p', 'precision:=fp32',
                      '-p', 'device:=cpu')
    yield node
    node.send_signal(signal.SIGINT)
    output, errors = node.communicate(timeout=20)
    assert node.returncode == 0, output + errors
    assert 'Traceback' not in output + errors


@pytest.fixture
def client(process):
    """Return a client that is connected to the node."""
    client = Client()
    client.connect()
    yield client
    client.close()


def image_message(image: np.ndarray, stamp_ns: int, frame_id: str = 'front_optical') -> Image:
    return to_rgb8(image, to_header(stamp_ns, frame_id))


def test_masks_are_those_of_the_segmenter(client, random_checkpoint, rendered_frames):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32')
    for number, frame in enumerate(rendered_frames):
        stamp = 1_600_000_000_123_456_789 + number
        outputs = client.exchange(image_message(frame.image, stamp))
        expected = segmenter.segment(frame.image)
        assert 0.01 < expected.mask.mean() < 0.99
        overlay = draw_overlay(frame.image, expected.mask, (0, 200, 80), 0.45)
        for name, pixels in (('mask', expected.mask), ('probability', expected.probability),
                             ('overlay', overlay)):
            message = outputs[name]
            assert message.header == to_header(stamp, 'front_optical')
            assert message.encoding == ('rgb8' if name == 'overlay' else 'mono8')
            assert np.array_equal(from_image(message), pixels), name


def test_other_sizes_and_encodings(client, random_checkpoint):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32')
    grey = np.random.default_rng(0).integers(0, 256, (61, 83), np.uint8)
    outputs = client.exchange(to_mono8(grey, to_header(5, 'a')))
    expected = segmenter.segment(np.dstack([grey] * 3))
    assert np.array_equal(from_image(outputs['probability']), expected.probability)


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
        client.publisher.publish(bad)
        client.counts_become(dropped_malformed=malformed + number)
    assert 'malformed images in the last second' in client.messages
    client.exchange(good)
    client.until(lambda: client.status['received'] == str(received + 6)
                 and client.status['in_flight'] == '0')
    numbers = {key: int(value) for key, value in client.status.items()
               if key in ('received', 'published') or key.startswith('dropped_')}
    dropped = sum(v for k, v in numbers.items() if k.startswith('dropped_'))
    assert numbers['received'] == numbers['published'] + dropped


def set_parameter(client: Client, name: str, value: ParameterValue):
    request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
    return client.call(SetParameters, 'set_parameters', request).results[0]


def test_threshold_changes_while_running(client, rendered_frames):
    message = image_message(rendered_frames[1].image, 3)
    for threshold in (0.25, 0.75):
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=threshold)
        assert set_parameter(client, 'threshold', value).successful
        outputs = client.exchange(message)
        level = int(np.ceil(255 * threshold))
        probability = from_image(outputs['probability'])
        assert np.array_equal(from_image(outputs['mask']), (probability >= level).astype(np.uint8))
    whole = ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=1)
    assert set_parameter(client, 'threshold', whole).successful
    back = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=-1.0)
    assert set_parameter(client, 'threshold', back).successful


@pytest.mark.parametrize(('name', 'value', 'reason'), [
    ('threshold', ParameterValue(type=3, double_value=1.5), 'threshold out of range'),
    ('overlay_colour', ParameterValue(type=7, integer_array_value=[0, 300, 0]),
     'three numbers from 0 to 255'),
    ('threshold', ParameterValue(type=4, string_value='high'), 'threshold: expected a number'),
    ('device', ParameterValue(type=4, string_value='cuda'), 'read-only'),
])
def test_wrong_parameters_are_refused_with_a_reason(client, name, value, reason):
    result = set_parameter(client, name, value)
    assert not result.successful and reason in result.reason


def test_old_frames_are_dropped_when_asked(client, rendered_frames):
    before = int(client.status['dropped_too_old'])
    value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=500.0)
    assert set_parameter(client, 'max_age_ms', value).successful
    client.publisher.publish(image_message(rendered_frames[0].image, 1))
    client.counts_become(dropped_too_old=before + 1)
    client.exchange(image_message(rendered_frames[0].image, time.time_ns()))
    value.double_value = 0.0
    assert set_parameter(client, 'max_age_ms', value).successful


def test_lifecycle(client, rendered_frames):
    """Deactivated it counts frames as inactive; cleaned up and configured again it works."""
    message = image_message(rendered_frames[0].image, 4)
    expected = from_image(client.exchange(message)['mask']).copy()

    def change(transition: int, state: str) -> None:
        request = ChangeState.Request()
        request.transition.id = transition
        assert client.call(ChangeState, 'change_state', request).success
        client.until(lambda: client.status['state'] == state)

    change(4, 'inactive')
    inactive = int(client.status['dropped_inactive'])
    client.publisher.publish(message)
    client.counts_become(dropped_inactive=inactive + 1)
    change(2, 'unconfigured')
    change(1, 'inactive')
    change(3, 'active')
    client.connect()
    assert np.array_equal(from_image(client.exchange(message)['mask']), expected)


@pytest.mark.parametrize(('arguments', 'text'), [
    (['-p', 'checkpoint:=/nowhere/net.safetensors'],
     '/nowhere/net.safetensors: expected a checkpoint file'),
    (['-p', 'device:=tpu'], "device: expected auto, cpu, cuda or cuda:N, found 'tpu'"),
    (['-p', 'precision:=fp8'], 'parameter precision: expected one of'),
    (['-p', 'threshold:=2.0'], 'parameter threshold: expected'),
    (['-p', 'threshold:=high'], 'parameter threshold: expected a number'),
    (['-p', 'cameras:=[]'], 'parameter cameras: expected'),
    (['-p', 'cameras:=[a, a]'], 'parameter cameras: expected different names'),
    (['-p', 'network_height:=-5'], 'parameter network_height: expected'),
    (['-p', 'overlay_alpha:=7.0'], 'parameter overlay_alpha: expected'),
    (['--params-file', '/nowhere/seg.yaml'], '/nowhere/seg.yaml'),
])
def test_bad_parameters_end_it_with_one_line(arguments, text):
    node = start_node(*arguments)
    output, errors = node.communicate(timeout=60)
    assert node.returncode == 2, output + errors
    lines = [line for line in errors.splitlines() if line.startswith('seg_node: error: ')]
    assert len(lines) == 1 and text in lines[0], output + errors
    assert 'Traceback' not in output + errors


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_stopped_while_it_loads(number):
    node = start_node()
    client = Client()
    client.until(lambda: client.status.get('state') == 'configuring')
    client.close()
    node.send_signal(number)
    output, errors = node.communicate(timeout=30)
    assert node.returncode == 0 and 'Traceback' not in output + errors, output + errors
