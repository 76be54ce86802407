# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a camera's tables over the ground come from, and why there are none: info, TF, pose."""

from __future__ import annotations

import math
import re
import time
from types import SimpleNamespace

import pytest
from sensor_msgs.msg import CameraInfo, RegionOfInterest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.tables import GroundSpec
from fcn_seg_ros.messages import to_header
from fcn_seg_ros.node import ground_source, poses
from fcn_seg_ros.node.ground_source import GroundSource
from fcn_seg_ros.node.poses import Poses
from fcn_seg_ros.outputs.camera_info import camera_model, for_image

SPEC = GroundSpec(grid=GridSpec(10.0, 6.0, 0.5), reach=20.0, increment=0.05, stride=8)
SECOND = 10**9
LEVEL = (-0.5, 0.5, -0.5, 0.5)


def info(**changes) -> CameraInfo:
    """Return the CameraInfo of images of 160x96."""
    values = {'width': 160, 'height': 96, 'distortion_model': 'plumb_bob', 'd': [0.0] * 5,
              'k': [100.0, 0, 79.5, 0, 100.0, 47.5, 0, 0, 1],
              'r': [1.0, 0, 0, 0, 1, 0, 0, 0, 1],
              'p': [90.0, 0, 80.0, 0, 0, 90.0, 48.0, 0, 0, 0, 1, 0]}
    return CameraInfo(**(values | changes))


class Buffer:
    """A stand-in for tf2_ros.Buffer: one transform, at one time or at all times."""

    def __init__(self, node) -> None:
        self.error = ''
        self.z, self.turn, self.stamp = 1.5, LEVEL, 0
        self.asked: list[tuple[str, str, int]] = []
        self.cleared = 0
        node.buffers.append(self)

    def clear(self) -> None:
        self.cleared += 1

    def lookup_transform(self, target, source, at):
        self.asked.append((target, source, at.nanoseconds))
        if self.error or (self.stamp and at.nanoseconds and at.nanoseconds != self.stamp):
            raise TransformError(self.error or 'Lookup would require extrapolation')
        names = ('x', 'y', 'z', 'w')
        return SimpleNamespace(
            header=to_header(self.stamp, target),
            transform=SimpleNamespace(
                translation=SimpleNamespace(x=1.0, y=0.0, z=self.z),
                rotation=SimpleNamespace(**dict(zip(names, self.turn, strict=True)))))


class TransformError(Exception):
    """A stand-in for tf2_ros.TransformException."""


class Listener:
    """A stand-in for tf2_ros.TransformListener."""

    def __init__(self, buffer, node) -> None:
        node.listeners.append(self)
        self.open = True

    def unregister(self) -> None:
        self.open = False


@pytest.fixture
def tf(monkeypatch):
    monkeypatch.setattr(poses, 'tf2_ros', SimpleNamespace(
        Buffer=Buffer, TransformListener=Listener, TransformException=TransformError))


@pytest.fixture
def node():
    return SimpleNamespace(listeners=[], buffers=[], get_logger=lambda: SimpleNamespace(
        error=lambda text: pytest.fail(text)))


def settings(pose: CameraPose | None = None, rectified: bool = False):
    return SimpleNamespace(base_frame='base_link', ground=SPEC, cameras={
        'front': SimpleNamespace(pose=pose, rectified=rectified)})


def source_with_tf(node) -> tuple[GroundSource, Buffer]:
    """Return a source that listens to TF, and the buffer."""
    made = Poses(node)
    made.want('front', True)
    return GroundSource(node, 'front', made), made._buffer


def wait(source: GroundSource, values, message: CameraInfo | None = None, stamp: int = SECOND):
    """Return the tables once they are made, or None once there is a reason for none."""
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        found = source.tables(message or info(), to_header(stamp, 'front_optical'), values)
        if found is not None or source.reason:
            return found
        time.sleep(0.01)
    raise AssertionError('no tables')


def test_tables_come_from_the_parameter_off_the_frames_path(node):
    source = GroundSource(node, 'front', Poses(node))
    values = settings(CameraPose.from_angles(0.5, 0.0, 1.5, 0.0, 0.1, 0.0))
    assert source.tables(info(), to_header(1, 'x'), values) is None and source.reason == ''
    found = wait(source, values)
    assert found is source.tables(info(), to_header(1, 'x'), values)
    assert found.view.pose.angles == pytest.approx((0.0, 0.1, 0.0))
    # Another pose, or CameraInfo: new tables.
    other = wait(source, settings(CameraPose.from_angles(0.5, 0.0, 1.5, 0.0, 0.3, 0.0)))
    assert other is not found and other.view.pose.angles[1] == pytest.approx(0.3)
    longer = wait(source, settings(CameraPose.from_angles(0.5, 0.0, 1.5, 0.0, 0.3, 0.0)),
                  info(k=[120.0, 0, 79.5, 0, 120.0, 47.5, 0, 0, 1]))
    assert longer.view.camera.fx == 120.0


def test_tables_come_from_tf(node, tf):
    source, buffer = source_with_tf(node)
    found = wait(source, settings())
    assert buffer.asked[0] == ('base_link', 'front_optical', SECOND)
    assert found.view.pose.position.tolist() == [1.0, 0.0, 1.5]
    assert found.view.pose.angles == pytest.approx((0, 0, 0), abs=1e-9)


def test_an_image_of_before_all_time_has_no_pose(node, tf):
    source, _ = source_with_tf(node)
    assert wait(source, settings(), stamp=-1) is None
    assert source.reason == ('its pose is not known: its images are of -1 s, before the beginning '
                             'of time')


def test_tf_is_listened_to_only_while_it_is_wanted(node, tf):
    made = Poses(node)
    assert not node.listeners
    made.want('front', True)
    made.want('rear', True)
    made.want('front', False)
    assert len(node.listeners) == 1 and node.listeners[0].open
    made.want('rear', False)
    assert not node.listeners[0].open
    with pytest.raises(InputError, match='not known yet'):
        made.of('front', to_header(1, 'x'), 'base_link')
    # One buffer for good, since each would leave a service and a callback on the node.
    made.want('front', True)
    assert [each.open for each in node.listeners] == [False, True]
    assert [each.cleared for each in node.buffers] == [1]
    assert made.of('front', to_header(1, 'x'), 'base_link').position[2] == 1.5


@pytest.mark.parametrize(('change', 'words'), [
    ({'error': 'the tf tree is invalid because it contains a loop.\nFrame a'},
     'its pose is not known: the tf tree is invalid because it contains a loop'),
    ({'stamp': 9 * SECOND},
     'the newest transform from base_link to front_optical is 8.0 s newer than the image'),
    ({'z': -1.5}, r'above the ground \(z > 0\), found z = -1.5 m'),
    ({'turn': (0.0, 0.0, 0.0, 0.0)}, 'expected a quaternion of length 1, found 0'),
    ({'z': math.nan}, 'expected finite numbers'),
    ({'turn': (0.0, 0.0, 0.0, 1.0)}, 'the camera sees no ground')])
def test_without_a_pose_it_says_why_in_one_line(node, tf, change, words):
    source, buffer = source_with_tf(node)
    vars(buffer).update(change)
    assert wait(source, settings()) is None
    assert '\n' not in source.reason
    assert re.search(words, source.reason), source.reason
    vars(buffer).update(error='', z=1.5, turn=LEVEL, stamp=0)
    deadline = time.monotonic() + 60.0
    while wait(source, settings()) is None:  # the camera that saw no ground has jumped
        assert time.monotonic() < deadline
    assert source.reason == ''


def test_a_transform_a_little_older_than_the_image_will_do(node, tf):
    source, buffer = source_with_tf(node)
    buffer.stamp = SECOND - 10**8
    assert wait(source, settings()) is not None


def test_a_pose_that_sways_faster_than_tables_are_made_is_said(node, tf):
    source, buffer = source_with_tf(node)
    assert wait(source, settings()) is not None
    buffer.z = 1.55
    assert wait(source, settings()) is None
    assert source.reason.startswith('its pose sways faster than tables are made, by 0.05 m and 0.0')
    deadline = time.monotonic() + 60.0
    while wait(source, settings()) is None:
        assert time.monotonic() < deadline
    assert source.reason == ''


def test_without_tf_it_asks_for_the_parameter(node, monkeypatch):
    monkeypatch.setattr(poses, 'tf2_ros', None)
    source = GroundSource(node, 'front', Poses(node))
    assert wait(source, settings()) is None
    assert source.reason == 'its pose is not known: set front.pose (tf2_ros is not installed)'


def test_a_pose_that_jumps_is_not_believed_at_once(node, tf, monkeypatch):
    source, buffer = source_with_tf(node)
    first = wait(source, settings())
    buffer.z = 1.501  # the vehicle's suspension
    assert wait(source, settings()) is first
    buffer.z = 2.5
    assert wait(source, settings()) is None
    assert source.reason == 'its pose jumped by 1.00 m and 0.0 degrees'
    monkeypatch.setattr(ground_source, '_SETTLED_S', 0.0)
    assert wait(source, settings()).view.pose.position[2] == 2.5


@pytest.mark.parametrize(('changes', 'rectified', 'words'), [
    ({'k': [0.0] * 9}, False, 'focal lengths above 0, found 0 and 0'),
    ({'p': [0.0] * 12}, True, 'focal lengths above 0, found 0 and 0'),
    ({'distortion_model': 'thin_prism', 'd': [0.1]}, False, 'distortion model'),
    ({'d': [0.1, 0.2]}, False, 'expected 5 distortion coefficients')])
def test_a_camera_that_is_not_calibrated(node, changes, rectified, words):
    source = GroundSource(node, 'front', Poses(node))
    pose = CameraPose.from_angles(0, 0, 1.5, 0, 0, 0)
    assert wait(source, settings(pose, rectified), info(**changes)) is None
    assert words in source.reason and '\n' not in source.reason


def test_the_camera_of_a_camera_info():
    model, rotation, offset = camera_model(info(), rectified=False)
    assert (model.fx, model.cx, model.distortion) == (100.0, 79.5, '')
    assert rotation.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]] and not offset.any()
    model, _, offset = camera_model(
        info(p=[90.0, 0, 80.0, -45.0, 0, 90.0, 48.0, 0, 0, 0, 1, 0]), rectified=True)
    assert (model.fx, model.cy) == (90.0, 48.0) and offset.tolist() == [0.5, 0.0, 0.0]
    # Padded with zeros, as OpenCV's longer models are.
    model, _, _ = camera_model(info(distortion_model='rational_polynomial',
                                    d=[0.1] + [0.0] * 13), rectified=False)
    assert model.d == (0.1,) + (0.0,) * 7
    model, _, _ = camera_model(info(distortion_model='', d=[], r=[0.0] * 9), rectified=False)
    assert model.distortion == ''
    whole = info(width=640, height=384, k=[400.0, 0, 319.5, 0, 400.0, 191.5, 0, 0, 1],
                 roi=RegionOfInterest(x_offset=160, y_offset=96, width=320, height=192),
                 binning_x=2, binning_y=2)
    model, _, _ = camera_model(for_image(whole, 96, 160), rectified=False)
    assert (model.width, model.fx, model.cx, model.cy) == (160, 200.0, 79.75, 47.75)
