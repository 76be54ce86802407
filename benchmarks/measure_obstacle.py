# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Let a vehicle appear 12 m ahead of a running node, and look for it in that frame's outputs.

    python benchmarks/measure_obstacle.py
    python benchmarks/measure_obstacle.py --checkpoint general

Two cameras of a seg_node in a process of its own look along rendered roads, each at its own pose.
One frame shows a vehicle that was not there; the other camera, with the same view, still shows the
free road. Counted are the messages with the stamp of that frame that hold the vehicle, 0.6 m to
either side of its middle and from 1 m before its rear to 3 m behind it, which is still the vehicle:
the grid (some cell there is not road, on every 0.1 m across), the scan (the rays end there) and the
grid of both cameras, with the memory of obstacles off and on. Without ``--checkpoint`` the masks
are the true ones, and the exit code is 1 where one message lacks the vehicle.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import source_tree  # noqa: F401
import true_masks
from nav_msgs.msg import OccupancyGrid, Odometry
from node_bench import small_checkpoint
from node_client import FAST, Client, image_message, info_message, odometry_message, running
from sensor_msgs.msg import LaserScan

from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.messages import stamp_ns
from fcn_seg_ros.synthetic.suburb import RenderedDrive, RenderedFrame
from fcn_seg_ros.synthetic.suburb.canvas import Canvas
from fcn_seg_ros.synthetic.suburb.vehicles import Car, Parked, draw_car

AHEAD = 12.0
FIRST_SEED = 10_000
SECOND = 10**9
CAMERAS = ('front', 'other')
SIDE, BEFORE, BEHIND = 0.6, 1.0, 3.0


def main() -> int:
    """Measure; return 1 if the vehicle is missing though the masks are true."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--checkpoint', default='', help='default: true masks')
    parser.add_argument('--seeds', type=int, default=12, help='number of rendered roads')
    arguments = parser.parse_args()
    scenes = [scene for seed in range(FIRST_SEED, FIRST_SEED + 4 * arguments.seeds)
              if (scene := _scene(seed)) is not None][:arguments.seeds]
    found: dict[str, list[bool]] = defaultdict(list)
    errors: list[float] = []
    ghosts = 0
    with _node(arguments.checkpoint):
        bench = _Bench(true=not arguments.checkpoint)
        try:
            for scene in scenes:
                bench.mount(scene.before)
                for frames in (0, 3):
                    bench.client.set('grid_hold_frames', frames)
                    got = bench.appear(scene)
                    memory = 'memory' if frames else 'no memory'
                    for name in ('grid', 'fused'):
                        found[f'{name}, {memory}'].append(_in_grid(got[name], scene))
                    ghosts += _in_grid(got['free'], scene)
                    error = _scan_error(got['freespace'], scene)
                    found[f'scan, {memory}'].append(bool(
                        (error.min() > -BEFORE) & (error.max() < BEHIND)))
                    errors += error.tolist()
        finally:
            bench.client.close()
    for name, each in found.items():
        print(f'{name}: the vehicle is in {sum(each)} of {len(each)} messages of its first frame')
    print(f'it is in {ghosts} grids of the frame before')
    low, middle, high = np.percentile(errors, [0, 50, 100])
    print(f'scan: {middle:+.2f} m to its rear, {low:+.2f} to {high:+.2f} ({len(errors)} rays)')
    return int(not arguments.checkpoint and (ghosts or not all(map(all, found.values()))))


@contextmanager
def _node(checkpoint: str) -> Iterator[None]:
    """Run a node; with true masks if no checkpoint is named."""
    common = ('-p', f'cameras:=[{", ".join(CAMERAS)}]', '-p', 'base_frame:=base', '-p',
              'odometry_topic:=odom', '-p', 'device:=cpu')
    if checkpoint:
        with running('-p', f'checkpoint:={checkpoint}', *common):
            yield
    else:
        with tempfile.TemporaryDirectory() as folder, running(
                '-p', f'checkpoint:={small_checkpoint(Path(folder))}', *FAST, *common,
                fault=true_masks.INSTALL):
            yield


@dataclass(frozen=True)
class _Scene:
    """A frame, and image and mask of the same with a vehicle whose rear is at x, y."""

    before: RenderedFrame
    image: np.ndarray
    road: np.ndarray
    x: float
    y: float


def _scene(seed: int) -> _Scene | None:
    """Return the scene of a seed; None if the way is not free there."""
    drive = RenderedDrive(seed, length=60)
    frame, style = drive[30], drive.style
    right, x, _ = (float(each) for each in frame.view.place(AHEAD, style.lane))
    camera = frame.camera
    view = GroundView(CameraModel(camera.width, camera.height, camera.fx, camera.fy, camera.cx,
                                  camera.cy), CameraPose.from_plane(frame.plane))
    u, v = (np.rint(each).astype(int)
            for each in view.ground_to_pixel(np.arange(8.0, 20.0, 0.1), -right))
    if not frame.road[v, u].all():
        return None
    car = Car.random(np.random.default_rng(seed))
    image, road = frame.image.copy(), frame.road.copy()
    canvas = Canvas(image, road, camera, frame.plane, style.sky[0], style.haze_length)
    draw_car(canvas, frame.view, Parked(car, AHEAD + car.length / 2, style.lane, False), style)
    return _Scene(frame, image, road, x, -right)


class _Bench:
    """The cameras, and what comes back."""

    def __init__(self, true: bool) -> None:
        self.client = Client(*CAMERAS, outputs=('grid', 'freespace'))
        self._true = true
        self._fused: list[OccupancyGrid] = []
        node = self.client.node
        node.create_subscription(OccupancyGrid, 'seg_node/grid', self._fused.append, 10)
        self._odometry = node.create_publisher(Odometry, 'odom', 100)
        self.client.connect()
        self.client.until(lambda: self._odometry.get_subscription_count() == 1)
        self._stamp = SECOND

    def mount(self, frame: RenderedFrame) -> None:
        """Give both cameras the pose of a frame, and wait until their tables are made."""
        pose = CameraPose.from_plane(frame.plane)
        for camera in CAMERAS:
            self.client.set(f'{camera}.pose', [*pose.position.tolist(), *pose.angles])
            grids = self.client.got[camera]['grid']
            while not grids or stamp_ns(grids[-1].header) != self._stamp:
                self._stamp += SECOND
                self.client.infos[camera].publish(info_message(frame.camera, self._stamp))
                self._send(camera, frame.image, frame.road, self._stamp)
                self.client.spin(0.3)

    def appear(self, scene: _Scene) -> dict[str, Any]:
        """Show the free road, then the vehicle; return that frame's outputs, and the last grid."""
        tenth, before = SECOND // 10, scene.before
        self._stamp += 100 * SECOND
        start = self._stamp
        for number in range(-10, 20):
            self._odometry.publish(odometry_message(start + number * tenth // 2))
        self.client.spin(0.2)
        for number in range(3):
            free = self._show('front', before.image, before.road, start + number * tenth)['grid']
        self._show('other', before.image, before.road, start + 5 * tenth // 2)
        return self._show('front', scene.image, scene.road, start + 3 * tenth) | {'free': free}

    def _send(self, camera: str, image: np.ndarray, road: np.ndarray, stamp: int) -> None:
        shown = true_masks.picture(road) if self._true else image
        self.client.publishers[camera].publish(image_message(shown, stamp))

    def _show(self, camera: str, image: np.ndarray, road: np.ndarray, stamp: int
              ) -> dict[str, Any]:
        """Show a frame once; return its outputs."""
        before, kept = len(self._fused), self.client.got[camera]
        self._send(camera, image, road, stamp)

        def found(name: str) -> list:
            return [each for each in kept[name][-3:] if stamp_ns(each.header) == stamp]
        self.client.until(lambda: all(map(found, kept)) and len(self._fused) > before)
        return {name: found(name)[0] for name in kept} | {'fused': self._fused[-1]}


def _in_grid(grid: OccupancyGrid, scene: _Scene) -> bool:
    """Return whether the grid holds the vehicle's rear over all of its middle."""
    info = grid.info
    cells = np.frombuffer(grid.data, np.int8).reshape(info.height, info.width)
    first, last = ((scene.y + side - info.origin.position.y) / info.resolution
                   for side in (-SIDE, SIDE))
    near, far = (round((scene.x + side) / info.resolution) for side in (-BEFORE, BEHIND))
    rear = cells[math.floor(first):math.ceil(last), near:far]
    return bool((rear > 50).any(axis=1).all())


def _scan_error(scan: LaserScan, scene: _Scene) -> np.ndarray:
    """Return by how much the rays to the vehicle's middle end behind its rear, in metres."""
    bearings = scan.angle_min + scan.angle_increment * np.arange(len(scan.ranges))
    to_it = np.abs(scene.x * np.tan(bearings) - scene.y) < SIDE
    ahead = np.array(scan.ranges)[to_it] * np.cos(bearings[to_it])
    return np.nan_to_num(ahead, nan=99.0, posinf=99.0) - scene.x


if __name__ == '__main__':
    sys.exit(main())
