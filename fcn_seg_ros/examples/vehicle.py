# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The vehicle of the examples: its size, and how it moves as it is steered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Vehicle:
    """A car, in metres from the middle of its rear axle, which is the origin of base_link."""

    front: float = 3.6
    rear: float = 0.9
    width: float = 1.8
    wheelbase: float = 2.7
    steering: float = 0.55
    """Largest angle of the front wheels, rad."""

    @property
    def outline(self) -> np.ndarray:
        """Return its corners, float64 (4, 2): metres forward and to the right."""
        half = self.width / 2
        return np.array([[-self.rear, -half], [self.front, -half], [self.front, half],
                         [-self.rear, half]])

    @property
    def most_curved(self) -> float:
        """Return the largest curvature that it can drive, 1/m."""
        return float(np.tan(self.steering)) / self.wheelbase


@dataclass
class Bicycle:
    """
    The kinematic bicycle: speed and steering angle follow a command no faster than they can.

    ``speed`` in m/s; ``angle`` of the front wheels in rad, positive to the left.
    """

    vehicle: Vehicle
    speed: float = 0.0
    angle: float = 0.0
    acceleration: float = 2.5
    braking: float = 6.0
    steering_rate: float = 0.6

    @property
    def curvature(self) -> float:
        """Return the curvature of the way of the rear axle, 1/m, positive to the left."""
        return float(np.tan(self.angle)) / self.vehicle.wheelbase

    def command(self, speed: float, yaw_rate: float, seconds: float) -> None:
        """Change speed and angle as commanded (m/s, rad/s to the left) for some seconds."""
        if speed > 0.05:
            wanted = float(np.arctan(self.vehicle.wheelbase * yaw_rate / speed))
            limit = self.vehicle.steering
            step = self.steering_rate * seconds
            self.angle += float(np.clip(np.clip(wanted, -limit, limit) - self.angle, -step, step))
        self.speed += float(np.clip(max(speed, 0.0) - self.speed, -self.braking * seconds,
                                    self.acceleration * seconds))
