# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cameras that look at a rendered world: from bumper to cab, from tele to wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.world.lens import Lens

#: Image sizes by aspect ratio, all of about 390,000 pixels.
ASPECTS = {'4:3': (720, 540), '16:9': (832, 468), '21:9': (952, 408), 'kitti': (1242, 375)}
_SHARES = (0.25, 0.45, 0.15, 0.15)
FOV = (40.0, 120.0)


@dataclass(frozen=True)
class Mount:
    """A lens and its pose in the car: height in metres, angles in rad."""

    lens: Lens
    height: float
    pitch: float
    roll: float
    yaw: float
    bonnet: bool

    @property
    def plane(self) -> GroundPlane:
        """Return the ground below the camera."""
        return GroundPlane(self.height, self.pitch, self.roll)


def sample_mount(rng: np.random.Generator, aspect: str = 'all',
                 fov: float | None = None) -> Mount:
    """
    Return a random camera; ``fov`` is its horizontal angle of view in degrees.

    Raises InputError for an unknown aspect ratio or an angle outside FOV.
    """
    if aspect == 'all':
        aspect = str(rng.choice(list(ASPECTS), p=_SHARES))
    elif aspect not in ASPECTS:
        raise InputError(f'rendered world: expected the aspect all or one of '
                         f'{", ".join(ASPECTS)}; found {aspect!r}')
    drawn = float(rng.triangular(FOV[0], 65.0, FOV[1]))
    if fov is not None and not FOV[0] <= fov <= FOV[1]:
        raise InputError(f'rendered world: expected fov between {FOV[0]:g} and {FOV[1]:g} degrees, '
                         f'found {fov:g}')
    lens = _lens(rng, ASPECTS[aspect], np.deg2rad(drawn if fov is None else fov))
    kind = str(rng.choice(['windscreen', 'roof', 'bumper', 'cab'], p=[0.62, 0.16, 0.1, 0.12]))
    low, high = {'windscreen': (1.1, 1.55), 'roof': (1.5, 2.1), 'bumper': (0.4, 0.9),
                 'cab': (1.9, 3.0)}[kind]
    height = float(rng.uniform(low, high))
    # The horizon may lie anywhere between the upper and the lower third.
    half = np.arctan(lens.camera.height / 2 / lens.camera.fy)
    aim = float(rng.normal(0.06, 0.22)) * half + (0.25 * half if kind == 'cab' else 0.0)
    pitch = float(np.clip(aim, -0.45 * half, 0.7 * half))
    return Mount(lens, height, pitch, float(rng.normal(0, 0.012)), float(rng.normal(0, 0.03)),
                 bool(kind == 'windscreen' and rng.random() < 0.6))


def _lens(rng: np.random.Generator, size: tuple[int, int], fov: float) -> Lens:
    """Return a lens with a horizontal field of view of ``fov`` rad; wide ones distort more."""
    width, height = size
    cx = width / 2 - 0.5 + float(rng.normal(0, 0.012)) * width
    cy = height / 2 - 0.5 + float(rng.normal(0, 0.02)) * height
    fisheye = fov > 1.6 or (fov > 1.2 and rng.random() < 0.4)
    kind = rng.random()
    k1 = 0.0
    if fisheye and kind < 0.75:
        model, k1 = 'equidistant', float(rng.uniform(-0.03, 0.12))
        edge = fov / 2 * (1 + k1 * (fov / 2) ** 2)
    else:
        model = 'plumb_bob'
        far = np.tan(fov / 2) * np.hypot(1, height / width)
        if kind > 0.4:
            k1 = float(rng.uniform(-0.9, 0.15)) * 0.28 / max(far, 0.4) ** 2
        edge = np.tan(fov / 2) * (1 + k1 * np.tan(fov / 2) ** 2)
    focal = width / 2 / edge
    corner = np.hypot(max(cx, width - cx), max(cy, height - cy)) / focal
    camera = PinholeCamera(width, height, focal, focal * float(rng.normal(1, 0.004)), cx, cy)
    return Lens(camera, model, k1, 0.0, _reach(model, k1, corner))


def _reach(model: str, k1: float, corner: float) -> float:
    """Return slightly more than the undistorted radius at an image's corner."""
    radius = np.linspace(0, 4.0, 4000)
    a = radius if model == 'plumb_bob' else np.arctan(radius)
    distorted = a * (1 + k1 * a * a)
    rising = np.flatnonzero(np.diff(distorted) <= 1e-6)
    last = int(rising[0]) if rising.size else len(radius) - 1
    found = int(np.searchsorted(distorted[:last], corner * 1.03))
    return float(radius[min(max(found, 1), last - 1)])
