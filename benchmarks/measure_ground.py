# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure the drivable area in metres: where its edge lies, what the grid knows, what it costs.

    python benchmarks/measure_ground.py edges --seeds 12 --checkpoint general
    python benchmarks/measure_ground.py kitti ROOT --checkpoint general
    python benchmarks/measure_ground.py cost --checkpoint open
    python benchmarks/measure_ground.py pose

``edges`` takes frames of rendered drives, which are flat and of known geometry, and compares the
range on every bearing whose true edge is that of the road (not a vehicle or a tree before it)
with the truth, for the true mask and for that of a network. ``kitti`` compares the grid with the
ground truth seen from above, over cells up to 30 m ahead in the camera's view. ``cost`` times
grid, scan and points against the segmenter's call on one core, in the same run. ``pose`` moves the
edge at 20 m by wrong angles and slopes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

for _name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'):
    os.environ.setdefault(_name, '1')

import numpy as np  # noqa: E402
import source_tree  # noqa: E402, F401

from fcn_seg_ros import RoadSegmenter, Segmentation  # noqa: E402
from fcn_seg_ros.datasets.kitti_calib import calib_file, read_calib  # noqa: E402
from fcn_seg_ros.datasets.kitti_road import KittiRoad  # noqa: E402
from fcn_seg_ros.ground.birds_eye import BirdsEyeGrid, BirdsEyeView  # noqa: E402
from fcn_seg_ros.ground.camera import GroundPlane  # noqa: E402
from fcn_seg_ros.ground.grid import GridSpec  # noqa: E402
from fcn_seg_ros.ground.lens import CameraModel  # noqa: E402
from fcn_seg_ros.ground.motion import PlanarPose  # noqa: E402
from fcn_seg_ros.ground.pose import CameraPose  # noqa: E402
from fcn_seg_ros.ground.rays import Rays, RoadMask  # noqa: E402
from fcn_seg_ros.ground.tables import GroundSpec, GroundTables  # noqa: E402
from fcn_seg_ros.ground.temporal import TemporalFilter  # noqa: E402
from fcn_seg_ros.ground.view import GroundView  # noqa: E402
from fcn_seg_ros.outputs.metric_lines import draw_metric_lines  # noqa: E402
from fcn_seg_ros.synthetic.suburb import RenderedDrive, RenderedFrame  # noqa: E402

DISTANCES = (10.0, 20.0, 30.0)
# A true edge counts for a distance if it lies within this share of it.
NEAR = 0.1
FIRST_SEED = 10_000
FAR = 30.0


def main() -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('what', choices=('edges', 'kitti', 'cost', 'pose'))
    parser.add_argument('root', nargs='?', default=os.environ.get('FCN_SEG_DATA', '')
                        + '/kitti_road', help='KITTI Road, for kitti')
    parser.add_argument('--checkpoint', default='general')
    parser.add_argument('--seeds', type=int, default=12, help='rendered drives, for edges')
    parser.add_argument('--cell', type=float, default=GridSpec.cell, help='metres, for kitti')
    arguments = parser.parse_args()
    {'edges': edges, 'kitti': kitti, 'cost': cost, 'pose': pose}[arguments.what](arguments)
    return 0


def frames(seeds: int) -> Iterator[RenderedFrame]:
    """Yield three frames of each rendered drive, of those that nobody trains on."""
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        drive = RenderedDrive(seed, length=90)
        yield from (drive[index] for index in (10, 40, 70))


def view_of(frame: RenderedFrame, plane: GroundPlane | None = None) -> GroundView:
    """Return the view of a rendered frame, or with another ground than it has."""
    camera = frame.camera
    model = CameraModel(camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy)
    return GroundView(model, CameraPose.from_plane(plane or frame.plane))


def true_mask(frame: RenderedFrame) -> RoadMask:
    """Return what a perfect network would see."""
    return RoadMask(frame.road, 255 * frame.road)


def mask_of(result: Segmentation) -> RoadMask:
    """Return what the network sees."""
    return RoadMask(result.mask, result.probability, result.threshold, result.label_map.road_ids)


def true_ranges(frame: RenderedFrame, rays: Rays) -> np.ndarray:
    """Return where each line, from the camera's foot point, leaves the true road; NaN if hidden."""
    z = np.arange(1.0, 60.0, 0.05)
    left, right = frame.edges(z)
    ranges = np.arange(float(rays.starts.min()), 45.0, 0.01)
    x = -ranges * np.sin(rays.bearings)[:, None]
    ahead = ranges * np.cos(rays.bearings)[:, None]
    free = (x > np.interp(ahead, z, left)) & (x < np.interp(ahead, z, right))
    free |= ranges < rays.starts[:, None]
    found = np.where(free.all(axis=1), np.nan, ranges[free.argmin(axis=1)])
    # Something stands before an edge if road is missing two pixels and more in front of it.
    seen = rays.first_not_road(true_mask(frame)).ranges
    before = 1.0 / (1.0 / found + 2.0 * rays.pixel)
    return np.where((seen < before) | (found <= rays.starts), np.nan, found)


def edges(arguments: argparse.Namespace) -> None:
    """Print the error of the freespace's edge along the ray."""
    segmenter = RoadSegmenter(arguments.checkpoint, device='cpu')
    errors: dict[str, list[np.ndarray]] = {'true mask': [], arguments.checkpoint: []}
    truth = []
    for frame in frames(arguments.seeds):
        tables = GroundTables(view_of(frame), GroundSpec())
        truth.append(true_ranges(frame, tables.freespace.rays))
        result = segmenter.segment(frame.image)
        for name, seen in {'true mask': true_mask(frame),
                           arguments.checkpoint: mask_of(result)}.items():
            found = tables.freespace.update(seen)
            errors[name].append(np.where(np.isinf(found), tables.spec.reach, found) - truth[-1])
    at = np.concatenate(truth)
    print(f'{3 * arguments.seeds} frames; median and 95th percentile of the error along the ray, '
          'signed median, metres')
    for name, parts in errors.items():
        error = np.concatenate(parts)
        for distance in DISTANCES:
            chosen = error[(np.abs(at - distance) < NEAR * distance) & np.isfinite(error)]
            lost = np.isnan(error[np.abs(at - distance) < NEAR * distance]).sum()
            middle, most = np.percentile(np.abs(chosen), [50, 95])
            print(f'{name:10} {distance:3.0f} m: {middle:.3f} {most:.3f} '
                  f'{np.median(chosen):+.3f}  ({len(chosen)} rays, {lost} not seen)')


@dataclass
class GridScore:
    """Cells of the grid, summed over images."""

    true_free: int = 0
    false_free: int = 0
    missed: int = 0
    known: int = 0
    in_view: int = 0

    def update(self, values: np.ndarray, truth: np.ndarray, counted: np.ndarray,
               highest: float) -> None:
        """Add an image; ``truth`` is 1 road, 0 not, 255 not labelled."""
        known = counted & (values >= 0)
        free, road = known & (values <= highest), truth == 1
        self.true_free += int((free & road).sum())
        self.false_free += int((free & (truth == 0)).sum())
        self.missed += int((known & ~free & road).sum())
        self.known += int(known.sum())
        self.in_view += int(counted.sum())

    def __str__(self) -> str:
        """Return F1 and the share of cells that are known, in percent."""
        f1 = 200 * self.true_free / (2 * self.true_free + self.false_free + self.missed)
        return f'F1 {f1:.2f}, known {100 * self.known / self.in_view:.2f} % of {self.in_view} cells'


def kitti(arguments: argparse.Namespace) -> None:
    """Print F1 and known share of the grid on the validation images that have a calibration."""
    segmenter = RoadSegmenter(arguments.checkpoint, device='cpu')
    dataset = KittiRoad(arguments.root, 'val.txt')
    spec = GroundSpec(grid=GridSpec(cell=arguments.cell))
    x, _ = spec.grid.centres()
    score, images = GridScore(), 0
    for sample in (dataset[index] for index in range(len(dataset))):
        file = calib_file(Path(arguments.root) / 'training' / 'image_2' / f'{sample.name}.png')
        if not file.exists():
            continue
        images += 1
        calib = read_calib(file)
        shape = sample.labels.shape
        tables = GroundTables(calib.view(*shape), spec)
        result = segmenter.segment(sample.image)
        seen = mask_of(result)
        tables.shadows.update(seen)
        values = tables.grid.update(seen)
        above = BirdsEyeView(calib.homography, shape, BirdsEyeGrid(
            -spec.grid.width / 2, spec.grid.width / 2, 0.0, spec.grid.length, spec.grid.cell))
        # From rows that fall in z and columns that rise to the right.
        truth, inside = (each[::-1, ::-1].T for each in (above.nearest(sample.labels, 255),
                                                         above.inside))
        score.update(values, truth, inside & (x <= FAR), 100 * (1 - result.threshold))
    print(f'{arguments.checkpoint}, {images} images, cells of {arguments.cell:g} m whose centre is '
          f'in the image, to {FAR:g} m: {score}')


def _milliseconds(call: Callable[[], object], times: int = 60) -> float:
    """Return the median of a call's processor time, which other work does not lengthen."""
    call()
    taken = []
    for _ in range(times):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return 1e3 * float(np.median(taken))


def cost(arguments: argparse.Namespace) -> None:
    """Print what grid, scan and points cost, in turns with the segmenter, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    segmenter = RoadSegmenter(arguments.checkpoint, device='cpu', threads=1)
    frame = RenderedDrive(1, length=60)[30]
    started = time.perf_counter()
    tables = GroundTables(view_of(frame), GroundSpec())
    print(f'tables made in {1e3 * (time.perf_counter() - started):.0f} ms')
    seen = mask_of(segmenter.segment(frame.image))
    memory, way = TemporalFilter(tables.spec.grid), itertools.count()
    kept = np.empty(tables.spec.grid.shape, np.int8)

    def remember() -> None:
        at = 0.1 * next(way)
        np.copyto(kept, tables.grid.values)
        memory.update(kept, at, PlanarPose(10.0 * at, 0.0, 0.05 * at), 50.0)

    parts: dict[str, Callable[[], object]] = {
        'shadows': lambda: tables.shadows.update(seen),
        'grid': lambda: tables.grid.update(seen),
        'scan': lambda: tables.freespace.update(seen),
        'points': tables.points.update,
    }

    def everything() -> None:
        for part in parts.values():
            part()

    for _ in range(3):
        call = _milliseconds(lambda: segmenter.segment(frame.image))
        ours = _milliseconds(everything)
        print(f'segmenter ({segmenter.backend.name}, {segmenter.backend.precision}) {call:.2f} ms, '
              f'grid + scan + points {ours:.2f} ms: {ours / call:.3f}')
    parts['memory of obstacles'] = remember
    print(', '.join(f'{name} {_milliseconds(part):.2f} ms' for name, part in parts.items()))
    picture = segmenter.segment(frame.image).overlay(frame.image)
    lines = _milliseconds(lambda: draw_metric_lines(picture, tables, tables.freespace.ranges, 10.0))
    print(f'rings and the end of the road in the overlay {lines:.2f} ms')
    tracemalloc.start()
    everything()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    everything()
    peak = tracemalloc.get_traced_memory()[1] - before
    print(f'most memory taken within a frame, that of obstacles included: {peak / 1024:.0f} KiB; '
          f'the image has {frame.road.size / 1024:.0f} KiB a channel')


def pose(arguments: argparse.Namespace) -> None:
    """Print by how much a wrong pose or a slope moves the edge at 20 m."""
    half = float(np.deg2rad(0.5))
    wrong: dict[str, Callable[[GroundPlane], GroundPlane]] = {
        'pitch +0.5 deg': lambda p: GroundPlane(p.height, p.pitch + half, p.roll),
        'pitch -0.5 deg': lambda p: GroundPlane(p.height, p.pitch - half, p.roll),
        # Seen from the vehicle, the road ahead tilts towards the camera.
        'rising by 1 %': lambda p: GroundPlane(p.height, p.pitch - float(np.arctan(0.01)), p.roll),
        'falling by 1 %': lambda p: GroundPlane(p.height, p.pitch + float(np.arctan(0.01)), p.roll),
        'roll 1 deg': lambda p: GroundPlane(p.height, p.pitch, p.roll + 2 * half),
        'height +5 cm': lambda p: GroundPlane(p.height + 0.05, p.pitch, p.roll),
    }
    found: dict[str, list[np.ndarray]] = {name: [] for name in wrong}
    for frame in frames(arguments.seeds):
        right = Rays(view_of(frame), (0.0, 0.0), GroundSpec.increment, 60.0)
        truth = dict(zip(np.rint(right.bearings / right.increment).astype(int),
                         true_ranges(frame, right), strict=True))
        for name, change in wrong.items():
            rays = Rays(view_of(frame, change(frame.plane)), (0.0, 0.0), right.increment, 60.0)
            ends = rays.first_not_road(true_mask(frame))
            true = np.array([truth.get(round(bearing / rays.increment), np.nan)
                             for bearing in rays.bearings])
            at = (np.abs(true - 20.0) < 2.0) & np.isfinite(ends.ranges) & ends.on_road
            found[name].append((ends.ranges - true)[at])
    for name, parts in found.items():
        shift = np.concatenate(parts)
        low, middle, high = np.percentile(shift, [5, 50, 95])
        print(f'{name:15} moves the edge at 20 m by {middle:+.2f} m (5 to 95 %: {low:+.2f} to '
              f'{high:+.2f}; {len(shift)} rays)')


if __name__ == '__main__':
    sys.exit(main())
