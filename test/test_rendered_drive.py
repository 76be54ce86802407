# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The rendered drive: same bytes for the same seed, and a mask that is the geometry's."""

import cv2
import numpy as np
import pytest

from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.drives.rendered import START_NS, RenderedDriveSource
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.synthetic.suburb import RenderedDrive, RenderedFrame
from fcn_seg_ros.synthetic.suburb.canvas import Canvas
from fcn_seg_ros.synthetic.suburb.noise import RipMap, tile_noise
from fcn_seg_ros.synthetic.suburb.road import RoadView
from fcn_seg_ros.synthetic.suburb.style import sample_style
from fcn_seg_ros.synthetic.suburb.vehicles import Car, Parked, draw_car

SMALL = PinholeCamera(320, 96, 186.0, 186.0, 157.0, 44.0)
SEEDS = (3, 7, 20)


def bare(seed: int, index: int, camera: PinholeCamera) -> RenderedFrame:
    """Return a frame in which nothing stands on or beside the road."""
    drive = RenderedDrive(seed, 50, camera=camera)
    frame = drive[index]
    mask = np.zeros_like(frame.road)
    image = np.zeros_like(frame.image)
    drive._world.ground.render(frame.view, frame.plane, camera, image, mask)
    return RenderedFrame(image, mask, camera, frame.plane, frame.time, frame.view)


def test_the_same_seed_gives_the_same_bytes_in_any_order() -> None:
    first = RenderedDrive(5, 20, camera=SMALL)
    forward = [first[i] for i in (0, 3, 11)]
    from fcn_seg_ros.synthetic.suburb import world
    world.world.cache_clear()
    again = RenderedDrive(5, 30, camera=SMALL)
    backward = [again[i] for i in (11, 3, 0)][::-1]
    for a, b in zip(forward, backward, strict=True):
        assert a.image.tobytes() == b.image.tobytes()
        assert a.road.tobytes() == b.road.tobytes()


def test_frames_and_seeds_differ() -> None:
    drive = RenderedDrive(5, 20, camera=SMALL)
    other = RenderedDrive(6, 20, camera=SMALL)
    assert np.abs(drive[0].image.astype(int) - drive[1].image).mean() > 1
    assert np.abs(drive[0].image.astype(int) - other[0].image).mean() > 10


def test_it_is_a_sequence() -> None:
    drive = RenderedDrive(1, 3, camera=SMALL)
    assert len(drive) == 3
    assert [f.time for f in drive] == [0.0, 0.1, 0.2]
    assert drive[-1].image.tobytes() == drive[2].image.tobytes()


@pytest.mark.parametrize('seed', SEEDS)
def test_the_mask_ends_where_the_edges_project(seed: int) -> None:
    camera = PinholeCamera.kitti()
    frame = bare(seed, 10, camera)
    square = np.ones((3, 3), np.uint8)
    rim = cv2.dilate(frame.road, square) != cv2.erode(frame.road, square)
    away = cv2.distanceTransform((~rim).astype(np.uint8), cv2.DIST_L2, 5)
    z = np.linspace(6.5, 60, 200)
    for x in frame.edges(z):
        u, v = frame.plane.project(camera, x, z)
        seen = (u > 2) & (u < camera.width - 3) & (v < camera.height - 2)
        assert seen.sum() > 40
        # The rim is two pixels wide, one on either side of the edge.
        assert away[np.rint(v[seen]).astype(int), np.rint(u[seen]).astype(int)].max() < 1.1


@pytest.mark.parametrize('seed', SEEDS)
def test_the_mask_is_the_ground_between_the_edges(seed: int) -> None:
    frame = bare(seed, 4, SMALL)
    rows, cols = np.nonzero(frame.road)
    x, z = frame.plane.pixel_to_ground(SMALL, cols, rows)
    left, right = frame.edges(z)
    known = np.isfinite(left) & np.isfinite(right)
    inside = (x > left - 0.15) & (x < right + 0.15)
    assert known.mean() > 0.9
    # At side roads one more piece of road may lie beyond the first edge.
    assert inside[known].mean() > 0.9
    assert (z > 0).all() and (z <= 150.1).all()


def test_the_road_is_as_wide_as_the_style_says() -> None:
    drive = RenderedDrive(2, 5, camera=SMALL)
    left, right = drive[0].edges(np.array([3.0]))
    style = drive.style
    assert (right - left)[0] == pytest.approx(style.left_width + style.right_width,
                                              abs=2.2 * style.width_wave + 0.1)


def test_roads_are_5_to_14_metres_wide_and_differ() -> None:
    styles = [sample_style(np.random.default_rng(seed)) for seed in range(200)]
    widths = [style.left_width + style.right_width for style in styles]
    assert 5.4 < min(widths) < 6.5 and 12.0 < max(widths) < 14.4
    assert {style.sides[0].kind for style in styles} == {'rural', 'suburb', 'urban', 'avenue'}


def test_beyond_what_is_known_edges_are_nan() -> None:
    frame = RenderedDrive(2, 5, camera=SMALL)[0]
    left, right = frame.edges(np.array([-1.0, 0.0, 10.0, 151.0]))
    assert np.isnan(left[[0, 1, 3]]).all() and np.isnan(right[[0, 1, 3]]).all()
    assert left[2] < 0 < right[2]


def test_a_point_fixed_to_the_road_moves_as_the_camera_does() -> None:
    """What is 20 m ahead at s, d is found at the same s, d from every later place."""
    drive = RenderedDrive(11, 20, camera=SMALL)
    views = [drive[i].view for i in (0, 6)]
    for d in (-3.0, 0.0, 2.5):
        for s in (15.0, 25.0, 40.0):
            for view in views:
                x, z, _ = view.place(s - view.s, d)
                ahead, across = view.locate(np.float32([[x]]), np.float32([[z]]))
                assert float(ahead[0, 0]) + view.s == pytest.approx(s, abs=0.05)
                assert float(across[0, 0]) == pytest.approx(d, abs=0.03)


def test_the_ground_texture_is_fixed_to_the_ground() -> None:
    """The picture of frame i, moved to where its ground is seen in i + 1, is that picture."""
    camera = PinholeCamera.kitti()
    now, then = bare(3, 10, camera), bare(3, 11, camera)
    u, v = np.meshgrid(np.arange(300.0, 900.0), np.arange(230.0, 360.0))
    x, z = then.plane.pixel_to_ground(camera, u, v)
    ahead, d = then.view.locate(x.astype(np.float32), z.astype(np.float32))
    x, z, _ = now.view.place(ahead + then.view.s - now.view.s, d)
    at_u, at_v = now.plane.project(camera, x, z)
    moved = cv2.remap(now.image, at_u.astype(np.float32), at_v.astype(np.float32),
                      cv2.INTER_LINEAR)[..., 1].astype(float)
    seen = then.image[230:360, 300:900, 1].astype(float)
    assert np.corrcoef(moved.ravel(), seen.ravel())[0, 1] > 0.9
    assert np.abs(moved - seen).mean() < 6
    unmoved = now.image[230:360, 300:900, 1].astype(float)
    assert np.abs(unmoved - seen).mean() > 1.3 * np.abs(moved - seen).mean()


@pytest.mark.parametrize('camera', [
    SMALL, PinholeCamera(640, 480, 525.0, 525.0, 319.5, 239.5),
    PinholeCamera(200, 320, 160.0, 160.0, 100.0, 20.0)], ids=lambda c: f'{c.width}x{c.height}')
def test_any_camera_sees_sky_above_and_road_below(camera: PinholeCamera) -> None:
    frame = RenderedDrive(3, 5, camera=camera)[0]
    assert frame.image.shape == (camera.height, camera.width, 3)
    assert frame.image.dtype == frame.road.dtype == np.uint8
    horizon = int(frame.plane.horizon_row(camera, np.array([0.0, camera.width])).min())
    assert not frame.road[:max(horizon, 0)].any()
    assert set(np.unique(frame.road)) == {0, 1}
    below = frame.road[camera.height * 3 // 4:, camera.width // 2]
    assert below.mean() > 0.5


def test_a_vehicle_is_not_road() -> None:
    frame = bare(3, 0, SMALL)
    before = frame.road.copy()
    canvas = Canvas(frame.image, frame.road, SMALL, frame.plane, (200, 210, 220), 500.0)
    car = Car.random(np.random.default_rng(0))
    style = RenderedDrive(3, 1, camera=SMALL).style
    draw_car(canvas, frame.view, Parked(car, 10.0, frame.view.d, False), style)
    x, z, _ = frame.view.place(10.0 - car.length / 2, frame.view.d)
    u, v = frame.plane.project(SMALL, x, z, up=0.5)
    assert before[round(float(v)), round(float(u))] == 1
    assert frame.road[round(float(v)), round(float(u))] == 0
    gone = np.count_nonzero(before) - np.count_nonzero(frame.road)
    assert 100 < gone < 0.5 * np.count_nonzero(before)
    assert not (frame.road & ~before.astype(bool)).any()


def test_the_road_differs_from_the_verge_in_colour() -> None:
    for seed in SEEDS:
        frame = RenderedDrive(seed, 2, camera=SMALL)[0]
        ring = cv2.dilate(frame.road, np.ones((9, 9), np.uint8)) - frame.road
        ring[:60] = 0
        inside = frame.road.copy()
        inside[:60] = 0
        road, beside = (frame.image[m > 0].astype(float).mean(axis=0) for m in (inside, ring))
        assert np.abs(road - beside).max() > 12


def test_the_road_looks_like_asphalt() -> None:
    for seed in range(6):
        frame = RenderedDrive(seed, 1, camera=SMALL)[0]
        r, g, b = frame.image[frame.road > 0].astype(float).mean(axis=0)
        assert 35 < g < 190 and abs(r - g) < 25 and abs(b - g) < 25


def test_far_texture_does_not_shimmer() -> None:
    """A ripmap read with a large footprint has little of the fine noise left."""
    noise = tile_noise(np.random.default_rng(0), (512, 64), (1, 1))[..., None] * 30 + 128
    rip = RipMap(noise.clip(0, 255).astype(np.uint8), (0.1, 0.1))
    s, d = np.meshgrid(np.linspace(0, 50, 40), np.linspace(0, 6, 30), indexing='ij')
    near, far = (rip.sample(s.astype(np.float32), d.astype(np.float32), np.full(40, f)).std()
                 for f in (0.1, 3.2))
    assert far < 0.4 * near


def test_a_curved_road_bends_where_its_heading_says() -> None:
    drive = RenderedDrive(11, 5, camera=SMALL)
    view = drive[0].view
    straight = RoadView(view.road, view.s, 0.0, 0.0)
    x, z, turn = straight.place(np.array([0.0, 30.0]), 0.0)
    assert (x[0], z[0], turn[0]) == pytest.approx((0, 0, 0), abs=1e-6)
    s = np.linspace(0, 30, 3001)
    heading = view.road.heading(view.s + s) - view.road.heading(view.s)
    assert x[1] == pytest.approx(np.trapezoid(np.sin(heading), s), abs=1e-3)
    assert z[1] == pytest.approx(np.trapezoid(np.cos(heading), s), abs=1e-3)


@pytest.mark.parametrize('index', [3, -4, 1000])
def test_an_index_out_of_range_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match='3 frames'):
        RenderedDrive(0, 3, camera=SMALL)[index]


@pytest.mark.parametrize(('arguments', 'named'), [
    ({'length': 0}, 'length'), ({'rate_hz': 0.0}, 'rate_hz'), ({'rate_hz': float('nan')}, 'rate'),
    ({'seed': -1}, 'seed'), ({'camera': PinholeCamera(8, 8, 8, 8, 4, 4)}, '16x16')])
def test_bad_arguments_are_input_errors(arguments: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        RenderedDrive(**{'seed': 0, **arguments})


def test_a_steady_camera_keeps_its_pose() -> None:
    nodding, steady = (RenderedDrive(5, 20, camera=SMALL, steady=steady)
                       for steady in (False, True))
    planes = {(frame.plane.height, frame.plane.pitch, frame.plane.roll) for frame in
              (steady[3], steady[12])}
    assert planes == {(steady.ground.height, 0.0, 0.0)}
    assert steady.ground.height == steady.style.camera_height
    assert nodding[3].plane != nodding[12].plane
    assert steady[3].view.s == nodding[3].view.s  # the same way
    source = open_drive('rendered:5:steady', limit=3)
    assert source.pose is not None and source.pose.position.tolist() == [
        0.0, 0.0, steady.ground.height]
    np.testing.assert_allclose(source.pose.angles, 0.0, atol=1e-12)
    assert open_drive('rendered:5', limit=3).pose is None
    with pytest.raises(InputError, match='rendered:x:steady: expected rendered:SEED'):
        open_drive('rendered:x:steady')


def test_the_source_is_a_drive_with_truth() -> None:
    source = RenderedDriveSource(4, 3, 20.0, SMALL)
    frames = list(source)
    assert [f.stamp_ns - START_NS for f in frames] == [0, 50_000_000, 100_000_000]
    assert source.length == 3 and source.rate_hz == 20.0
    frame, truth = frames[1], frames[1].truth
    expected = RenderedDrive(4, 3, 20.0, SMALL)[1]
    assert (frame.encoding, frame.step, frame.frame_id) == ('rgb8', 960, 'camera')
    assert frame.data.tobytes() == expected.image.tobytes()
    assert truth is not None and truth.tobytes() == expected.road.tobytes()
    assert frame.calibration is not None
    assert frame.calibration.k == tuple(SMALL.matrix.ravel())
    assert (frame.calibration.width, frame.calibration.height) == (320, 96)
    assert [f.data.tobytes() for f in source] == [f.data.tobytes() for f in frames]
