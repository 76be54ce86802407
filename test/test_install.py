# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The package built by colcon: recognised, installed where ROS looks, started from there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from node_client import Client, image_message

from fcn_seg_ros.cli import EXECUTABLES
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.messages import from_image
from fcn_seg_ros.resources import default_checkpoint

ROOT = Path(__file__).resolve().parent.parent


def colcon(*arguments: str, cwd: Path) -> str:
    # colcon.pkg warns where the prefix of this environment is not on the path.
    environment = os.environ | {'AMENT_PREFIX_PATH': sys.prefix}
    result = subprocess.run([sys.executable, '-m', 'colcon', *arguments], cwd=cwd, text=True,
                            capture_output=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope='module')
def workspace(tmp_path_factory) -> Path:
    """Return a workspace in which the package was built."""
    folder = tmp_path_factory.mktemp('workspace')
    colcon('--log-base', 'log', 'build', '--base-paths', str(ROOT), cwd=folder)
    return folder


def installed(workspace: Path, command: str) -> list[str]:
    """Return the command that runs something after sourcing the workspace."""
    return ['bash', '-c', f'source {workspace}/install/setup.bash && exec {command}']


def environment(**more: str) -> dict[str, str]:
    """Return this environment without what would find the source tree instead."""
    return {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'} | {
        'AMENT_PREFIX_PATH': sys.prefix} | more


def test_colcon_recognises_the_package(tmp_path):
    listed = colcon('--log-base', str(tmp_path), 'list', '--base-paths', str(ROOT), cwd=tmp_path)
    assert listed.split() == ['fcn_seg_ros', str(ROOT), '(ros.ament_python)']


def test_files_lie_where_ros_looks(workspace):
    prefix = workspace / 'install' / 'fcn_seg_ros'
    executables = {path.name for path in (prefix / 'lib' / 'fcn_seg_ros').iterdir()}
    assert executables == {'fcn_seg_ros', *EXECUTABLES}
    share = prefix / 'share' / 'fcn_seg_ros'
    for name in ('package.xml', 'LICENSE', 'CHANGELOG.rst', 'launch/seg.launch.py',
                 'launch/multi_camera.launch.py',
                 'launch/autoware.launch.xml', 'launch/nav2.launch.xml', 'rviz/road.rviz',
                 'foxglove/road.json', 'config/seg.yaml', 'config/nav2_scan.yaml',
                 'config/nav2_points.yaml', 'config/autoware_seg.yaml',
                 'config/fastdds.xml'):
        assert (share / name).read_bytes() == (ROOT / name).read_bytes(), name
    assert next((prefix / 'lib').rglob('py.typed')).parent.name == 'fcn_seg_ros'
    assert (prefix / 'share/ament_index/resource_index/packages/fcn_seg_ros').is_file()
    installed_data = next((prefix / 'lib').rglob('*.safetensors')).parent
    for path in default_checkpoint().parent.glob('*.[!p]*'):
        assert (installed_data / path.name).read_bytes() == path.read_bytes(), path


def test_installed_code_finds_its_own_files(workspace, tmp_path):
    code = ('import fcn_seg_ros.resources as r; print(r.default_checkpoint()); '
            'print(r.share_file("config/seg.yaml"))')
    result = subprocess.run(installed(workspace, f"{sys.executable} -c '{code}'"), text=True,
                            capture_output=True, cwd=tmp_path, env=environment())
    paths = [Path(line) for line in result.stdout.split()]
    assert len(paths) == 2, result.stderr
    assert all(path.is_file() and workspace in path.parents for path in paths), paths


@pytest.mark.parametrize('name', sorted(EXECUTABLES))
def test_help_of_every_executable(workspace, tmp_path, name):
    result = subprocess.run(
        installed(workspace, f'{workspace}/install/fcn_seg_ros/lib/fcn_seg_ros/{name} --help'),
        text=True, capture_output=True, cwd=tmp_path, env=environment())
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f'usage: ros2 run fcn_seg_ros {name} ')
    assert 'examples:' in result.stdout


def test_installed_node_segments(workspace, tmp_path, rendered_frames):
    """The executable from install/, with the packaged checkpoint, gives the segmenter's mask."""
    node = subprocess.Popen(
        installed(workspace, f'{workspace}/install/fcn_seg_ros/lib/fcn_seg_ros/seg_node'),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
        env=environment())
    client = Client()
    try:
        client.connect()
        outputs = client.exchange(image_message(rendered_frames[0].image, 7))
    finally:
        client.close()
        node.terminate()
        output, errors = node.communicate(timeout=30)
    assert node.returncode == 0, output + errors
    expected = RoadSegmenter(default_checkpoint()).segment(rendered_frames[0].image)
    assert (from_image(outputs['mask']) == expected.mask).all()
