# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A vehicle with a camera on a rendered road, and how close it comes to edges and vehicles."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.examples.vehicle import Bicycle, Vehicle
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.synthetic.suburb.steered import Mover, Spot, SteeredDrive

CAMERA = PinholeCamera(640, 360, 400.0, 400.0, 319.5, 179.5)
#: The camera is this far in front of the rear axle, metres.
CAMERA_X = 1.5
PERIOD_S = 0.1
_SUBSTEPS = 10
_STANDING = 0.05


@dataclass
class DriveReport:
    """What happened on a drive, in metres and seconds."""

    driven: float = 0.0
    seconds: float = 0.0
    to_edge: float = float('inf')
    to_vehicle: float = float('inf')
    stops: int = 0
    stop_gaps: list[float] = field(default_factory=list)
    most_turned: float = 0.0
    frames: int = 0
    missed: int = 0

    @property
    def clean(self) -> bool:
        """Return whether it neither left the road nor touched a vehicle."""
        return self.to_edge > 0.0 and self.to_vehicle > 0.0


class Simulation:
    """
    A vehicle that drives as it is told; time advances only with ``advance``.

    It starts at rest in the right lane. ``spot`` is where its rear axle is on the road, ``pose``
    the same as odometry has it: x, y (metres) and direction (rad, positive to the left), from the
    start.
    """

    def __init__(self, seed: int, movers: tuple[Mover, ...] = (), camera: PinholeCamera = CAMERA,
                 vehicle: Vehicle | None = None) -> None:
        self.vehicle = vehicle or Vehicle()
        self.bicycle = Bicycle(self.vehicle)
        self.drive = SteeredDrive(seed, camera, movers)
        self.spot = Spot(0.0, self.drive.style.lane, 0.0)
        self.pose = np.zeros(3)
        self.time = 0.0
        self.report = DriveReport()
        self._standing = True
        self._check()

    @property
    def camera_height(self) -> float:
        """Return the camera's mean height above the ground, metres."""
        return self.drive.style.camera_height

    @property
    def yaw_rate(self) -> float:
        """Return the turn, rad/s to the left."""
        return self.bicycle.speed * self.bicycle.curvature

    def picture(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the camera's image, uint8 RGB (H, W, 3), and the true mask, uint8 (H, W)."""
        return self.drive.frame(self.drive.moved(self.spot, CAMERA_X), self.time,
                                self.report.frames)

    def advance(self, speed: float, yaw_rate: float) -> None:
        """Drive for a period with a command, m/s and rad/s to the left."""
        step = PERIOD_S / _SUBSTEPS
        for _ in range(_SUBSTEPS):
            self.bicycle.command(speed, yaw_rate, step)
            self._move(step)
        self.report.frames += 1
        self.time = self.report.seconds = round(self.report.frames * PERIOD_S, 6)
        self._check()

    def _move(self, step: float) -> None:
        """Move in the plane, and along the road, whose coordinates bend with it."""
        gone, turned = self.bicycle.speed * step, self.yaw_rate * step
        middle = self.pose[2] + turned / 2
        self.pose += (gone * np.cos(middle), gone * np.sin(middle), turned)
        bend = self.drive.curvature(self.spot.s)
        yaw = self.spot.yaw - turned / 2
        along = gone * np.cos(yaw) / (1.0 - self.spot.d * bend)
        self.spot = dataclasses.replace(
            self.spot, s=self.spot.s + along, d=self.spot.d + gone * np.sin(yaw),
            yaw=self.spot.yaw - turned - along * bend)
        self.report.driven += gone

    def _check(self) -> None:
        """Update the report with the truth."""
        report, outline = self.report, self.vehicle.outline
        self.to_edge = self.drive.to_edge(self.spot, outline)
        report.to_edge = min(report.to_edge, self.to_edge)
        self.to_vehicle = self.drive.to_vehicle(self.spot, outline, self.time)
        report.to_vehicle = min(report.to_vehicle, self.to_vehicle)
        report.most_turned = max(report.most_turned, abs(self.bicycle.curvature))
        standing = self.bicycle.speed < _STANDING
        if standing and not self._standing:
            report.stops += 1
            report.stop_gaps.append(self.to_vehicle)
        self._standing = standing
