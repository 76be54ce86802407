# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The example planner, driven without ROS along straight roads of known geometry."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from fcn_seg_ros.examples.planner import Planner, PlannerOptions, Scan
from fcn_seg_ros.examples.vehicle import Bicycle, Vehicle

BEARINGS = np.radians(np.arange(-37.0, 37.01, 0.5))
RANGES = np.arange(5.1, 40.0, 0.1)
PERIOD = 0.1


@dataclass
class Street:
    """A straight road from y = right to left, with blocks on it (x, y from, to) and an opening."""

    right: float = -3.5
    left: float = 3.5
    blocks: list[tuple[float, float, float, float]] = field(default_factory=list)
    opening: tuple[float, float] = (0.0, 0.0)

    def is_free(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return whether points are road that nothing stands on."""
        free = (y > self.right) & (y < self.left)
        free |= (x > self.opening[0]) & (x < self.opening[1]) & (y <= self.right)
        for x_from, x_to, y_from, y_to in self.blocks:
            free &= ~((x > x_from) & (x < x_to) & (y > y_from) & (y < y_to))
        return free


class Drive:
    """A vehicle on a street that follows its planner; ``pose`` is x, y and direction."""

    def __init__(self, street: Street, y: float, options: PlannerOptions | None = None) -> None:
        self.street, self.planner = street, Planner(options)
        self.bicycle = Bicycle(Vehicle())
        self.pose = np.array([0.0, y, 0.0])
        self.first = True
        self.stopped = 0

    def scan(self) -> Scan:
        """Return what the vehicle sees."""
        x, y, direction = self.pose
        angle = direction + BEARINGS[:, None]
        free = self.street.is_free(x + RANGES * np.cos(angle), y + RANGES * np.sin(angle))
        ranges = np.where(free.all(axis=1), np.inf, RANGES[free.argmin(axis=1)])
        ranges[~free[:, 0]] = np.nan
        return Scan(BEARINGS, ranges, 5.1, 40.0)

    def step(self):
        """Plan, and drive for a period."""
        speed = self.bicycle.speed
        plan = self.planner.plan(self.scan(), speed, speed * self.bicycle.curvature,
                                 0.0 if self.first else PERIOD)
        self.first = False
        self.bicycle.command(plan.speed, plan.yaw_rate, PERIOD)
        gone = self.bicycle.speed * PERIOD
        turned = gone * self.bicycle.curvature
        self.pose += (gone * np.cos(self.pose[2]), gone * np.sin(self.pose[2]), turned)
        return plan

    def run(self, seconds: float, until: float = np.inf) -> None:
        """Drive for a time or up to an x; the vehicle must stay on free road throughout."""
        x, y = np.meshgrid(np.linspace(-0.9, 3.6, 10), np.linspace(-0.9, 0.9, 5))
        for _ in range(round(seconds / PERIOD)):
            self.step()
            c, s = np.cos(self.pose[2]), np.sin(self.pose[2])
            assert self.street.is_free(self.pose[0] + c * x - s * y,
                                       self.pose[1] + s * x + c * y).all(), self.pose
            if self.pose[0] > until:
                return

    @property
    def front(self) -> float:
        """Return x of the front bumper."""
        return float(self.pose[0] + self.planner.vehicle.front)


@pytest.mark.parametrize('y', [-2.0, 0.0, 1.5])
def test_it_drives_on_the_right_at_its_speed(y):
    drive = Drive(Street(), y)
    drive.run(14.0)
    assert drive.pose[1] == pytest.approx(-3.5 + 0.8 + 0.9, abs=0.15)
    assert abs(drive.pose[2]) < 0.03
    assert drive.bicycle.speed == pytest.approx(7.0, abs=0.1)


def test_it_stops_for_a_vehicle_in_its_way_and_drives_on():
    car = (45.0, 49.5, -2.7, -0.9)
    drive = Drive(Street(blocks=[car]), -1.8)
    drive.run(15.0)
    assert drive.bicycle.speed == 0.0
    assert 3.0 < car[0] - drive.front < 5.5
    drive.street.blocks.clear()
    drive.run(8.0)
    assert drive.front > car[1] + 5.0


def test_it_follows_a_vehicle_without_touching_it():
    drive = Drive(Street(blocks=[(20.0, 24.5, -2.7, -0.9)]), -1.8)
    for number in range(150):
        x = 20.0 + 0.3 * number
        drive.street.blocks[0] = (x, x + 4.5, -2.7, -0.9)
        drive.run(PERIOD)
    assert x - drive.front < 9.0
    assert drive.bicycle.speed == pytest.approx(3.0, abs=0.8)


def test_it_passes_a_parked_car_with_clearance():
    drive = Drive(Street(right=-5.5, left=5.5, blocks=[(40.0, 44.5, -5.3, -3.5)]), -3.8)
    highest = -np.inf
    drive.run(1.0)
    while drive.front < 60.0:
        drive.run(PERIOD)
        assert drive.bicycle.speed > 0.5
        if 40.0 < drive.front < 49.0:
            highest = max(highest, drive.pose[1])
    assert -3.5 + 0.3 + 0.9 < highest < -0.9  # beside the car, on the right half


def test_it_does_not_stop_for_oncoming_traffic():
    drive = Drive(Street(), -1.8)
    drive.run(6.0)
    for number in range(50):
        x = 75.0 - 0.8 * number
        drive.street.blocks[:] = [(x, x + 4.5, 0.8, 2.6)]
        drive.run(PERIOD)
        assert drive.bicycle.speed > 4.0


def test_it_passes_a_side_road():
    drive = Drive(Street(opening=(35.0, 42.0)), -1.8)
    drive.run(12.0, until=60.0)
    assert drive.pose[0] > 60.0
    assert drive.pose[1] == pytest.approx(-1.8, abs=0.3)


def test_a_closed_road_ends_the_drive():
    drive = Drive(Street(blocks=[(45.0, 46.0, -9.0, 9.0)]), -1.8)
    drive.run(15.0)
    assert drive.bicycle.speed == 0.0
    assert 3.0 < 45.0 - drive.front < 5.5


@pytest.mark.parametrize('ranges', [np.full(len(BEARINGS), np.nan), np.empty(0)])
def test_where_no_road_is_seen_it_stands(ranges):
    scan = Scan(BEARINGS[:len(ranges)], ranges, 5.1, 40.0)
    plan = Planner().plan(scan, 5.0, 0.0, PERIOD)
    assert plan.speed == 0.0
    assert plan.free == 0.0


def test_a_road_that_disappears_stops_it():
    drive = Drive(Street(), -1.8)
    drive.run(6.0)
    drive.street.blocks[:] = [(-1000.0, 1000.0, -50.0, 50.0)]
    plan = drive.step()
    assert plan.speed == 0.0


@pytest.mark.parametrize('seconds', [-1.0, 60.0])
def test_after_a_jump_in_time_it_starts_afresh(seconds):
    drive = Drive(Street(), -1.8)
    drive.run(3.0)
    other = Drive(Street(right=-6.0, left=2.0), -1.8)
    plan = drive.planner.plan(other.scan(), 5.0, 0.0, seconds)
    assert plan.path[-1, 1] < -1.0  # towards the new right edge


def test_a_slower_vehicle_is_not_left_behind_by_its_command():
    planner, scan = Planner(), Drive(Street(), -1.8).scan()
    speeds = [planner.plan(scan, 0.5, 0.0, PERIOD).speed for _ in range(50)]
    assert max(speeds) < 0.5 + 1.0 + 0.2
