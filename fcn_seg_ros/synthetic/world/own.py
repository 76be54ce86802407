# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The camera's own car: its bonnet, seen at the lower edge of the image, and its headlights."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane
from fcn_seg_ros.synthetic.world.cameras import Mount
from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.mesh import Mesh, sheet
from fcn_seg_ros.synthetic.world.raster import OWN
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.vehicles import paint


class Bonnet:
    """A bonnet whose front edge appears at a random image row."""

    def __init__(self, mount: Mount, rng: np.random.Generator) -> None:
        self._visible = float(rng.uniform(0.03, 0.24))
        self._front = float(rng.uniform(1.1, 2.3))
        self._half = float(rng.uniform(0.65, 0.95))
        self._side = float(rng.normal(0, 0.25))
        self._bulge = float(rng.uniform(0.04, 0.2))
        self._power = float(rng.uniform(1.6, 3.5))
        self._round = float(rng.uniform(0.15, 0.45))
        self._crease = float(rng.uniform(-0.02, 0.05))
        self._gloss = float(rng.uniform(0.4, 1.0))
        self._colour = paint(rng, 0.4)
        self._mount = mount

    def draw(self, scene: Scene, plane: GroundPlane) -> None:
        """Add it to a scene, in front of everything else."""
        mesh = self._mesh(plane)
        if mesh is None:
            return
        row = material(self._colour, SceneClass.OWN_VEHICLE, self._gloss, 'grime', 1.5)
        scene.things.add(mesh, row[None], layer=OWN)

    def _mesh(self, plane: GroundPlane) -> Mesh | None:
        lens = self._mount.lens
        camera = lens.camera
        row = camera.height * (1 - self._visible)
        x, y = lens.rays(np.array(camera.cx), np.array(row))
        _, down, forward = plane.rotation.T @ np.array([float(x), float(y), 1.0])
        top = plane.height - down / max(forward, 0.1) * self._front
        if not 0.1 < top < plane.height - 0.12:
            return None
        across = np.linspace(-1, 1, 17)
        along = np.linspace(0.0, 1.0, 9)
        edge = 1 - self._round * np.abs(across) ** self._power
        rows = []
        for t in along:
            z = 0.25 + (self._front * edge - 0.25) * t
            lift = self._bulge * (1 - np.abs(across) ** self._power)
            ridge = self._crease * np.exp(-((np.abs(across) - 0.6) / 0.12) ** 2)
            slope = 0.10 * (1 - t) - 0.10 * np.clip((t - 0.8) / 0.2, 0, 1) ** 2
            y_at = top + lift + ridge + slope - 0.3 * np.clip(np.abs(across) - 0.9, 0, 1)
            width = self._half * (1 - 0.12 * t ** 2)
            rows.append(np.stack([self._side * 0.5 + across * width, y_at, z], axis=1))
        points = np.array(rows)
        points[..., 1] = np.minimum(points[..., 1], plane.height - 0.1)
        return sheet(points, 0)
