# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A rendered drive: frames of a synthetic road whose true mask and geometry are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.suburb.road import RoadView
from fcn_seg_ros.synthetic.suburb.style import Style, sample_style
from fcn_seg_ros.synthetic.suburb.world import World, generator, world


@dataclass(frozen=True)
class RenderedFrame:
    """
    One frame of a rendered drive.

    ``image`` is uint8 RGB (H, W, 3); ``road`` uint8 (H, W), 1 where the pixel shows the road's
    surface (including markings and shadows, but not vehicles, kerb, pavement or verge), else 0.
    ``plane`` is the ground as the camera sees it, ``time`` seconds since the drive began.
    """

    image: np.ndarray
    road: np.ndarray
    camera: PinholeCamera
    plane: GroundPlane
    time: float
    view: RoadView = field(repr=False)

    def edges(self, z: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """
        Return ``x`` of the road's left and right edge at ``z``, in metres (1-d each).

        Ground coordinates of GroundPlane: from the point below the camera, x to the right. NaN
        where the road is unknown (z <= 0, z > 150 m) or, at side roads, wider than 40 m.
        """
        return self.view.edges(z)


class RenderedDrive:
    """
    A drive along a road generated from a seed: a sequence of RenderedFrame.

    ``drive[i]`` depends on ``seed``, ``i``, ``rate_hz`` and ``camera`` only. Everything in it is
    fixed to the ground or moves steadily, so consecutive frames make a video. The object is small:
    the world it shows (about 40 MB, 0.4 s to make) is cached for the last few seeds only, so render
    drive after drive rather than alternating between many. The camera nods and rolls a little,
    unless it is ``steady``: then it keeps one pose over the ground.
    """

    def __init__(self, seed: int, length: int = 100, rate_hz: float = 10.0,
                 camera: PinholeCamera | None = None, steady: bool = False) -> None:
        if length < 1:
            raise InputError(f'rendered drive: length must be at least 1 frame, got {length}')
        if not (np.isfinite(rate_hz) and rate_hz > 0):
            raise InputError(f'rendered drive: rate_hz must be a positive number, got {rate_hz}')
        if seed < 0:
            raise InputError(f'rendered drive: seed must not be negative, got {seed}')
        self.camera = camera if camera is not None else PinholeCamera.kitti()
        if self.camera.width < 16 or self.camera.height < 16:
            raise InputError('rendered drive: the camera must have at least 16x16 pixels, got '
                             f'{self.camera.width}x{self.camera.height}')
        self.seed, self.length, self.rate_hz = int(seed), int(length), float(rate_hz)
        self.steady = steady

    @property
    def style(self) -> Style:
        """Return the style generated for this drive."""
        return self._world.style

    @property
    def ground(self) -> GroundPlane:
        """Return the ground as a steady camera sees it."""
        return GroundPlane(sample_style(generator(self.seed, 0)).camera_height)

    @property
    def _world(self) -> World:
        return world(self.seed)

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.length

    def __iter__(self) -> Iterator[RenderedFrame]:
        """Yield the frames in order."""
        return (self[i] for i in range(self.length))

    def __getitem__(self, index: int) -> RenderedFrame:
        """Render and return frame ``index``; negative ones count from the end."""
        if not -self.length <= index < self.length:
            raise IndexError(f'frame {index} of a rendered drive of {self.length} frames')
        scene = self._world
        time = (index % self.length) / self.rate_hz
        view, plane = scene.pose(time)
        if self.steady:
            plane = self.ground
        image, mask = scene.render(self.camera, view, plane, scene.cars(view.s, time),
                                   generator(self.seed, 9, index % self.length))
        return RenderedFrame(image, mask, self.camera, plane, time, view)
