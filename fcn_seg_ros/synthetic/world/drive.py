# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A drive through a rendered world: frames with image, road, classes and depth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import GroundPlane
from fcn_seg_ros.synthetic.world.backdrop import sample_backdrop
from fcn_seg_ros.synthetic.world.cameras import Mount, sample_mount
from fcn_seg_ros.synthetic.world.classes import road_labels
from fcn_seg_ros.synthetic.world.conditions import sample_conditions
from fcn_seg_ros.synthetic.world.eyes import Eyes
from fcn_seg_ros.synthetic.world.frame import FrameRenderer
from fcn_seg_ros.synthetic.world.ground import view_of
from fcn_seg_ros.synthetic.world.lens import Lens
from fcn_seg_ros.synthetic.world.lights import headlights
from fcn_seg_ros.synthetic.world.own import Bonnet
from fcn_seg_ros.synthetic.world.scenes import SCENES
from fcn_seg_ros.synthetic.world.sensor import develop, sample_sensor
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.traffic import populate


@dataclass(frozen=True)
class WorldFrame:
    """
    One frame of a rendered world.

    ``image`` is uint8 RGB (H, W, 3); ``road`` uint8 (H, W): 1 road, 0 not, 255 parking bays;
    ``classes`` uint8 (H, W), SceneClass; ``depth`` float32 (H, W), metres along the optical axis,
    inf in the sky. ``plane`` is the ground below the camera; z metres ahead the road is higher by
    crest z^2 / 2.
    """

    image: np.ndarray
    road: np.ndarray
    classes: np.ndarray
    depth: np.ndarray
    lens: Lens
    plane: GroundPlane
    crest: float
    world: str
    conditions: str


class _World:
    """All that is fixed during one drive."""

    def __init__(self, seed: int, world: str, conditions: str, aspect: str,
                 fov: float | None) -> None:
        def rng(part: int) -> np.random.Generator:
            return np.random.default_rng([seed, 40 + part])

        names = list(SCENES)
        shares = np.array([share for _, share in SCENES.values()])
        self.name = world if world != 'all' else str(rng(0).choice(names, p=shares / shares.sum()))
        self.sky = sample_conditions(rng(1), conditions)
        self.mount = sample_mount(rng(2), aspect, fov)
        self.place = SCENES[self.name][0](rng(3), self.sky)
        if self.mount.height > self.place.ceiling - 0.4:
            self.mount = _lowered(self.mount, self.place.ceiling - 0.4)
        self.backdrop = sample_backdrop(rng(4), self.place.backdrop, self.sky)
        self.sensor = sample_sensor(rng(5), self.sky)
        self.eyes = Eyes(self.mount.lens)
        self.bonnet = Bonnet(self.mount, rng(6)) if self.mount.bonnet else None
        self.start = float(rng(7).uniform(0, 100))


def _lowered(mount: Mount, height: float) -> Mount:
    return Mount(mount.lens, height, mount.pitch, mount.roll, mount.yaw, mount.bonnet)


@lru_cache(maxsize=2)
def _world(seed: int, world: str, conditions: str, aspect: str, fov: float | None) -> _World:
    return _World(seed, world, conditions, aspect, fov)


class WorldDrive:
    """
    A drive through a world generated from a seed: a sequence of WorldFrame.

    Everything depends only on the arguments. ``world`` is a name in SCENES or all, ``conditions``
    in CONDITIONS or all, ``aspect`` in ASPECTS or all; ``fov`` is the horizontal angle of view in
    degrees, None for any. Frames are ``step`` seconds apart; traffic is drawn at random for each.
    Raises InputError for arguments out of range.
    """

    def __init__(self, seed: int, length: int = 1, world: str = 'all', conditions: str = 'all',
                 aspect: str = 'all', fov: float | None = None, step: float = 2.5) -> None:
        if seed < 0 or length < 1:
            raise InputError(f'rendered world: expected a seed of at least 0 and a length of at '
                             f'least 1, found {seed} and {length}')
        if world != 'all' and world not in SCENES:
            raise InputError(f'rendered world: expected the world all or one of '
                             f'{", ".join(SCENES)}; found {world!r}')
        self._key = (seed, world, conditions, aspect, fov)
        sample_conditions(np.random.default_rng(0), conditions)
        sample_mount(np.random.default_rng(0), aspect, fov)
        self.seed, self.length, self.step = seed, length, step

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.length

    def __getitem__(self, index: int) -> WorldFrame:
        """Render and return frame ``index``; negative ones count from the end."""
        if not -self.length <= index < self.length:
            raise IndexError(f'frame {index} of a rendered drive of {self.length} frames')
        index %= self.length
        world = _world(*self._key)
        rng = np.random.default_rng([self.seed, 50, index])
        plane = _plane(world.mount, rng)
        scene = self._scene(world, index, rng)
        if world.bonnet is not None:
            world.bonnet.draw(scene, plane)
        renderer = FrameRenderer(scene, world.eyes, plane)
        classes, depth = renderer.truth()
        size = (world.mount.lens.camera.width, world.mount.lens.camera.height)
        image = develop(renderer.light(), size, world.sensor, rng)
        return WorldFrame(image, road_labels(classes), classes, depth, world.mount.lens, plane,
                          world.place.ground.crest, world.name, world.sky.name)

    def _scene(self, world: _World, index: int, rng: np.random.Generator) -> Scene:
        place = world.place
        s = world.start + place.speed * self.step * index
        drift = float(rng.normal(0, 0.3))
        d = place.lanes[place.own].d + drift
        yaw = world.mount.yaw + float(rng.normal(0, 0.02))
        scene = Scene(place.ground, view_of(place.bends, s, d, yaw), world.sky, world.backdrop)
        place.furnish(scene, self.seed)
        if world.sky.lamps or place.covered:
            nose = (float(rng.normal(0, 0.1)), 0.5)
            strength = 50.0 if world.sky.dark else 3.0
            scene.lamps += headlights(0.65, -yaw, strength, nose)
        camera = world.mount.lens.camera
        half_view = float(np.arctan(camera.width / 2 / camera.fx))
        populate(scene, place, rng, world.mount.height, half_view)
        return scene


def _plane(mount: Mount, rng: np.random.Generator) -> GroundPlane:
    """Return the ground as seen by the camera of a bouncing car."""
    return GroundPlane(mount.height * float(rng.normal(1, 0.01)),
                       mount.pitch + float(rng.normal(0, 0.008)),
                       mount.roll + float(rng.normal(0, 0.008)))
