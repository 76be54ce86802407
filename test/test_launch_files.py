# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The launch files for real, with `ros2 launch`, where launch_ros is installed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import pytest
import rclpy
from rcl_interfaces.srv import GetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import parameter_value_to_python
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image

from fcn_seg_ros.messages import to_header, to_rgb8

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
                ['ros2', 'launch', *([] if '/' in file else ['fcn_seg_ros']), file, *arguments],
                text=True, stdout=output,
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

    def mask(self, images: str, masks: str, still: Callable[[], bool], kind: type = Image
             ) -> Image | CompressedImage:
        """Return the first mask on a topic, while images are published on another."""
        got: list[Image | CompressedImage] = []
        publisher = self._node.create_publisher(type(self.image), images, 1)
        subscription = self._node.create_subscription(kind, masks, got.append, 10)
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
def small() -> list[str]:
    """Return the arguments for a network that loads fast: one that need not be converted first."""
    return ['checkpoint:=general', 'device:=cpu', 'precision:=int8']


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


@pytest.mark.parametrize(('given', 'rectified'), [
    ((), True), (('image_topic_name:=image_raw',), False),
    (('image_topic_name:=image_raw', 'rectified:=true'), True)])
def test_autoware_parameters(launch, given, rectified):
    launched = launch('autoware.launch.xml', 'camera_id:=3', *given)
    expected = {'base_frame': 'base_link', 'grid_resolution': 0.2, 'camera3.rectified': rectified}
    values = parameters_of('/perception/road_segmentation/camera3/seg_node', list(expected),
                           lambda: launched.process.poll() is None)
    assert dict(zip(expected, values, strict=True)) == expected
    launched.interrupt()
    assert launched.process.returncode == 0, launched.output()


def test_nav2_topics(launch, small, road):
    launched = launch('nav2.launch.xml', 'topic:=/front/image_raw', *small)
    check_mask(road.mask('/front/image_raw', '/camera/road/mask',
                         lambda: launched.process.poll() is None), road)
    launched.interrupt()
    assert launched.process.returncode == 0, launched.output()


@pytest.mark.skipif('nav2_costmap_2d' in PACKAGES, reason='Nav2 is installed: it would start')
@pytest.mark.parametrize(('given', 'text'), [
    ('costmap:=true', "package 'nav2_costmap_2d' not found"),
    ('layer:=voxels', "Valid options are: ['scan', 'points']")])
def test_nav2_says_what_is_missing_or_wrong(launch, given, text):
    launched = launch('nav2.launch.xml', given)
    assert launched.process.wait(timeout=SECONDS) == 1
    assert text in launched.output().replace('"', "'")


# Stands for an executable of Nav2: it says how it was called.
STAND_IN = """#!/bin/sh
echo "$0 $@"
while [ $# -gt 0 ]; do [ "$1" != --params-file ] || cat "$2"; shift; done
"""


@pytest.mark.skipif('nav2_costmap_2d' in PACKAGES, reason='Nav2 is installed')
@pytest.mark.parametrize('layer', ['scan', 'points'])
def test_nav2s_costmap_gets_its_file(launch, small, tmp_path, monkeypatch, layer):
    for package, name in (('nav2_costmap_2d', 'nav2_costmap_2d'),
                          ('nav2_lifecycle_manager', 'lifecycle_manager')):
        index = tmp_path / 'share/ament_index/resource_index/packages'
        folder = tmp_path / 'lib' / package
        for made in (index, folder):
            made.mkdir(parents=True, exist_ok=True)
        (index / package).touch()
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path}:{os.environ["AMENT_PREFIX_PATH"]}')
    # With points by a bag's clock, which all three nodes have to follow.
    simulated = ['use_sim_time:=true'] if layer == 'points' else []
    launched = launch('nav2.launch.xml', 'costmap:=true', f'layer:={layer}', *simulated, *small)
    deadline = time.monotonic() + SECONDS
    while launched.output().count('process has finished cleanly') < 2:
        assert time.monotonic() < deadline, launched.output()
        time.sleep(0.1)
    output = launched.interrupt()
    assert launched.process.returncode == 0, output
    costmap, = re.findall(r'nav2_costmap_2d (--ros-args.*)', output)
    assert '-r __node:=local_costmap -r __ns:=/local_costmap' in costmap
    assert costmap.strip().endswith(f'/config/nav2_{layer}.yaml')
    for called in ('nav2_costmap_2d --ros-args', 'lifecycle_manager --ros-args'):
        line, = re.findall(f'{called}.*', output)
        assert ('-p use_sim_time:=True' in line) == bool(simulated)
    assert 'plugins: [road_layer, inflation_layer]' in output
    manager = output.partition('lifecycle_manager --ros-args')[2]
    assert '__node:=lifecycle_manager_costmap' in manager
    # As a list and a number, not as texts.
    assert re.search(r"node_names:\s+(\S+\s+)?- local_costmap/local_costmap\n", manager), manager
    assert re.search(r'bond_timeout: 0\.0\n', manager) and 'autostart: true' in manager


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
    assert 'rviz: the package rviz2 is not installed' in launched.interrupt()


def parameters_of(node: str, names: Sequence[str], still: Callable[[], bool]) -> list[Any]:
    """Return parameters of a node as it has them, by its own service."""
    context = rclpy.Context()
    rclpy.init(context=context)
    asking = rclpy.create_node('asking', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(asking)
    client = asking.create_client(GetParameters, f'{node}/get_parameters')
    try:
        deadline = time.monotonic() + SECONDS
        while not client.service_is_ready():
            assert still(), 'the launch ended'
            assert time.monotonic() < deadline, f'no node {node}'
            executor.spin_once(timeout_sec=0.1)
        future = client.call_async(GetParameters.Request(names=list(names)))
        executor.spin_until_future_complete(future, timeout_sec=SECONDS)
        return [list(value) if isinstance(value, array) else value
                for value in map(parameter_value_to_python, future.result().values)]
    finally:
        executor.shutdown()
        asking.destroy_node()
        rclpy.shutdown(context=context)


def test_arguments_in_all_spellings(launch):
    """Every kind of value, names that YAML takes for others, and a log level for one node."""
    launched = launch('seg.launch.py', 'autostart:=FALSE', 'use_sim_time:=True', 'threshold:=1',
                      'overlay_colour:=255,0,0', 'region_of_interest:=[0, 1, 20, 30]',
                      'threads:= 2', 'camera:=on', 'name:=road', 'namespace:=car',
                      'checkpoint:=general', 'log_level:=WARN')
    expected = {'autostart': False, 'use_sim_time': True, 'threshold': 1.0,
                'overlay_colour': [255, 0, 0], 'region_of_interest': [0, 1, 20, 30], 'threads': 2,
                'cameras': ['on'], 'on.threshold': -2.0, 'checkpoint': 'general'}
    values = parameters_of('/car/road', list(expected), lambda: launched.process.poll() is None)
    assert dict(zip(expected, values, strict=True)) == expected
    assert [type(value) for value in values] == [type(value) for value in expected.values()]
    launched.interrupt()
    assert launched.process.returncode == 0, launched.output()


def test_the_log_level_is_of_this_node_only(launch, small, road):
    launched = launch('seg.launch.py', 'namespace:=car', 'log_level:=Debug', *small)
    road.mask('/car/camera/image_raw', '/car/camera/road/mask',
              lambda: launched.process.poll() is None)
    output = launched.interrupt()
    debug = set(re.findall(r'\[DEBUG\] \[[\d.]+\] \[([^]]*)\]', output))
    assert debug == {'car.seg_node'}, output


# One launch file around ours, in each of the languages; LAUNCH stands for ours.
AROUND = {
    'py': """
from launch import LaunchDescription
from launch.actions import GroupAction, IncludeLaunchDescription
from launch_ros.actions import PushRosNamespace, SetParameter, SetParametersFromFile, SetRemap

def generate_launch_description():
    return LaunchDescription([
        SetParameter('threshold', 0.25), SetParameter('max_age_ms', 1), SetParameter('threads', 3),
        GroupAction([
            PushRosNamespace('car'), SetParametersFromFile('FILE'),
            SetRemap('camera/road/mask', '/planner/mask'),
            IncludeLaunchDescription('LAUNCH', launch_arguments={
                'autostart': 'AUTOSTART', 'threads': '2', 'topic': '/front/image_raw'}.items())])])
""",
    'xml': """
<launch>
  <set_parameter name="threshold" value="0.25"/>
  <set_parameter name="max_age_ms" value="1"/>
  <set_parameter name="threads" value="3"/>
  <group>
    <push_ros_namespace namespace="car"/>
    <set_parameters_from_file filename="FILE"/>
    <set_remap from="camera/road/mask" to="/planner/mask"/>
    <include file="LAUNCH">
      <arg name="autostart" value="AUTOSTART"/>
      <arg name="threads" value="2"/>
      <arg name="topic" value="/front/image_raw"/>
    </include>
  </group>
</launch>
""",
    'yaml': """
launch:
- set_parameter: {name: threshold, value: '0.25'}
- set_parameter: {name: max_age_ms, value: '1'}
- set_parameter: {name: threads, value: '3'}
- group:
  - push_ros_namespace: {namespace: car}
  - set_parameters_from_file: {filename: FILE}
  - set_remap: {from: camera/road/mask, to: /planner/mask}
  - include:
      file: LAUNCH
      arg:
      - {name: autostart, value: 'AUTOSTART'}
      - {name: threads, value: '2'}
      - {name: topic, value: /front/image_raw}
"""}


def around(tmp_path: Path, language: str, file: str, autostart: str = 'False') -> str:
    """Write a launch file that includes ours, and the parameter file that it speaks of."""
    given = tmp_path / 'given.yaml'
    given.write_text(file)
    path = tmp_path / f'around.launch.{language}'
    ours = f'{PACKAGES["fcn_seg_ros"]}/share/fcn_seg_ros/launch/seg.launch.py'
    text = AROUND[language].replace('LAUNCH', ours).replace('FILE', str(given))
    path.write_text(text.replace('AUTOSTART', autostart))
    return str(path)


@pytest.mark.parametrize('language', AROUND)
def test_what_an_including_file_says_wins_over_the_defaults(launch, tmp_path, language):
    """SetParameter, a file of parameters, a namespace and a remapping; an argument wins."""
    launched = launch(around(tmp_path, language, '/**: {ros__parameters: {overlay_alpha: 1}}'))
    expected = {'threshold': 0.25, 'max_age_ms': 1.0, 'overlay_alpha': 1.0, 'threads': 2,
                'autostart': False, 'precision': 'auto', 'camera.topic': '/front/image_raw'}
    values = parameters_of('/car/seg_node', list(expected),
                           lambda: launched.process.poll() is None)
    assert dict(zip(expected, values, strict=True)) == expected
    launched.interrupt()
    assert launched.process.returncode == 0, launched.output()


def test_a_remapped_mask_takes_its_compressed_one_along(launch, small, road, tmp_path):
    # The image's stamp is old, and the file around ours sets max_age_ms: an argument wins.
    launched = launch(around(tmp_path, 'xml', '/**: {ros__parameters: {overlay_alpha: 1}}', 'TRUE'),
                      'max_age_ms:=0', *small)
    still = lambda: launched.process.poll() is None  # noqa: E731
    check_mask(road.mask('/front/image_raw', '/planner/mask', still), road)
    png = road.mask('/front/image_raw', '/planner/mask/compressed', still, CompressedImage)
    assert png.format == 'mono8; png compressed mono8' and png.header == road.image.header
    jpeg = road.mask('/front/image_raw', '/front/road/overlay/compressed', still, CompressedImage)
    assert jpeg.format == 'rgb8; jpeg compressed bgr8' and jpeg.header == road.image.header
    launched.interrupt()


def test_our_own_file_loads_into_a_running_node(launch, road):
    """`ros2 param load` of the packaged file reports no failure, whatever state the node is in."""
    launched = launch('seg.launch.py')
    check_mask(road.mask('/camera/image_raw', '/camera/road/mask',
                         lambda: launched.process.poll() is None), road)
    file = f'{PACKAGES["fcn_seg_ros"]}/share/fcn_seg_ros/config/seg.yaml'
    loaded = subprocess.run(['ros2', 'param', 'load', '--no-daemon', '--spin-time', '3',
                             '/seg_node', file], text=True, capture_output=True)
    lines = loaded.stdout.splitlines()
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    assert len(lines) > 20 and all(re.fullmatch(r'Set parameter \S+ successful', line)
                                   for line in lines), loaded.stdout
    launched.interrupt()


@pytest.mark.parametrize(('arguments', 'text'), [
    (('seg.launch.py', 'checkpoint:=generel'), 'checkpoint: expected a file or one of the names'),
    (('seg.launch.py', 'threshold:=-0.5'),
     'threshold: expected a number from 0 to 1 or -1, found -0.5'),
    (('seg.launch.py', 'device:=tpu'), 'device: expected auto, cpu, cuda or cuda:N'),
    (('seg.launch.py', 'params_file:=WRONG'), 'threshold: expected a number from 0 to 1 or -1'),
    (('AROUND',), 'overlay_alpha: expected a number from 0 to 1, found 7.0'),
    (('seg.launch.py', 'checkpoint:=/nowhere.safetensors'),
     'checkpoint: expected a file, found none at /nowhere.safetensors'),
    (('multi_camera.launch.py', 'cameras:=a,b', 'topics:=/x'),
     'topics: expected one with {camera} in it'),
    (('multi_camera.launch.py',), "missing required argument 'cameras'"),
    (('autoware.launch.xml', 'transport:=h264'),
     "transport: expected one of raw, compressed, found 'h264'"),
])
def test_wrong_arguments_are_one_line_and_start_nothing(launch, tmp_path, arguments, text):
    (tmp_path / 'wrong.yaml').write_text('/**: {ros__parameters: {threshold: high}}')
    arguments = [text.replace('WRONG', str(tmp_path / 'wrong.yaml')) for text in arguments]
    if arguments == ['AROUND']:
        arguments = [around(tmp_path, 'py', '/**: {ros__parameters: {overlay_alpha: 7}}')]
    launched = launch(*arguments)
    assert launched.process.wait(timeout=SECONDS) == 1
    errors = [line for line in launched.output().splitlines() if 'ERROR' in line]
    assert len(errors) == 1
    assert text in errors[0]
    assert launched.node_pids() == []
    assert 'Traceback' not in launched.output()
