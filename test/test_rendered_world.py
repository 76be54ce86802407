# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rendered worlds: same bytes for the same seed, and classes and depth that are the geometry's."""

import hashlib
import re

import numpy as np
import pytest

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec, training_data
from fcn_seg_ros.datasets.registry import open_datasets as open_all
from fcn_seg_ros.datasets.rendered_road import RenderedRoad, RenderedWorld
from fcn_seg_ros.datasets.verify import verify
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.synthetic.suburb import RenderedDrive
from fcn_seg_ros.synthetic.world import SceneClass, WorldDrive, WorldFrame
from fcn_seg_ros.synthetic.world.backdrop import DISTANCE
from fcn_seg_ros.synthetic.world.cameras import ASPECTS, FOV, sample_mount
from fcn_seg_ros.synthetic.world.classes import road_labels
from fcn_seg_ros.synthetic.world.conditions import CONDITIONS
from fcn_seg_ros.synthetic.world.lens import Lens
from fcn_seg_ros.synthetic.world.mesh import box, disc, joined
from fcn_seg_ros.synthetic.world.raster import clip_near
from fcn_seg_ros.synthetic.world.scenes import SCENES
from fcn_seg_ros.synthetic.world.vehicle_shapes import PAINT, SILHOUETTES, cars, lorries

#: (world, conditions, seed): one frame of every scene, all of them flat.
CASES = [('highway', 'low_sun', 6), ('country', 'sun', 7), ('city', 'night_rain', 9),
         ('bridge', 'fog', 4), ('tunnel', 'overcast', 5), ('car_park', 'night', 7)]


@pytest.fixture(scope='module', params=CASES, ids=lambda case: '-'.join(map(str, case)))
def frame(request: pytest.FixtureRequest) -> WorldFrame:
    """Return a frame of each case."""
    world, conditions, seed = request.param
    return WorldDrive(seed, 1, world, conditions)[0]


def flat_ground(frame: WorldFrame) -> np.ndarray:
    """Return the depth at which the rays of all pixels meet a flat ground, NaN where none does."""
    height, width = frame.depth.shape
    x, y = frame.lens.rays(*np.meshgrid(np.arange(width), np.arange(height)))
    down = np.tensordot(frame.plane.rotation.T, np.stack([x, y, np.ones_like(x)]), 1)[1]
    return frame.plane.height / np.where(down > 1e-9, down, np.nan)


def test_the_suburb_is_what_it_was() -> None:
    """The stored self-tests of checkpoints and the reported scores hang on these pixels."""
    digest = hashlib.sha256()
    for seed in (0, 1, 10_000, 10_007):
        for index in (0, 25):
            frame = RenderedDrive(seed, 50)[index]
            digest.update(frame.image.tobytes())
            digest.update(frame.road.tobytes())
    assert digest.hexdigest() == (
        '1cb828962a9aef96095b86e8e94e47b1ea72492d376e032f404f5ab3c76cc8b4')


def test_the_same_seed_gives_the_same_bytes_in_any_order() -> None:
    from fcn_seg_ros.synthetic.world import drive
    first = WorldDrive(9, 2)
    forward = [first[i] for i in (0, 1)]
    drive._world.cache_clear()
    again = WorldDrive(9, 3)
    backward = [again[i] for i in (1, 0)][::-1]
    for a, b in zip(forward, backward, strict=True):
        assert a.image.tobytes() == b.image.tobytes()
        assert a.classes.tobytes() == b.classes.tobytes()
        assert a.depth.tobytes() == b.depth.tobytes()
    assert np.abs(forward[0].image.astype(int) - forward[1].image).mean() > 1


def test_shapes_and_types(frame: WorldFrame) -> None:
    height, width = frame.lens.camera.height, frame.lens.camera.width
    assert (width, height) in ASPECTS.values()
    assert frame.image.shape == (height, width, 3) and frame.image.dtype == np.uint8
    assert frame.classes.shape == (height, width) and frame.classes.dtype == np.uint8
    assert frame.depth.shape == (height, width) and frame.depth.dtype == np.float32
    assert frame.image.std() > 4


def test_road_is_class_road(frame: WorldFrame) -> None:
    assert set(np.unique(frame.classes)) <= {int(c) for c in SceneClass}
    np.testing.assert_array_equal(frame.road == 1, frame.classes == SceneClass.ROAD)
    np.testing.assert_array_equal(frame.road == IGNORE, frame.classes == SceneClass.PARKING)
    assert (frame.road == 1).mean() > 0.02


def test_the_depth_of_flat_road_is_the_ground_planes(frame: WorldFrame) -> None:
    assert frame.crest == 0
    expected = flat_ground(frame)
    road = (frame.classes == SceneClass.ROAD) | (frame.classes == SceneClass.PAVEMENT)
    np.testing.assert_allclose(frame.depth[road], expected[road], rtol=1e-3)


def test_nothing_lies_below_the_road(frame: WorldFrame) -> None:
    assert frame.crest == 0
    expected = flat_ground(frame)
    high = np.isin(frame.classes, [SceneClass.VEHICLE, SceneClass.PERSON, SceneClass.BUILDING,
                                   SceneClass.BARRIER, SceneClass.OWN_VEHICLE]) & (expected < 60)
    assert high.any()
    assert (frame.depth[high] <= expected[high] * 1.05 + 0.3).mean() > 0.99


def test_depth_by_class(frame: WorldFrame) -> None:
    assert np.isinf(frame.depth[frame.classes == SceneClass.SKY]).all()
    rest = frame.depth[frame.classes != SceneClass.SKY]
    assert np.isfinite(rest).all() and rest.min() > 0.1 and rest.max() <= DISTANCE + 50


def test_the_depth_of_a_hilly_road_follows_the_hill() -> None:
    frame = next(f for f in (WorldDrive(seed, 1, 'country', 'overcast')[0] for seed in range(20))
                 if abs(f.crest) > 1e-4)
    height, width = frame.depth.shape
    x, y = frame.lens.rays(*np.meshgrid(np.arange(width), np.arange(height)))
    _, down, forward = np.tensordot(frame.plane.rotation.T, np.stack([x, y, np.ones_like(x)]), 1)
    road = frame.classes == SceneClass.ROAD
    up = frame.plane.height - down[road] * frame.depth[road]
    expected = frame.crest / 2 * (forward[road] * frame.depth[road]) ** 2
    np.testing.assert_allclose(up, expected, atol=2e-3 + 1e-3 * np.abs(expected).max())


def test_the_own_bonnet_is_own_vehicle_and_never_road() -> None:
    drive = next(d for d in (WorldDrive(seed, 1, 'highway', 'overcast') for seed in range(30))
                 if sample_mount(np.random.default_rng([d.seed, 42])).bonnet)
    frame = drive[0]
    own = frame.classes == SceneClass.OWN_VEHICLE
    assert own[-1].mean() > 0.5 and not own[:frame.classes.shape[0] // 2].any()
    assert not frame.road[own].any()
    assert frame.depth[own].max() < 4.0


@pytest.mark.parametrize('model,k1,k2', [('plumb_bob', 0.0, 0.0), ('plumb_bob', -0.2, 0.03),
                                         ('plumb_bob', 0.08, 0.0), ('equidistant', 0.0, 0.0),
                                         ('equidistant', 0.1, -0.02)])
def test_distortion_there_and_back(model: str, k1: float, k2: float) -> None:
    camera = PinholeCamera(832, 468, 500.0, 502.0, 410.0, 240.0)
    lens = Lens(camera, model, k1, k2, reach=1.2 if model == 'plumb_bob' else 2.5)
    u, v = np.meshgrid(np.linspace(30, 800, 12), np.linspace(20, 440, 9))
    again = lens.distort(*lens.rays(u, v))
    np.testing.assert_allclose(again, (u, v), atol=1e-3)


def test_distortion_is_the_camera_models() -> None:
    camera = PinholeCamera(832, 468, 500.0, 500.0, 400.0, 230.0)
    u, _ = Lens(camera, 'plumb_bob', -0.2, reach=1.0).distort(np.array(0.5), np.array(0.0))
    assert u == pytest.approx(400 + 500 * 0.5 * (1 - 0.2 * 0.25))
    u, v = Lens(camera, 'equidistant').distort(np.array(1.0), np.array(1.0))
    radius = np.arctan(np.sqrt(2)) / np.sqrt(2)
    assert (u, v) == pytest.approx((400 + 500 * radius, 230 + 500 * radius))


def test_a_lens_that_folds_is_refused() -> None:
    with pytest.raises(InputError, match='folds'):
        Lens(PinholeCamera(832, 468, 500.0, 500.0, 400.0, 230.0), 'plumb_bob', -0.5, 0.0, 2.0)
    with pytest.raises(InputError, match='plumb_bob, equidistant'):
        Lens(PinholeCamera(832, 468, 500.0, 500.0, 400.0, 230.0), 'fisheye')


def test_cameras_are_of_every_kind() -> None:
    mounts = [sample_mount(np.random.default_rng(seed)) for seed in range(200)]
    angles = []
    for mount in mounts:
        camera = mount.lens.camera
        row = np.array([camera.cy, camera.cy])
        x, _ = mount.lens.rays(np.array([0.0, camera.width - 1.0]), row)
        angles.append(np.rad2deg(np.arctan(x[1]) - np.arctan(x[0])))
    assert min(angles) < FOV[0] + 8 and max(angles) > FOV[1] - 15
    assert max(angles) < FOV[1] + 8
    heights = [mount.height for mount in mounts]
    assert min(heights) < 0.7 and max(heights) > 2.5
    assert {(m.lens.camera.width, m.lens.camera.height) for m in mounts} == set(ASPECTS.values())
    assert {m.lens.model for m in mounts} == {'plumb_bob', 'equidistant'}


def test_the_chosen_angle_of_view_is_the_lens_own() -> None:
    for seed in range(20):
        lens = sample_mount(np.random.default_rng(seed), '16:9', 90.0).lens
        middle = (lens.camera.width - 1) / 2
        shift = lens.camera.cx - middle
        x, _ = lens.rays(np.array([-0.5 + shift, lens.camera.width - 0.5 + shift]),
                         np.array([lens.camera.cy] * 2))
        assert np.rad2deg(np.arctan(x[1]) - np.arctan(x[0])) == pytest.approx(90, abs=0.5)


@pytest.mark.parametrize('shape', [*cars()[:6], *lorries()[::3]], ids=lambda s: s.kind)
def test_meshes_face_outwards(shape) -> None:
    mesh = shape.mesh
    flat = np.cross(mesh.corners[:, 2] - mesh.corners[:, 0],
                    mesh.corners[:, 3] - mesh.corners[:, 1])
    centre = mesh.corners[:, :4].mean(axis=1)
    normal = np.einsum('nij,nj->ni', mesh.normal[..., :3], centre) + mesh.normal[..., 3]
    assert (np.einsum('ij,ij->i', flat, normal) > 0).all()
    # A wheel's inner side and the tail of a cab look inwards, the body's faces do not.
    middle, body = np.array([0.0, shape.height / 2, 0.0]), mesh.material == PAINT
    outwards = np.einsum('ij,ij->i', centre - middle, normal)[body] > 0
    assert outwards.mean() > (0.9 if shape.kind in SILHOUETTES else 0.7)
    assert mesh.corners[..., 1].min() >= -1e-6
    assert mesh.corners[..., 1].max() == pytest.approx(shape.height, abs=0.1)


def test_a_mesh_is_turned_to_the_right_with_its_normals() -> None:
    mesh = joined([box((-1, 0, -2), (1, 1, 2), 0), disc((1, 0.5, 0), 0.3, 1.0, 0)])
    turned = mesh.placed(5.0, 0.0, 7.0, np.pi / 2)
    # What pointed forward points right now, what pointed right backward.
    np.testing.assert_allclose(turned.corners[..., 0], mesh.corners[..., 2] + 5, atol=1e-5)
    np.testing.assert_allclose(turned.corners[..., 2], 7 - mesh.corners[..., 0], atol=1e-5)
    np.testing.assert_allclose(turned.normal[-1, :, 3], (0, 0, -1), atol=1e-6)


def test_a_polygon_is_cut_at_the_near_plane() -> None:
    square = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 3], [-1, 0, 3]], np.float64)
    cut = clip_near(square)
    assert cut[:, 2].min() == pytest.approx(0.15) and cut[:, 2].max() == 3
    assert len(cut) == 4


def test_labels_of_classes() -> None:
    classes = np.array([[SceneClass.ROAD, SceneClass.PARKING, SceneClass.OWN_VEHICLE,
                         SceneClass.VEHICLE, SceneClass.PAVEMENT, SceneClass.TERRAIN]], np.uint8)
    assert road_labels(classes).tolist() == [[1, 255, 0, 0, 0, 0]]


def test_a_spec_opens_a_world() -> None:
    spec = parse_spec('rendered?drives=3&frames=2&first_seed=40&world=country&conditions=fog')
    assert str(spec) == 'rendered?drives=3&first_seed=40&world=country&conditions=fog'
    dataset = open_dataset(spec)
    assert isinstance(dataset, RenderedWorld) and len(dataset) == 6
    sample, frame = dataset[3], dataset.frame(3)
    assert sample.name == 'world_country_00041_0001'
    assert frame.conditions == 'fog' and frame.world == 'country'
    np.testing.assert_array_equal(sample.image, frame.image)
    np.testing.assert_array_equal(sample.labels, frame.road)
    assert training_data([spec], open_all([spec])) == (
        '6 frames of 3 rendered drives (world country)')
    verify(dataset, 'rendered')


def test_the_default_world_is_the_suburb() -> None:
    for text in ('rendered', 'rendered?world=suburb'):
        dataset = open_dataset(parse_spec(text))
        assert isinstance(dataset, RenderedRoad) and len(dataset) == 60


@pytest.mark.parametrize('text,match', [
    ('rendered?world=moon', 'highway, country, city, bridge, tunnel, car_park'),
    ('rendered?world=all&conditions=snow', 'sun, overcast'),
    ('rendered?world=all&aspect=1:1', '4:3, 16:9'),
    ('rendered?world=all&fov=150', 'between 40 and 120'),
    ('rendered?conditions=fog', 'a world other than suburb'),
    ('rendered?world=all&drives=0', '1 to 1000000 frames')])
def test_bad_choices_are_one_line(text: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        open_dataset(parse_spec(text))


def test_names_are_those_of_the_help() -> None:
    from fcn_seg_ros.cli import check_dataset, train
    for command in (train, check_dataset):
        words = set(re.split(r'[\s,()]+', command.build_parser().format_help()))
        assert {*SCENES, *CONDITIONS, *ASPECTS} <= words
