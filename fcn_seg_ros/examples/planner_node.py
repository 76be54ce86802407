# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A node that drives by the freespace of seg_node.

    python -m fcn_seg_ros.examples.planner_node --ros-args -p speed:=5.0

It subscribes to camera/road/freespace (sensor_msgs/LaserScan, whose frame base_link lies below the
middle of the rear axle) and odom (nav_msgs/Odometry), and publishes path (nav_msgs/Path) and
cmd_vel (geometry_msgs/TwistStamped, with the stamp of the scan). Without scans or without odometry
it commands zero.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import Pose, PoseStamped, TwistStamped
from nav_msgs.msg import Odometry, Path
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Header

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.examples.planner import Plan, Planner, PlannerOptions, Scan
from fcn_seg_ros.messages import stamp_ns

# A scan older than this is not driven on, seconds.
MAX_AGE = 0.5


class PlannerNode(Node):
    """Turns each scan into a path and a command."""

    def __init__(self) -> None:
        """Subscribe and publish."""
        super().__init__('planner')
        # With dynamic typing `speed:=5` will do for 5.0.
        anything = ParameterDescriptor(dynamic_typing=True)
        values = {option.name: _number(option.name, self.declare_parameter(
            option.name, option.default, anything).value)
            for option in dataclasses.fields(PlannerOptions)}
        self.planner = Planner(PlannerOptions(**values))
        self._odometry: Odometry | None = None
        self._last: Header | None = None
        self._commands = self.create_publisher(TwistStamped, 'cmd_vel', 10)
        self._paths = self.create_publisher(Path, 'path', 10)
        self.create_subscription(Odometry, 'odom', self._on_odometry, 10)
        self.create_subscription(LaserScan, 'camera/road/freespace', self._on_scan, 1)
        self.create_timer(0.1, self._watch)

    def _on_odometry(self, message: Odometry) -> None:
        self._odometry = message

    def _on_scan(self, message: LaserScan) -> None:
        """Plan and publish."""
        last, self._last = self._last, message.header
        motion = self._motion(message.header)
        if motion is None:
            self._stop(message.header, 'odometry with a speed')
            return
        seconds = 0.0 if last is None else (stamp_ns(message.header) - stamp_ns(last)) / 1e9
        ranges = np.asarray(message.ranges, np.float64)
        bearings = message.angle_min + message.angle_increment * np.arange(len(ranges))
        scan = Scan(bearings, ranges, message.range_min, message.range_max)
        plan = self.planner.plan(scan, *motion, seconds)
        self._paths.publish(path_message(plan, message.header))
        self._command(message.header, plan.speed, plan.yaw_rate)

    def _motion(self, header: Header) -> tuple[float, float] | None:
        """Return speed and yaw rate at the time of a scan, None if they are not known."""
        if self._odometry is None:
            return None
        age = (stamp_ns(header) - stamp_ns(self._odometry.header)) / 1e9
        twist = self._odometry.twist.twist
        motion = twist.linear.x, twist.angular.z
        return motion if abs(age) < MAX_AGE and np.isfinite(motion).all() else None

    def _watch(self) -> None:
        """Stop if scans no longer come."""
        if self._last is None:
            return
        now = self.get_clock().now()
        age = (now.nanoseconds - stamp_ns(self._last)) / 1e9
        # In the future, too: time has jumped back.
        if abs(age) >= MAX_AGE:
            self._stop(Header(stamp=now.to_msg(), frame_id=self._last.frame_id), 'freespace')

    def _stop(self, header: Header, missing: str) -> None:
        self.get_logger().warning(f'no {missing} for {MAX_AGE:g} s: stopping',
                                  throttle_duration_sec=5.0)
        self._command(header, 0.0, 0.0)

    def _command(self, header: Header, speed: float, yaw_rate: float) -> None:
        message = TwistStamped(header=header)
        message.twist.linear.x, message.twist.angular.z = float(speed), float(yaw_rate)
        self._commands.publish(message)


def _number(name: str, value: Any) -> float:
    """Return a parameter's value; raises InputError unless it is a finite number above 0."""
    if type(value) not in (int, float) or not 0.0 < value < math.inf:
        raise InputError(f'parameter {name}: expected a number above 0, found {value!r}')
    return float(value)


def path_message(plan: Plan, header: Header) -> Path:
    """Return a plan's path, in the frame of the scan."""
    message = Path(header=header)
    for x, y, direction in plan.path.tolist():
        pose = Pose()
        pose.position.x, pose.position.y = x, y
        pose.orientation.z, pose.orientation.w = np.sin(direction / 2), np.cos(direction / 2)
        message.poses.append(PoseStamped(header=header, pose=pose))
    return message


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is interrupted."""
    rclpy.init(args=None if args is None else list(args))
    try:
        with suppress(KeyboardInterrupt, ExternalShutdownException):
            rclpy.spin(PlannerNode())
    except InputError as error:
        print(f'planner: error: {error}', file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
