# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The closed loop of seg_node, planner and simulator as processes, for a few metres."""

from __future__ import annotations

import math
from types import SimpleNamespace

import av
import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from node_client import PACKAGED
from sensor_msgs.msg import LaserScan

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.examples import closed_loop, planner_node
from fcn_seg_ros.examples.closed_loop import ClosedLoop, ClosedLoopError, LoopOptions
from fcn_seg_ros.examples.picture import grid_picture
from fcn_seg_ros.examples.planner_node import PlannerNode
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.messages import to_header

CAMERA = PinholeCamera(320, 180, 200.0, 200.0, 159.5, 89.5)


def test_it_drives_by_what_the_node_sees(tmp_path):
    out = tmp_path / 'drive.mp4'
    options = LoopOptions(10013, 15.0, 'none', out=out, camera=CAMERA, node_arguments=PACKAGED)
    report = ClosedLoop(options, lambda: False, print).run()
    assert report.driven >= 15.0
    assert report.clean, report
    assert report.missed == 0
    with av.open(str(out)) as video:
        images = [frame.to_ndarray(format='rgb24') for frame in video.decode(video=0)]
    assert len(images) == report.frames
    # The road in the grid is green, in front of the vehicle.
    below = images[-1][260:, 320:].astype(int)
    assert ((below[..., 1] > 150) & (below[..., 0] < 110)).mean() > 0.02


def test_a_node_that_does_not_start_is_one_line():
    options = LoopOptions(10013, 15.0, 'none', camera=CAMERA, checkpoint='/nowhere.safetensors')
    with pytest.raises(ClosedLoopError, match=r'^seg_node exited with status \d+: .*nowhere'):
        ClosedLoop(options, lambda: False, print).run()


@pytest.mark.parametrize('changes', [{'in_the_way': 'cow'}, {'metres': 0.0},
                                     {'metres': float('nan')}, {'seed': -1},
                                     {'metres': float('inf')}, {'metres': 1e13},
                                     {'patience': float('nan')}, {'patience': 0.0}])
def test_bad_options_are_refused(changes):
    with pytest.raises(InputError):
        ClosedLoop(LoopOptions(**changes), lambda: False, print)


def test_a_bad_option_is_one_line_and_status_2(capsys):
    assert closed_loop.main(['--metres', '-3']) == 2
    assert capsys.readouterr().err == (
        'closed_loop: error: closed loop: expected a distance above 0, up to 100000 m, '
        'found -3.0\n')


def test_the_grid_is_drawn_with_x_up_and_y_to_the_left():
    values = np.full((20, 40), -1, np.int8)  # rows along y, columns along x
    values[15:, 30:] = 0
    image = grid_picture(values, 0.1, (0.0, -1.0), np.zeros((1, 3)), np.zeros((4, 2)))
    assert image.shape == (160, 80, 3)
    green = (image[..., 1] > 150) & (image[..., 0] < 110)
    assert green[:36, :16].all()  # far ahead, left
    assert not green[60:].any()
    assert not green[:, 40:].any()


def test_the_planner_node_answers_a_scan_and_stops_without_scans_or_odometry():
    rclpy.init(args=['planner', '--ros-args', '-p', 'speed:=5'])
    try:
        node = PlannerNode()
        assert node.planner.options.speed == 5.0
        sent: list = []
        node._commands = SimpleNamespace(publish=sent.append)
        node._watch()
        assert not sent  # nothing came yet
        angles = np.radians(np.arange(-30.0, 30.1, 0.5))
        ranges = 3.0 / np.maximum(np.abs(np.sin(angles)), 0.03)
        ranges[ranges > 40.0] = np.inf

        def see(number: int, moves_at: int | None = None, speed: float = 0.0) -> TwistStamped:
            """Return the command for a scan; ``moves_at`` is the number that odometry is of."""
            header = to_header(10**18 + number * 10**8, 'base_link')
            if moves_at is not None:
                odometry = Odometry(header=to_header(10**18 + moves_at * 10**8, 'odom'))
                odometry.twist.twist.linear.x = speed
                node._on_odometry(odometry)
            node._on_scan(LaserScan(
                header=header, ranges=ranges.tolist(), angle_min=float(angles[0]),
                angle_increment=float(angles[1] - angles[0]), range_min=5.1, range_max=40.0))
            assert sent[-1].header == header
            return sent[-1]

        assert see(0).twist.linear.x == 0.0  # no odometry yet
        for number in range(1, 21):
            command = see(number, number)
        assert len(sent) == 21 and command.twist.linear.x > 0.9
        assert see(24).twist.linear.x > 0.9
        assert see(25).twist.linear.x == 0.0  # the newest odometry is 0.5 s old
        assert see(26, 26, math.nan).twist.linear.x == 0.0
        assert see(27, 27).twist.linear.x > 0.0
        node._watch()  # the clock shows today, and the scan is of 2001
        assert sent[-1].twist.linear.x == 0.0
        assert len(sent) == 26
        node._last = to_header(-10**9, 'base_link')  # a scan of before all time
        node._watch()
        assert len(sent) == 27 and sent[-1].twist.linear.x == 0.0
    finally:
        rclpy.shutdown()


@pytest.mark.parametrize('value', ['.nan', '.inf', 'fast', '0', '-7.0', '[1.0]'])
def test_the_planner_node_refuses_what_is_no_speed_in_one_line(capfd, value):
    assert planner_node.main(['planner', '--ros-args', '-p', f'speed:={value}']) == 2
    said = capfd.readouterr().err
    assert said.startswith('planner: error: parameter speed: expected a number above 0, found ')
    assert said.count('\n') == 1


@pytest.mark.parametrize('kind', [OSError, av.error.FileNotFoundError])
def test_a_video_that_cannot_be_written_is_one_line(monkeypatch, capsys, kind):
    def run(self: ClosedLoop) -> None:
        raise kind(28, 'No space left on device')
    monkeypatch.setattr(ClosedLoop, 'run', run)
    assert closed_loop.main(['--out', 'drive.mp4']) == 1
    assert capsys.readouterr().err == (
        'closed_loop: error: drive.mp4: No space left on device\n')
