# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Bad input to play: one line on stderr that names it, and exit status 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_drive_bag import camera_info, image, noise, write_bag
from test_drive_folder import write_png
from test_drive_video import write_video

ROOT = Path(__file__).resolve().parents[1]


def play(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run play, waiting for nobody."""
    environ = os.environ | {'PYTHONPATH': str(ROOT)}
    return subprocess.run(
        [sys.executable, '-m', 'fcn_seg_ros', 'play', *arguments, '--wait-for-subscribers', '0'],
        env=environ, capture_output=True, text=True, timeout=60, check=False)


def expect_one_line(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Check status and stderr: one line with every part in it."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ''
    assert result.stderr.startswith('play: error: ')
    assert result.stderr.count('\n') == 1, result.stderr
    for part in parts:
        assert part in result.stderr


def test_missing_path(tmp_path: Path) -> None:
    path = str(tmp_path / 'nothing')
    expect_one_line(play(path), path, 'expected a folder of images', 'found no such file')


def test_empty_folder(tmp_path: Path) -> None:
    expect_one_line(play(str(tmp_path)), str(tmp_path), '.png', 'training/image_2',
                    'found no files')
    (tmp_path / 'a.gif').write_bytes(b'x')
    expect_one_line(play(str(tmp_path)), 'found 1 .gif')


def test_unreadable_images(tmp_path: Path) -> None:
    write_png(tmp_path / '0.png', 1)
    for content in (b'', b'not an image', (tmp_path / '0.png').read_bytes()[:-30]):
        (tmp_path / '0.png').write_bytes(content)
        expect_one_line(play(str(tmp_path)), '0.png', 'expected a',
                        f'found {len(content)} bytes')


def test_an_image_that_turns_out_bad_on_the_way(tmp_path: Path) -> None:
    for index in range(3):
        write_png(tmp_path / f'{index}.png', index)
    (tmp_path / '2.png').write_bytes(b'no')
    result = play(str(tmp_path), '--rate', '100', '--json')
    assert result.returncode == 0
    assert result.stderr.startswith('play: at 0.020000000 s: ') and '2.png' in result.stderr
    assert result.stderr.count('\n') == 1
    summary = json.loads(result.stdout)
    assert (summary['frames'], summary['lost']) == (2, 1)


def test_unreadable_videos(tmp_path: Path) -> None:
    path = tmp_path / 'drive.mp4'
    path.write_bytes(b'\0' * 5000)
    expect_one_line(play(str(path)), 'drive.mp4', 'expected a video', '5000 bytes')
    write_video(tmp_path / 'whole.mkv')
    path.write_bytes((tmp_path / 'whole.mkv').read_bytes()[:100])
    expect_one_line(play(str(path)), 'drive.mp4', 'expected a video')


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_bags(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'info', storage, [
        ('/front/camera_info', camera_info(40, 30, 50.0, 5), 5)])
    expect_one_line(play(str(bag)), 'info', '/front/camera_info (sensor_msgs/msg/CameraInfo)')
    bag = write_bag(tmp_path / 'two', storage, [
        ('/left', image(noise(1), 'rgb8', 5), 5), ('/right', image(noise(1), 'rgb8', 5), 5)])
    expect_one_line(play(str(bag)), '--topic', '/left (1), /right (1)')
    single = next(p for p in bag.iterdir() if p.suffix in ('.db3', '.mcap'))
    single.write_bytes(b'rubbish' * 20)
    expect_one_line(play(str(bag)), str(bag), 'expected a rosbag2')


@pytest.mark.parametrize(('arguments', 'parts'), [
    (['--stamps', 'sometimes'], ['--stamps', "'sometimes'", 'wall']),
    (['--rate', 'fast'], ['--rate', "'fast'"]),
    (['--rate', '0'], ['rate', 'more than 0', 'found 0']),
    (['--rate', 'nan'], ['rate', 'found nan']),
    (['--speed', '0'], ['--speed', 'more than 0', 'found 0']),
    (['--speed', 'nan'], ['--speed', 'found nan']),
    (['--speed', '2', '--rate', '5'], ['--speed and --rate', 'exclude each other']),
    (['--frames', '0'], ['at least one frame', 'found 0']),
    (['--wait-timeout', '-1'], ['--wait-timeout', 'found -1']),
    (['--cam', 'my cam'], ['--cam', "'my cam'"]),
    (['--unknown'], ['--unknown']),
    (['--ros-args', '-r', 'nonsense', '--'], ['ROS arguments', 'nonsense']),
])
def test_unknown_values(tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    write_png(tmp_path / '0.png', 1)
    expect_one_line(play(str(tmp_path), *arguments), *parts)


def test_rendered_seed() -> None:
    expect_one_line(play('rendered:x'), 'rendered:x', 'expected rendered:SEED', "'x'")
