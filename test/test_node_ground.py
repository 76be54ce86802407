# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The outputs in metres, of a node in a process of its own: grid, scan, polygon, points."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import stand_in_tf
from conftest import SMALL_CAMERA
from node_client import FAST, OUTPUTS, Client, image_message, info_message, running
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.rays import RoadMask
from fcn_seg_ros.ground.tables import GroundSpec, GroundTables
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.messages import from_image, stamp_ns
from fcn_seg_ros.outputs.metric_lines import draw_metric_lines

METRIC = tuple(name for name in ('grid', 'freespace', 'freespace_polygon', 'points', 'points/mask',
                                 'points/confidence') if name in OUTPUTS)
POSE = (1.0, 0.0, 1.6, 0.0, 0.02, 0.0)
SPEC = GroundSpec(grid=GridSpec(20.0, 12.0, 0.25), reach=30.0, increment=math.radians(1.0),
                  stride=8)
ARGUMENTS = ('-p', 'grid_length:=20.0', '-p', 'grid_width:=12.0', '-p', 'grid_resolution:=0.25',
             '-p', 'ground_range:=30.0', '-p', 'freespace_increment:=1.0', '-p', 'points_stride:=8',
             '-p', 'base_frame:=base')
SECOND = 10**9


def tables_of(spec: GroundSpec) -> GroundTables:
    """Return the tables of SMALL_CAMERA in POSE."""
    camera = SMALL_CAMERA
    return GroundTables(GroundView(
        CameraModel(camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy),
        CameraPose.from_angles(*POSE)), spec)


@pytest.fixture(scope='module')
def node(random_checkpoint):
    """Run a node with four cameras, two with poses, and a TF that their frames' names decide."""
    pose = '[{}]'.format(', '.join(map(str, POSE)))
    rear = '[{}]'.format(', '.join(map(str, (*POSE[:5], 3.1))))
    with running('-p', f'checkpoint:={random_checkpoint}', *FAST, *ARGUMENTS, '-p',
                 'cameras:=[front, rear, lost, hostile]', '-p', f'front.pose:={pose}', '-p',
                 f'rear.pose:={rear}', '-p', 'grid_x_min:=-10.0',
                 fault=stand_in_tf.INSTALL) as node:
        yield node


def send(client: Client, camera: str, image: np.ndarray, stamp: int, outputs) -> dict:
    """Send CameraInfo and image until the outputs of this stamp have come; return them."""
    def came() -> bool:
        client.infos[camera].publish(info_message(SMALL_CAMERA, stamp))
        client.publishers[camera].publish(image_message(image, stamp))
        client.spin(0.2)
        return all(any(stamp_ns(message.header) == stamp for message in client.got[camera][name])
                   for name in outputs)
    client.until(came)
    return {name: next(message for message in client.got[camera][name]
                       if stamp_ns(message.header) == stamp) for name in outputs}


def test_outputs_in_metres_are_those_of_the_mask(node, random_checkpoint, rendered_frames):
    image = rendered_frames[0].image
    client = Client('front', outputs=('mask', *METRIC))
    try:
        client.until(lambda: client.infos['front'].get_subscription_count() == 1
                     and client.publishers['front'].get_subscription_count() == 1)
        got = send(client, 'front', image, SECOND, ('mask', *METRIC))
    finally:
        client.close()
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', threads=1, backend='torch')
    result = segmenter.segment(image)
    tables = tables_of(GroundSpec(GridSpec(20.0, 12.0, 0.25, -10.0), SPEC.reach, SPEC.increment,
                                  SPEC.stride))
    seen = RoadMask(result.mask, result.probability, segmenter.threshold)
    tables.shadows.update(seen)
    if 'grid' in got:
        grid = got['grid']
        assert grid.header.frame_id == 'base'
        assert (grid.info.width, grid.info.height) == (80, 48)
        assert (grid.info.origin.position.x, grid.info.origin.position.y) == (-10.0, -6.0)
        assert grid.info.resolution == pytest.approx(0.25)
        values = np.frombuffer(grid.data, np.int8).reshape(48, 80)
        np.testing.assert_array_equal(values, tables.grid.update(seen))
        assert (values >= 0).any() and (values[:, :40] == -1).all()  # nothing seen behind
    scan = got['freespace']
    assert scan.header.frame_id == 'base' and scan.range_max == 30.0
    np.testing.assert_array_equal(np.array(scan.ranges, np.float32), tables.freespace.update(seen))
    assert scan.angle_min + (len(scan.ranges) - 1) * scan.angle_increment == pytest.approx(
        scan.angle_max, abs=1e-5)
    corners = [(p.x, p.y) for p in got['freespace_polygon'].polygon.points]
    np.testing.assert_allclose(corners, tables.freespace.polygon(), atol=1e-5)
    points = got['points']
    shape = (points.height, points.width)
    assert shape == (12, 40) and points.row_step == 12 * 40 and points.header.frame_id == 'base'
    np.testing.assert_array_equal(np.frombuffer(points.data, np.float32).reshape(*shape, 3),
                                  tables.points.update())
    for part, values in (('mask', result.mask), ('confidence', result.confidence)):
        thin = got[f'points/{part}']
        np.testing.assert_array_equal(from_image(thin), values[::8, ::8])
        assert thin.header.stamp == points.header.stamp


def test_without_a_pose_the_masks_go_on_and_the_diagnostics_say_why(node, rendered_frames):
    client = Client('lost', outputs=('mask', 'overlay', 'freespace'))
    try:
        client.until(lambda: client.publishers['lost'].get_subscription_count() == 1)
        send(client, 'lost', rendered_frames[0].image, SECOND, ('mask', 'overlay'))

        def told() -> bool:
            send(client, 'lost', rendered_frames[0].image, 2 * SECOND, ('mask', 'overlay'))
            return any('no freespace: its pose is not known' in each for each in client.messages)
        client.until(told)
        assert not client.got['lost']['freespace']
        # A wrong one is refused, a right one is used at once.
        assert not client.set('lost.pose', [1.0, 0.0, -1.0, 0.0, 0.0, 0.0]).successful
        assert client.set('overlay_rings', 10.0).successful

        def rings_told() -> bool:
            send(client, 'lost', rendered_frames[0].image, 2 * SECOND, ('overlay',))
            return any('no overlay_rings, freespace: its pose is not known' in each
                       for each in client.messages)
        client.until(rings_told)
        plain = from_image(client.got['lost']['overlay'][-1])
        assert client.set('lost.pose', list(POSE)).successful
        got = send(client, 'lost', rendered_frames[0].image, 3 * SECOND, ('freespace', 'overlay'))
        expected = plain.copy()
        draw_metric_lines(expected, tables_of(SPEC), np.array(got['freespace'].ranges, np.float32),
                          10.0)
        assert (plain != expected).any()
        np.testing.assert_array_equal(from_image(client.got['lost']['overlay'][-1]), expected)
        assert client.set('overlay_rings', 0.0).successful
        # A CameraInfo that fits no image.
        del client.messages[:]
        client.infos['lost'].publish(CameraInfo(width=5, height=5))
        client.spin(0.5)

        def silent() -> bool:
            client.publishers['lost'].publish(image_message(rendered_frames[0].image, 4 * SECOND))
            client.spin(0.2)
            return any('no freespace: the CameraInfo is for 5x5 pixels' in each
                       for each in client.messages)
        client.until(silent)
    finally:
        client.close()


@pytest.fixture(scope='module')
def hostile(node):
    """Return a client of a camera, at first without a CameraInfo."""
    client = Client('hostile', outputs=('mask', 'overlay', *METRIC))
    client.until(lambda: client.publishers['hostile'].get_subscription_count() == 1)
    yield client
    client.close()


@pytest.mark.parametrize(('frame', 'change', 'words'), [
    ('level', None, 'the camera has published no CameraInfo'),
    ('level', {}, ''),  # it was late
    ('level', {'k': [0.0] * 9}, 'focal lengths above 0, found 0 and 0'),
    ('level', {'k': [math.nan] * 9},
     'the CameraInfo cannot be used: it holds numbers that are infinite or NaN'),
    ('level', {}, ''),
    ('jumped', {}, 'its pose jumped by 1.00 m and 0.0 degrees'),
    ('level', {}, ''),
    ('sky', {}, 'the camera sees no ground within 30 m'),
    ('nowhere', {}, 'its pose is not known: "nowhere" passed to lookupTransform argument'),
    ('loop', {}, 'its pose is not known: The tf tree is invalid because it contains a loop'),
    ('old', {}, r'the newest transform from base to old is 1.* s older than the image'),
    ('nan', {}, 'camera pose: expected finite numbers'),
    ('', {}, 'its pose is not known: its images name no frame'),
    ('level', {}, '')])
def test_where_the_ground_is_not_known_only_outputs_in_metres_are_silent(
        hostile, rendered_frames, frame, change, words):
    client, image = hostile, rendered_frames[0].image
    stamps = iter(range(2 * SECOND, 90 * SECOND, SECOND // 10))

    def show() -> bool:
        """Show a frame; return whether all outputs in metres of it have come."""
        stamp = next(stamps)
        for kept in client.got['hostile'].values():
            kept.clear()
        if change is not None:
            info = info_message(SMALL_CAMERA, stamp)
            for name, value in change.items():
                setattr(info, name, value)
            client.infos['hostile'].publish(info)
        client.publishers['hostile'].publish(image_message(image, stamp, frame))
        client.until(lambda: all(client.got['hostile'][name] for name in ('mask', 'overlay')))
        client.spin(0.1)
        came = {name for name in METRIC if client.got['hostile'][name]}
        return came == set(METRIC) if not words else bool(came)

    def told() -> bool:
        show()
        return any(re.search(f'no [a-z_/, ]*: .*{words}', each) for each in client.messages)
    if not words:
        client.until(show)
        return
    del client.messages[:]
    client.until(told)
    assert not any(show() for _ in range(3))
    told_now = [each for each in client.messages if re.search(words, each)]
    assert all('\n' not in each and each.count('no freespace') == 1 for each in told_now)


@pytest.mark.skipif('grid' not in OUTPUTS, reason='nav_msgs is not installed')
def test_all_cameras_in_one_grid(node, rendered_frames):
    from nav_msgs.msg import OccupancyGrid
    image = rendered_frames[0].image
    client = Client('front', 'rear', outputs=())
    grids: list[OccupancyGrid] = []
    try:
        client.node.create_subscription(OccupancyGrid, 'seg_node/grid', grids.append, 10)
        client.until(lambda: all(client.publishers[camera].get_subscription_count() == 1
                                 for camera in ('front', 'rear')))

        def see(stamps: dict[str, int]) -> np.ndarray:
            """Send images until a grid with the oldest stamp has come; return its values."""
            oldest = min(stamps.values())
            del grids[:]
            while not any(stamp_ns(grid.header) == oldest for grid in grids):
                for camera, stamp in stamps.items():
                    client.infos[camera].publish(info_message(SMALL_CAMERA, stamp))
                    client.publishers[camera].publish(image_message(image, stamp))
                client.spin(0.3)
            grid = next(grid for grid in reversed(grids) if stamp_ns(grid.header) == oldest)
            assert grid.header.frame_id == 'base'
            return np.frombuffer(grid.data, np.int8).reshape(48, 80) >= 0

        def contributors(names: str) -> bool:
            return client.statuses.get('seg_node', {}).get(keys.GRID_CAMERAS) == names

        see({'rear': SECOND})
        known = see({'rear': SECOND, 'front': SECOND + 10**8})
        assert known[:, :36].any() and known[:, 48:].any()
        client.until(lambda: contributors('front, rear'))
        # The rear camera falls silent: what it saw is forgotten, the front goes on.
        known = see({'front': 3 * SECOND})
        assert not known[:, :36].any() and known[:, 48:].any()
        client.until(lambda: contributors('front'))
    finally:
        client.close()
