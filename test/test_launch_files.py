# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The launch files for real, with `ros2 launch`, where launch_ros is installed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image

from fcn_seg_ros.bags.messages import to_header, to_rgb8

pytest.importorskip('launch_ros', reason='launch_ros is not installed: it comes with a ROS '
                    'distribution, not from the package index')
PACKAGES = pytest.importorskip('ament_index_python.packages').get_packages_with_prefixes()
if 'fcn_seg_ros' not in PACKAGES:
    pytest.skip('fcn_seg_ros is not on AMENT_PREFIX_PATH: colcon build, source install/setup',
                allow_module_level=True)

SECONDS = 120.0


class Launched:
    """A `ros2 launch` in a process group of its own; what it prints goes into a file."""

    def __init__(self, log: Path, file: str, *arguments: str) -> None:
        self._log = log
        with log.open('w') as output:
            self.process = subprocess.Popen(
                ['ros2', 'launch', 'fcn_seg_ros', file, *arguments], text=True, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)

    def output(self) -> str:
        """Return what was printed so far."""
        return self._log.read_text()

    def node_pids(self) -> list[int]:
        """Return the process ids of the nodes that were started, in order."""
        return [int(pid) for pid in re.findall(r'seg_node-\d+\]: process started with pid '
                                               r'\[(\d+)\]', self.output())]

    def interrupt(self) -> str:
        """Press Ctrl-C, which reaches launch and node alike, and return all that was printed."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(timeout=60)
        return self.output()

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        with suppress(ProcessLookupError):  # the node is in the group of `ros2 launch`
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Road:
    """Publishes an image (raw or compressed), /clock, and waits for masks."""

    def __init__(self, image: Image | CompressedImage) -> None:
        self.image = image
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = rclpy.create_node('road', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._clock = self._node.create_publisher(Clock, '/clock', 10)

    def mask(self, images: str, masks: str, still: Callable[[], bool]) -> Image:
        """Return the first mask on a topic, while images are published on another."""
        got: list[Image] = []
        publisher = self._node.create_publisher(type(self.image), images, 1)
        subscription = self._node.create_subscription(Image, masks, got.append, 10)
        deadline = time.monotonic() + SECONDS
        while not got:
            assert still(), 'the launch ended'
            assert time.monotonic() < deadline, f'no mask on {masks} within {SECONDS:.0f} s'
            self._clock.publish(Clock(clock=self.image.header.stamp))
            publisher.publish(self.image)
            self._executor.spin_once(timeout_sec=0.1)
        self._node.destroy_subscription(subscription)
        self._node.destroy_publisher(publisher)
        return got[0]

    def close(self) -> None:
        """Leave the graph; what the executor waits on would stay in it."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)


@pytest.fixture
def launch(tmp_path) -> Iterator[Callable[..., Launched]]:
    """Yield a function that runs a launch file; everything it started ends with the test."""
    running: list[Launched] = []

    def start(*arguments: str) -> Launched:
        running.append(Launched(tmp_path / f'launch{len(running)}.log', *arguments))
        return running[-1]

    yield start
    for launched in running:
        launched.end()


@pytest.fixture
def small(random_checkpoint) -> list[str]:
    """Return the arguments for a network that loads fast."""
    return [f'checkpoint:={random_checkpoint}', 'device:=cpu', 'precision:=fp32']


@pytest.fixture
def road(rendered_frames) -> Iterator[Road]:
    """Yield somebody who publishes a rendered image."""
    road = Road(to_rgb8(rendered_frames[0].image, to_header(7_000_000_001, 'front')))
    yield road
    road.close()


def check_mask(mask: Image, road: Road) -> None:
    """Check that a mask is of the image that was published."""
    assert mask.header == road.image.header
    assert (mask.encoding, mask.height, mask.width) == (
        'mono8', road.image.height, road.image.width)
    assert set(mask.data) <= {0, 1}


def test_topic_killed_node_and_ctrl_c(launch, small, road):
    """The outputs stand beside the images, a killed node comes back, Ctrl-C ends it all."""
    launched = launch('seg.launch.py', 'topic:=/sensing/front/image_raw', 'respawn:=true',
                      'respawn_delay:=0.2', *small)
    topics = ('/sensing/front/image_raw', '/sensing/front/road/mask')
    check_mask(road.mask(*topics, lambda: launched.process.poll() is None), road)
    os.kill(launched.node_pids()[0], signal.SIGKILL)
    killed = time.monotonic()
    check_mask(road.mask(*topics, lambda: launched.process.poll() is None), road)
    print(f'mask {time.monotonic() - killed:.1f} s after kill -9')
    assert len(launched.node_pids()) == 2
    output = launched.interrupt()
    assert 'process has finished cleanly' in output, output
    assert 'process has died' in output.split('process has finished cleanly')[0]  # the kill
    assert output.count('process has died') == 1
    assert launched.process.returncode == 0, output


def test_several_cameras_share_one_node(launch, small, road):
    launched = launch('multi_camera.launch.py', 'cameras:=front,left', *small,
                      'topics:=/sensing/{camera}/image_raw', 'outputs:=/perception/{camera}')
    for camera in ('front', 'left'):
        check_mask(road.mask(f'/sensing/{camera}/image_raw', f'/perception/{camera}/mask',
                             lambda: launched.process.poll() is None), road)
    assert len(launched.node_pids()) == 1
    launched.interrupt()
    assert launched.process.returncode == 0, launched.output()


def test_autoware_topics(launch, small, road):
    launched = launch('autoware.launch.xml', 'camera_id:=3', *small)
    check_mask(road.mask('/sensing/camera/camera3/image_rect_color',
                         '/perception/road_segmentation/camera3/mask',
                         lambda: launched.process.poll() is None), road)
    launched.interrupt()
    assert launched.process.returncode == 0, launched.output()


def test_compressed_images_by_the_bags_clock(launch, small, road, rendered_frames, tmp_path):
    """As from `ros2 bag play --clock`: by the computer's clock they would be years too old."""
    params = tmp_path / 'seg.yaml'
    params.write_text('/**: {ros__parameters: {max_age_ms: 500.0}}')
    raw = road.image
    png = cv2.imencode('.png', rendered_frames[0].image[..., ::-1])[1].tobytes()
    road.image = CompressedImage(header=raw.header, format='rgb8; png compressed bgr8', data=png)
    topic = '/sensing/front/image_raw'
    launched = launch('seg.launch.py', f'topic:={topic}', 'transport:=compressed',
                      'use_sim_time:=true', f'params_file:={params}', *small)
    mask = road.mask(f'{topic}/compressed', '/sensing/front/road/mask',
                     lambda: launched.process.poll() is None)
    road.image = raw
    check_mask(mask, road)
    launched.interrupt()
    assert launched.process.returncode == 0, launched.output()


@pytest.mark.skipif('rviz2' in PACKAGES, reason='rviz2 is installed: no message that it is not')
def test_rviz_is_optional(launch, small, road):
    launched = launch('seg.launch.py', 'rviz:=true', *small)
    check_mask(road.mask('/camera/image_raw', '/camera/road/mask',
                         lambda: launched.process.poll() is None), road)
    assert 'rviz: expected the package rviz2, found none' in launched.interrupt()


@pytest.mark.parametrize(('arguments', 'text'), [
    (('seg.launch.py', 'checkpoint:=/nowhere.safetensors'),
     'checkpoint: expected a file, found none at /nowhere.safetensors'),
    (('multi_camera.launch.py', 'cameras:=a,b', 'topics:=/x'),
     'topics: expected one with {camera} in it'),
    (('multi_camera.launch.py',), "missing required argument 'cameras'"),
    (('autoware.launch.xml', 'transport:=h264'),
     "transport: expected one of raw, compressed, found 'h264'"),
])
def test_wrong_arguments_are_one_line_and_start_nothing(launch, arguments, text):
    launched = launch(*arguments)
    assert launched.process.wait(timeout=SECONDS) == 1
    errors = [line for line in launched.output().splitlines() if 'ERROR' in line]
    assert len(errors) == 1
    assert text in errors[0]
    assert launched.node_pids() == []
    assert 'Traceback' not in launched.output()
