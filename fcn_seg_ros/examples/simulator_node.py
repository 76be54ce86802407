# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The simulated vehicle as a ROS node, in lock step with what it drives by.

It publishes camera/image_raw, camera/camera_info, odom and /clock, and waits for the command that
carries the image's stamp before it moves on: simulated time stands still while others compute.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import OccupancyGrid, Odometry, Path
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from fcn_seg_ros.drives.drive import Calibration
from fcn_seg_ros.drives.messages import calibration_to_camera_info
from fcn_seg_ros.drives.rendered import START_NS
from fcn_seg_ros.examples.simulation import Simulation
from fcn_seg_ros.messages import stamp_ns, to_header, to_rgb8

ANSWERS = {'command': (TwistStamped, 'cmd_vel'), 'path': (Path, 'path'),
           'mask': (Image, 'camera/road/mask'), 'overlay': (Image, 'camera/road/overlay'),
           'grid': (OccupancyGrid, 'camera/road/grid')}
_QOS = QoSProfile(depth=10)
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# A frame of which nothing comes back is sent again once after this share of the patience.
_AGAIN = 0.3


@dataclass(frozen=True)
class Step:
    """A frame, and the messages with its stamp that came back, by the names in ANSWERS."""

    image: np.ndarray
    answers: dict[str, Any]


class SimulatorNode(Node):
    """Publishes what the vehicle senses and collects what comes back for it."""

    def __init__(self, simulation: Simulation, wanted: tuple[str, ...], context: Context) -> None:
        super().__init__('simulator', context=context)
        self.simulation = simulation
        self._answers: dict[int, dict[str, Any]] = {}
        self._came = threading.Condition()
        self._clock_publisher = self.create_publisher(Clock, '/clock', _QOS)
        self._images = self.create_publisher(Image, 'camera/image_raw', _QOS)
        self._infos = self.create_publisher(CameraInfo, 'camera/camera_info', _LATCHED)
        self._odometry = self.create_publisher(Odometry, 'odom', _QOS)
        self.wanted = wanted
        self._listened = [self.create_subscription(
            kind, topic, lambda message, name=name: self._keep(name, message), _QOS)
            for name, (kind, topic) in ANSWERS.items() if name in wanted]

    def ready(self) -> bool:
        """Return whether somebody takes the images, and somebody sends each answer."""
        return (self._images.get_subscription_count() > 0
                and self._odometry.get_subscription_count() > 0
                and all(each.get_publisher_count() > 0 for each in self._listened))

    def tell_time(self) -> None:
        """Publish clock and camera_info."""
        header = self._header('camera')
        self._clock_publisher.publish(Clock(clock=header.stamp))
        calibration = Calibration.from_pinhole(self.simulation.drive.camera)
        self._infos.publish(calibration_to_camera_info(calibration, header))

    def exchange(self, patience: float, stopped: Callable[[], bool]) -> Step:
        """Publish a frame and wait for its answers, at most ``patience`` seconds."""
        image, _ = self.simulation.picture()
        header = self._header('camera')
        sent = False
        start = time.monotonic()
        with self._came:
            answers = self._answers.setdefault(stamp_ns(header), {})
        self._publish(image, header)
        while not stopped() and len(answers) < len(self.wanted):
            passed = time.monotonic() - start
            if passed > patience:
                break
            if not sent and not answers and passed > _AGAIN * patience:
                self._publish(image, header)
                sent = True
            with self._came:
                self._came.wait(0.05)
        with self._came:
            self._answers.clear()
        return Step(image, dict(answers))

    def _publish(self, image: np.ndarray, header: Header) -> None:
        self.tell_time()
        self._odometry.publish(self._odometry_message())
        self._images.publish(to_rgb8(image, header))

    def _header(self, frame: str) -> Header:
        return to_header(START_NS + round(self.simulation.time * 1e9), frame)

    def _odometry_message(self) -> Odometry:
        x, y, direction = self.simulation.pose.tolist()
        message = Odometry(header=self._header('odom'), child_frame_id='base_link')
        pose = message.pose.pose
        pose.position.x, pose.position.y = x, y
        pose.orientation.z, pose.orientation.w = math.sin(direction / 2), math.cos(direction / 2)
        message.twist.twist.linear.x = float(self.simulation.bicycle.speed)
        message.twist.twist.angular.z = float(self.simulation.yaw_rate)
        return message

    def _keep(self, name: str, message: Any) -> None:
        with self._came:
            waiting = self._answers.get(stamp_ns(message.header))
            if waiting is not None:
                waiting[name] = message
                self._came.notify_all()
