# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One camera: its subscriptions and publishers, both on demand."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.timer import Timer
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros.ground.horizon_watch import HorizonWatch
from fcn_seg_ros.inference.monitor import PictureMonitor
from fcn_seg_ros.node.cpu_latency import CpuLatency
from fcn_seg_ros.node.depth_watch import DepthWatch
from fcn_seg_ros.node.frame_slot import Counts, FrameSlots
from fcn_seg_ros.node.grid_memory import GridMemory
from fcn_seg_ros.node.ground_source import GroundSource
from fcn_seg_ros.node.health import CameraHealth
from fcn_seg_ros.node.image_input import ImageInput
from fcn_seg_ros.node.info_input import InfoInput
from fcn_seg_ros.node.odometry import Odometry
from fcn_seg_ros.node.outputs.publishers import CameraOutputs, Outputs
from fcn_seg_ros.node.poses import Poses
from fcn_seg_ros.node.publish import HAS_MATCHED_EVENT, POLL_PERIOD_S
from fcn_seg_ros.node.publisher_watch import PublisherWatch
from fcn_seg_ros.node.settings import Settings
from fcn_seg_ros.node.statistics import RecentTimes


@dataclass(frozen=True)
class Frame:
    """
    A serialised image message of type ``kind``, taken from the middleware at ``taken``.

    ``taken`` is in monotonic seconds. The worker deserialises the message, so a broken one is
    counted, and one replaced by a newer frame costs nothing.
    """

    serialised: bytes
    kind: type
    taken: float


@dataclass(frozen=True)
class Vehicle:
    """What a node knows of the vehicle: where the cameras stand in it, and how it moves."""

    poses: Poses
    odometry: Odometry


class CameraChannel:
    """
    The subscriptions, publishers and times of one camera.

    While active, it subscribes to images and camera info as long as somebody subscribes to one of
    its outputs, and meanwhile holds the limit on CPU ``latency``. Frames go to ``slots``. Call
    methods on the executor's thread; ``image_shape``, ``network_shape``, ``depth``, ``monitor`` and
    ``horizon`` belong to the worker.
    """

    def __init__(self, node: LifecycleNode, name: str, settings: Settings, slots: FrameSlots,
                 latency: CpuLatency, vehicle: Vehicle, shared: Outputs) -> None:
        camera = settings.cameras[name]
        self.name = name
        self.times = RecentTimes()
        self.monitor = PictureMonitor()
        self.horizon = HorizonWatch()
        self.image_shape: tuple[int, int] | None = None
        self.network_shape: tuple[int, int] | None = None
        self.depth = DepthWatch()
        self._node = node
        self._slots = slots
        self._latency = latency
        self._vehicle = vehicle
        self._odometry_topic = settings.odometry_topic
        self._memory = GridMemory(name, vehicle.odometry)
        self._active = False
        self._settings = settings
        self._poll_timer: Timer | None = None
        self.images = ImageInput(node, camera.topic, camera.transport, settings.reliability,
                                 self._on_frame)
        # In the image topic's namespace, as for image_transport's camera publishers.
        image_topic = node.resolve_topic_name(camera.topic)
        self.info_topic: str = f'{image_topic.rpartition("/")[0]}/camera_info'
        self._info = InfoInput(node, self.info_topic)
        self.publishers = PublisherWatch(node, self.images.topic, self.images.type_name)
        self.outputs = CameraOutputs(node, name, settings, self.update, shared.published,
                                     GroundSource(node, name, vehicle.poses), self._memory)

    @property
    def camera_info(self) -> CameraInfo | None:
        """Return the newest CameraInfo, None if there is none yet."""
        return self._info.newest

    def health(self, counts: Counts) -> CameraHealth:
        """Return the camera's health for the diagnostics; any thread may call this."""
        images = self.images
        return CameraHealth(
            counts, self.times, images.is_open, images.lost, images.missed, images.transport,
            images.reliability_in_use, images.incompatible, images.matched, self.publishers.hint,
            self.depth.hint, self.monitor.report, self.outputs.silent,
            self.horizon.report, self._memory.report)

    def activate(self) -> None:
        """Subscribe as soon as somebody subscribes to an output."""
        self._active = True
        if not HAS_MATCHED_EVENT:
            self._poll_timer = self._node.create_timer(
                POLL_PERIOD_S, self.update, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.publishers.start()
        self.update()

    def deactivate(self) -> None:
        """Unsubscribe."""
        self._active = False
        self.publishers.stop()
        if self._poll_timer is not None:
            self._node.destroy_timer(self._poll_timer)
            self._poll_timer = None
        self.update()

    def update(self, settings: Settings | None = None) -> None:
        """Subscribe if somebody subscribes to an output, else unsubscribe."""
        self._settings = settings or self._settings
        awaited = self._active and self.outputs.watched()
        self._latency.want(self.name, awaited)
        self._vehicle.poses.want(self.name, awaited and self.outputs.uses('ground', self._settings))
        self._vehicle.odometry.want(self.name,
                                    awaited and self.outputs.uses('memory', self._settings),
                                    self._odometry_topic)
        if awaited:
            self.images.open()
            # Its focal length also affects the size of the network's input.
            self._info.open()
        else:
            self.images.close()
            self._info.close()

    def destroy(self) -> None:
        """Leave the graph."""
        self.deactivate()
        self.outputs.destroy()

    def _on_frame(self, serialised: bytes, kind: type) -> None:
        self._slots.put(self.name, Frame(serialised, kind, time.monotonic()))


def health_of(counts: Mapping[str, Counts], channels: Mapping[str, CameraChannel]
              ) -> dict[str, CameraHealth]:
    """Return the health of every camera that has counts, of those without a channel too."""
    return {name: channels[name].health(count) if name in channels
            else CameraHealth(count, RecentTimes()) for name, count in counts.items()}
