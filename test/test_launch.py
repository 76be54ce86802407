# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the launch file decides, and, where launch_ros is installed, the launch file for real."""

import os
import signal
import subprocess
from contextlib import suppress

import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.launching import LAUNCH_ARGUMENTS, node_setup
from fcn_seg_ros.resources import share_file

DEFAULTS = {argument.name: argument.default for argument in LAUNCH_ARGUMENTS}


def test_defaults_change_nothing():
    setup = node_setup(DEFAULTS, environ={})
    assert setup.params_file == str(share_file('config/seg.yaml'))
    assert setup.parameters == {}
    assert setup.remappings == []
    assert setup.environment == {
        'FASTDDS_DEFAULT_PROFILES_FILE': str(share_file('config/fastdds.xml'))}


def test_the_users_dds_profile_stays():
    environ = {'FASTDDS_DEFAULT_PROFILES_FILE': '/etc/own.xml'}
    assert node_setup(DEFAULTS, environ).environment == {}


def test_arguments_reach_the_node(random_checkpoint):
    setup = node_setup(DEFAULTS | {
        'topic': '/sensing/front/image_raw', 'device': 'cpu', 'precision': 'fp32',
        'checkpoint': str(random_checkpoint), 'use_sim_time': 'True'}, environ={})
    assert setup.parameters == {'device': 'cpu', 'precision': 'fp32', 'use_sim_time': True,
                                'checkpoint': str(random_checkpoint)}
    assert setup.remappings == [
        ('camera/image_raw', '/sensing/front/image_raw'),
        ('camera/road/mask', '/sensing/front/road/mask'),
        ('camera/road/probability', '/sensing/front/road/probability'),
        ('camera/road/overlay', '/sensing/front/road/overlay')]


@pytest.mark.parametrize(('topic', 'mask'), [
    ('front/image_raw', 'front/road/mask'),
    ('/front/rgb', '/front/rgb/road/mask'),
    ('/image_raw', '/road/mask'),
    ('image_raw', 'road/mask'),
    ('~/image_raw', '~/road/mask'),
    ('/my_image_raw', '/my_image_raw/road/mask'),
])
def test_outputs_stand_beside_the_camera(topic, mask):
    assert node_setup(DEFAULTS | {'topic': topic}, environ={}).remappings[:2] == [
        ('camera/image_raw', topic), ('camera/road/mask', mask)]


def test_files_in_the_home_folder(tmp_path, monkeypatch):
    """The shell leaves the ~ of name:=~/file alone, and launch_ros would go on without the file."""
    monkeypatch.setenv('HOME', str(tmp_path))
    for name in ('own.yaml', 'own.safetensors'):
        (tmp_path / name).touch()
    setup = node_setup(DEFAULTS | {'params_file': '~/own.yaml', 'checkpoint': '~/own.safetensors'},
                       environ={})
    assert setup.params_file == str(tmp_path.resolve() / 'own.yaml')
    assert setup.parameters == {'checkpoint': str(tmp_path.resolve() / 'own.safetensors')}


@pytest.mark.parametrize(('change', 'text'), [
    ({'checkpoint': '/nowhere.safetensors'}, 'checkpoint: expected a file, found none at'),
    ({'params_file': '/nowhere.yaml'}, 'params_file: expected a file, found none at'),
    ({'use_sim_time': 'maybe'}, "expected true or false, found 'maybe'"),
    ({'topic': ''}, "topic: expected the name of an image topic, found ''"),
    ({'topic': '/front/'}, "topic: expected the name of an image topic, found '/front/'"),
    ({'topic': 'a b'}, "topic: expected the name of an image topic, found 'a b'"),
])
def test_bad_arguments(change, text):
    with pytest.raises(InputError) as caught:
        node_setup(DEFAULTS | change, environ={})
    assert text in str(caught.value)


@pytest.fixture
def launched():
    """Yield a function that runs seg.launch.py with the real `ros2 launch`; end it afterwards."""
    pytest.importorskip('launch_ros', reason='launch_ros is not installed: it comes with a ROS '
                        'distribution, not from the package index')
    packages = pytest.importorskip('ament_index_python.packages')
    if 'fcn_seg_ros' not in packages.get_packages_with_prefixes():
        pytest.skip('fcn_seg_ros is not on AMENT_PREFIX_PATH: colcon build, source install/setup')
    processes = []

    def launch(*arguments):
        processes.append(subprocess.Popen(
            ['ros2', 'launch', 'fcn_seg_ros', 'seg.launch.py', *arguments],
            env=os.environ | {'ROS_DOMAIN_ID': str(1 + os.getpid() % 100)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True))
        return processes[-1]

    yield launch
    for process in processes:
        with suppress(ProcessLookupError):  # the node is in the group of `ros2 launch`
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_launch_file_starts_the_node(launched):
    process = launched('device:=cpu')
    lines = []
    for line in process.stdout:
        lines.append(line)
        if 'ready after' in line:
            break
    os.kill(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    output = ''.join(lines) + rest
    assert 'ready after' in output
    assert 'process has finished cleanly' in output
    assert process.returncode == 0, output


def test_launch_file_refuses_a_missing_checkpoint(launched):
    process = launched('checkpoint:=/nowhere.safetensors')
    output, _ = process.communicate(timeout=60)
    assert 'checkpoint: expected a file, found none at /nowhere.safetensors' in output
    assert 'process started' not in output
    assert process.returncode == 1
