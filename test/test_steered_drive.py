# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A rendered road on which the camera is steered: motion, traffic and distances."""

from __future__ import annotations

import numpy as np
import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.examples.simulation import CAMERA_X, PERIOD_S, Simulation
from fcn_seg_ros.examples.vehicle import Bicycle, Vehicle
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.synthetic.suburb.steered import Mover, Spot, SteeredDrive, distance

SMALL = PinholeCamera(160, 90, 100.0, 100.0, 79.5, 44.5)
SEED = 10026
SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@pytest.mark.parametrize(('moved', 'expected'), [
    ((3.0, 0.0), 2.0), ((0.5, 0.5), 0.0), ((1.0, 0.0), 0.0), ((4.0, 5.0), 5.0), ((0.0, -1.5), 0.5)])
def test_the_distance_of_polygons(moved, expected):
    assert distance(SQUARE, SQUARE + moved) == pytest.approx(expected)
    assert distance(SQUARE + moved, SQUARE) == pytest.approx(expected)


def test_crossing_polygons_touch_though_no_corner_is_inside():
    across = np.array([[-1.0, 0.4], [2.0, 0.4], [2.0, 0.6], [-1.0, 0.6]])
    assert distance(SQUARE, across) == 0.0


def test_a_mover_stands_and_then_speeds_up():
    mover = Mover(50.0, False, 8.0, starts=10.0, ramp=4.0)
    assert [mover.at(t) for t in (0.0, 10.0, 14.0, 16.0)] == [50.0, 50.0, 66.0, 82.0]
    assert Mover(50.0, True, -8.0).at(2.0) == 34.0
    assert Mover(50.0, False, 8.0, np.inf).at(1e6) == 50.0


def test_odometry_and_the_place_on_the_road_agree_in_curves():
    simulation = Simulation(SEED, camera=SMALL)
    start, view = simulation.spot, simulation.drive.view(simulation.spot)
    for number in range(60):
        simulation.advance(7.0, 0.25 * np.sin(number / 6))
    x, y, direction = simulation.pose
    right, forward, turned = view.place(simulation.spot.s - start.s, simulation.spot.d)
    assert simulation.report.driven > 25.0
    assert (forward, -right) == (pytest.approx(x, abs=0.1), pytest.approx(y, abs=0.1))
    assert turned + simulation.spot.yaw == pytest.approx(-direction, abs=0.01)


def test_the_camera_is_in_front_of_the_rear_axle():
    drive = SteeredDrive(SEED, SMALL)
    spot = drive.moved(Spot(10.0, 1.0, 0.1), CAMERA_X)
    assert spot.s == pytest.approx(10.0 + CAMERA_X * np.cos(0.1), abs=0.03)
    assert spot.d == pytest.approx(1.0 + CAMERA_X * np.sin(0.1), abs=0.03)


def test_the_distance_to_the_edge_is_negative_beyond_it():
    drive, outline = SteeredDrive(SEED, SMALL), Vehicle().outline
    _, right = drive.view(Spot(30.0, 0.0, 0.0)).road.edges(30.0)
    inside = drive.to_edge(Spot(30.0, float(right) - 2.0, 0.0), outline)
    assert inside == pytest.approx(1.1, abs=0.15)
    assert drive.to_edge(Spot(30.0, float(right), 0.0), outline) == pytest.approx(-0.9, abs=0.15)


def test_a_vehicle_ahead_is_seen_and_measured():
    drive = SteeredDrive(SEED, SMALL, [Mover(20.0, False, 0.0)])
    spot = Spot(8.0, drive.style.lane, 0.0)
    car = drive.cars(spot.s, 0.0)[-1]
    gap = 12.0 - Vehicle().front - car.car.length / 2
    assert drive.to_vehicle(spot, Vehicle().outline, 0.0) == pytest.approx(gap, abs=0.2)
    empty = SteeredDrive(SEED, SMALL)
    image, road = drive.frame(spot, 0.0, 0)
    _, free = empty.frame(spot, 0.0, 0)
    assert image.shape == (90, 160, 3)
    assert np.count_nonzero(free) - np.count_nonzero(road) > 100
    assert np.array_equal(image, drive.frame(spot, 0.0, 0)[0])


def test_a_vehicle_stops_counts():
    simulation = Simulation(SEED, camera=SMALL)
    for speed in (3.0, 0.0, 3.0, 0.0):
        for _ in range(15):
            simulation.advance(speed, 0.0)
    assert simulation.report.stops == 2
    assert simulation.time == pytest.approx(60 * PERIOD_S)


def test_the_bicycle_obeys_its_limits():
    bicycle = Bicycle(Vehicle())
    bicycle.command(10.0, 0.0, 0.1)
    assert bicycle.speed == pytest.approx(0.25)
    bicycle.speed = 5.0
    bicycle.command(5.0, 50.0, 0.1)
    assert bicycle.angle == pytest.approx(0.06)
    for _ in range(50):
        bicycle.command(5.0, 50.0, 0.1)
    assert bicycle.curvature == pytest.approx(Vehicle().most_curved)


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match='seed must not be negative'):
        SteeredDrive(-1, SMALL)
