# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the launch file decides, and, where launch_ros is installed, the launch file for real."""

import os
import signal
import subprocess
import time

import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.launching import LAUNCH_ARGUMENTS, node_setup
from fcn_seg_ros.resources import share_file

DEFAULTS = {argument.name: argument.default for argument in LAUNCH_ARGUMENTS}


def test_defaults_change_nothing():
    setup = node_setup(DEFAULTS, environ={})
    assert setup.params_file == str(share_file('config/seg.yaml'))
    assert setup.parameters == {'use_sim_time': False}
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
    other = node_setup(DEFAULTS | {'topic': '/front/rgb'}, environ={}).remappings
    assert ('camera/road/mask', '/front/rgb/road/mask') in other


@pytest.mark.parametrize(('change', 'text'), [
    ({'checkpoint': '/nowhere.safetensors'}, 'checkpoint: expected a file, found none at'),
    ({'params_file': '/nowhere.yaml'}, 'params_file: expected a file, found none at'),
    ({'use_sim_time': 'maybe'}, "expected true or false, found 'maybe'"),
    ({'topic': ''}, "topic: expected the name of an image topic, found ''"),
])
def test_bad_arguments(change, text):
    with pytest.raises(InputError) as caught:
        node_setup(DEFAULTS | change, environ={})
    assert text in str(caught.value)


def test_launch_file_starts_the_node():
    """Run seg.launch.py with the real launch_ros; needs a sourced install (colcon build)."""
    pytest.importorskip('launch_ros', reason='launch_ros is not installed: it comes with a ROS '
                        'distribution, not from the package index')
    process = subprocess.Popen(
        ['ros2', 'launch', 'fcn_seg_ros', 'seg.launch.py', 'device:=cpu'],
        env=os.environ | {'ROS_DOMAIN_ID': str(1 + os.getpid() % 100)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    lines = []
    deadline = time.monotonic() + 60
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if 'ready after' in line or time.monotonic() > deadline:
            break
    os.kill(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert any('ready after' in line for line in lines), ''.join(lines) + rest
    assert process.returncode == 0, ''.join(lines) + rest
