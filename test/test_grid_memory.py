# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera's grids with a memory, and the odometry that carries it: when there is none, and why."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from test_ground_source import SECOND, SPEC

from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.messages import to_header
from fcn_seg_ros.node import odometry
from fcn_seg_ros.node.grid_memory import GridMemory
from fcn_seg_ros.node.odometry import Odometry

Message = pytest.importorskip('nav_msgs.msg').Odometry
CAMERA = CameraModel(160, 96, 100.0, 100.0, 79.5, 47.5)
FREE = np.zeros(SPEC.grid.shape, np.int8)
BLOCKED = np.full(SPEC.grid.shape, 100, np.int8)
GIVEN = CameraPose.from_angles(1.0, 0.0, 1.5, 0.0, 0.0, 0.0)


class Input:
    """A stand-in for MessageInput."""

    def __init__(self, node, message, topic, on_message, depth) -> None:
        self.give, self.topic, self.is_open = on_message, topic, False

    def open(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


@pytest.fixture
def motion(monkeypatch) -> Odometry:
    monkeypatch.setattr(odometry, 'MessageInput', Input)
    made = Odometry(SimpleNamespace(resolve_topic_name=lambda name: f'/{name}'))
    made.want('front', True, 'odom')
    return made


def drive(motion: Odometry, *stamps: float, frame: str = 'base_link', **orientation: float) -> None:
    """Give odometry of 10 m/s at times in seconds."""
    for stamp in stamps:
        message = Message(header=to_header(round(stamp * SECOND), 'odom'), child_frame_id=frame)
        message.pose.pose.position.x = 10.0 * stamp
        message.pose.pose.orientation.w = orientation.get('w', 1.0)
        motion._input.give(message)


def tables(pose: CameraPose = GIVEN, camera: CameraModel = CAMERA, spec=SPEC):
    return SimpleNamespace(view=SimpleNamespace(pose=pose, camera=camera), spec=spec)


def settings(pose: CameraPose | None = None, **changes):
    used = {'odometry_topic': 'odom', 'grid_hold_frames': 3, 'grid_hold_s': 3.0,
            'base_frame': 'base_link', 'cameras': {'front': SimpleNamespace(pose=pose)}}
    return SimpleNamespace(**used | changes)


def recall(memory: GridMemory, values: np.ndarray, stamp: float, at=None, used=None) -> bool:
    """Return whether a frame's grid shows anything that is not road."""
    before = values.copy()
    out = memory.recall(values, at or tables(), to_header(round(stamp * SECOND), 'x'),
                        used or settings(), 50.0)
    np.testing.assert_array_equal(values, before)
    return bool((out > 50).any())


def test_it_subscribes_while_a_camera_wants_it(motion):
    first = motion._input
    assert first.is_open and first.topic == '/odom'
    motion.want('rear', True, 'odom')
    motion.want('front', False, 'odom')
    assert first.is_open
    motion.want('rear', False, 'odom')
    assert not first.is_open
    motion.want('front', True, '')
    assert motion._input is None


def test_what_was_not_road_stays_and_its_arrays_are_its_own(motion):
    memory = GridMemory('front', motion)
    drive(motion, 0.9, 1.0, 1.1, 1.2)
    assert recall(memory, BLOCKED, 1.0)
    assert recall(memory, FREE, 1.1) and memory.report.reason == ''
    # Switched off, and on again: nothing is remembered.
    assert not recall(memory, FREE, 1.1, used=settings(grid_hold_frames=0))
    assert not recall(memory, FREE, 1.2)
    assert not recall(GridMemory('front', motion), FREE, 1.0, used=settings(odometry_topic=''))


@pytest.mark.parametrize(('at', 'used', 'kept'), [
    (tables(CameraPose.from_angles(1.0, 0.0, 1.52, 0.0, 0.01, 0.0)), settings(), True),  # sways
    (tables(CameraPose.from_angles(1.0, 0.0, 1.5, 0.0, 0.1, 0.0)), settings(), False),
    (tables(CameraPose.from_angles(1.0, 0.0, 1.5, 0.0, 0.01, 0.0)), settings(GIVEN), False),
    (tables(camera=CameraModel(320, 192, 200.0, 200.0, 159.5, 95.5)), settings(), False),
    (tables(), settings(grid_hold_s=9.0), False)])
def test_another_camera_or_setting_begins_anew(motion, at, used, kept):
    memory = GridMemory('front', motion)
    drive(motion, 0.9, 1.0, 1.1, 1.2)
    recall(memory, BLOCKED, 1.0)
    assert recall(memory, FREE, 1.1, at, used) == kept


@pytest.mark.parametrize(('before', 'stamp', 'words'), [
    (lambda motion: None, 1.1, 'no odometry on /odom'),
    (lambda motion: drive(motion, 0.9, 1.0, 1.1), 4.1,
     'the newest odometry on /odom is 3.0 s older than the image'),
    (lambda motion: drive(motion, 5.0, 5.1), 1.1,
     'the first odometry on /odom is 3.9 s newer than the image'),
    (lambda motion: drive(motion, 1.0, 1.9), 1.1,
     "a gap in the odometry on /odom at the image's time"),
    (lambda motion: drive(motion, 1.0, 1.1, 1.2, frame='imu'), 1.1,
     'the odometry on /odom is of imu, expected base_frame, base_link'),
    (lambda motion: drive(motion, 1.0, w=math.nan), 1.1, 'the odometry on /odom holds no pose'),
    (lambda motion: drive(motion, 1.0, w=0.0), 1.1, 'the odometry on /odom holds no pose'),
    (lambda motion: drive(motion, 1.0, 1.9, 2.0), 2.0, '1.00 s without a frame'),
    (lambda motion: drive(motion, 0.4, 0.5, 1.0), 0.5, 'time went back by 0.50 s')])
def test_a_grid_of_its_frame_alone_says_why_in_one_line(motion, before, stamp, words):
    memory = GridMemory('front', motion)
    before(motion)
    recall(memory, BLOCKED, 1.0)
    assert not recall(memory, FREE, stamp)
    assert memory.report.reason.startswith(words) and '\n' not in memory.report.reason
