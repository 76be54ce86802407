# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A vehicle in the way of a node in a process of its own, whose network is always right.

It is in grid, scan and fused grid of the frame that shows it first; with odometry it stays in the
grids for some frames more.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
import true_masks
from conftest import SMALL_CAMERA
from node_client import (
    FAST,
    OUTPUTS,
    Client,
    image_message,
    info_message,
    odometry_message,
    running,
)
from test_node_ground import ARGUMENTS, POSE, SECOND

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.messages import stamp_ns

pytestmark = pytest.mark.skipif('grid' not in OUTPUTS, reason='nav_msgs is not installed')

YAWS = {'front': 0.0, 'left': 1.6, 'rear': 3.1}
ODOMETRY = range(15 * SECOND, 20 * SECOND, SECOND // 10)
LAST = ODOMETRY[-1]
AHEAD = 12.0


@functools.cache
def view() -> GroundView:
    """Return the view of the camera in front."""
    camera = SMALL_CAMERA
    return GroundView(CameraModel(camera.width, camera.height, camera.fx, camera.fy, camera.cx,
                                  camera.cy), CameraPose.from_angles(*POSE))


@functools.cache
def road(vehicle: bool = False) -> np.ndarray:
    """Return the image of a road 10 m wide, with the rear of a vehicle on it or not."""
    v, u = np.mgrid[:SMALL_CAMERA.height, :SMALL_CAMERA.width].astype(float)
    x, y = view().pixel_to_ground(u, v)
    seen = (x < 60.0) & (np.abs(y) < 5.0)
    if vehicle:
        left, foot = view().ground_to_pixel(AHEAD, 0.9)
        right, _ = view().ground_to_pixel(AHEAD, -0.9)
        high = SMALL_CAMERA.fy * 1.5 / (AHEAD - POSE[0])
        seen &= ~((u > left) & (u < right) & (v < foot) & (v > foot - high))
    return true_masks.picture(seen)


@pytest.fixture(scope='module')
def client(random_checkpoint):
    """Return the client of a node with three cameras and odometry."""
    from nav_msgs.msg import OccupancyGrid, Odometry
    poses = [argument for camera, yaw in YAWS.items() for argument in (
        '-p', f'{camera}.pose:=[{", ".join(map(str, (*POSE[:5], yaw)))}]')]
    with running('-p', f'checkpoint:={random_checkpoint}', *FAST, *ARGUMENTS, *poses,
                 '-p', f'cameras:=[{", ".join(YAWS)}]', '-p', 'grid_x_min:=-10.0',
                 '-p', 'grid_length:=30.0', '-p', 'odometry_topic:=odom',
                 '-p', 'grid_max_age_ms:=500.0', fault=true_masks.INSTALL):
        client = Client(*YAWS, outputs=('mask', 'grid', 'freespace'))
        client.fused = []
        client.node.create_subscription(OccupancyGrid, 'seg_node/grid', client.fused.append, 50)
        client.odometry = client.node.create_publisher(Odometry, 'odom', 500)
        try:
            client.connect()
            client.until(lambda: all(info.get_subscription_count() == 1
                                     for info in client.infos.values()))
            # Until the tables are made.
            for camera in YAWS:
                while not client.got[camera]['grid']:
                    client.infos[camera].publish(info_message(SMALL_CAMERA, SECOND))
                    client.publishers[camera].publish(image_message(road(), SECOND))
                    client.spin(0.1)
            count = -1
            while count != len(client.fused):
                count = len(client.fused)
                client.spin(0.5)
            yield client
        finally:
            client.close()


def odometry(client: Client) -> None:
    """Publish the motion of a vehicle that drives 2 m/s, and wait until the node has all of it."""
    client.until(lambda: client.odometry.get_subscription_count() == 1)
    for stamp in ODOMETRY:
        client.odometry.publish(odometry_message(stamp, 2.0 * stamp / SECOND))
    words = 'grid not filtered: the newest odometry on /odom is 9.0 s older than the image'

    def told() -> bool:
        show(client, 'front', LAST + 9 * SECOND)
        return any(words in message for message in client.messages[-4:])
    client.until(told)


def show(client: Client, camera: str, stamp: int, vehicle: bool = False) -> dict:
    """Show a frame to a camera, once; return its outputs, and the fused grid as ``fused``."""
    before = len(client.fused)
    got = client.exchange(image_message(road(vehicle), stamp), camera)
    assert {stamp_ns(message.header) for message in got.values()} == {stamp}
    client.until(lambda: len(client.fused) == before + 1)
    return got | {'fused': client.fused[-1]}


def values(grid) -> np.ndarray:
    """Return the cells of a grid, int8 (48, 120), and check that it is the one asked for."""
    assert grid.header.frame_id == 'base' and (grid.info.height, grid.info.width) == (48, 120)
    return np.frombuffer(grid.data, np.int8).reshape(48, 120)


def in_the_way(cells: np.ndarray, x: float = AHEAD) -> np.ndarray:
    """Return the cells of the vehicle's foot and the half metre behind."""
    column = round((x + 10.0) / 0.25)
    return cells[22:26, column + 1:column + 2]


@pytest.mark.parametrize('frames', [0, 3])
def test_a_vehicle_is_in_grid_and_scan_of_its_first_frame(client, frames):
    assert client.set('grid_hold_frames', frames).successful
    if frames:
        odometry(client)
    stamp = 16 * SECOND
    for camera in YAWS:
        got = show(client, camera, stamp)
        assert (in_the_way(values(got['grid'])) < 50).all()
    assert (in_the_way(values(got['fused'])) == 0).all()
    stamp += SECOND // 10
    got = show(client, 'front', stamp, vehicle=True)
    assert (in_the_way(values(got['grid'])) == 100).all()
    assert (in_the_way(values(got['fused'])) == 100).all()
    scan = got['freespace']
    ahead = round(-scan.angle_min / scan.angle_increment)
    assert scan.ranges[ahead] == pytest.approx(AHEAD, abs=0.4)
    # It is gone: the scan says so at once, a grid that remembers after three frames.
    for number in range(1, 5):
        stamp += SECOND // 10
        got = show(client, 'front', stamp)
        assert np.isinf(got['freespace'].ranges[ahead]) or (
            got['freespace'].ranges[ahead] > AHEAD + 2.0)
        # Carried along: 0.2 m a frame.
        for name in ('grid', 'fused'):
            cells = in_the_way(values(got[name]), AHEAD - 0.25 * round(0.8 * number))
            assert (cells == (100 if number < frames else 0)).all(), (name, number)


def test_a_silent_camera_is_forgotten_within_the_age_limit(client):
    assert client.set('grid_hold_frames', 0).successful
    areas = {'front': np.s_[14:34, 60:], 'left': np.s_[34:, 30:50], 'rear': np.s_[14:34, :34]}

    def seen(**tenths: int) -> set[str]:
        """Show frames, so many tenths of a second later; return the areas known afterwards."""
        for camera, late in tenths.items():
            got = show(client, camera, 40 * SECOND + late * SECOND // 10)
        cells = values(got['fused'])
        return {name for name, area in areas.items() if (cells[area] >= 0).any()}
    assert seen(front=0, left=0, rear=0) == {'front', 'left', 'rear'}
    client.until(lambda: client.statuses['seg_node'][keys.GRID_CAMERAS] == 'front, left, rear')
    # The rear camera says nothing more. The age limit is 0.5 s.
    assert seen(front=5, left=5) == {'front', 'left', 'rear'}
    assert seen(front=6, left=6) == {'front', 'left'}
    client.until(lambda: client.statuses['seg_node'][keys.GRID_CAMERAS] == 'front, left')


def test_a_grid_is_of_its_frame_alone_while_odometry_is_missing(client):
    assert client.set('grid_hold_frames', 3).successful
    odometry(client)
    show(client, 'front', 16 * SECOND)
    show(client, 'front', 16 * SECOND + SECOND // 10, vehicle=True)
    # Nobody can say where the vehicle is now.
    got = show(client, 'front', LAST + SECOND // 5)
    assert (in_the_way(values(got['grid'])) == 0).all()
