# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One camera: what is subscribed to and published for it, both on demand."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fcn_seg_ros.inference.monitor import PictureMonitor
from fcn_seg_ros.node.cpu_latency import CpuLatency
from fcn_seg_ros.node.frame_slot import FrameSlots
from fcn_seg_ros.node.image_input import ImageInput
from fcn_seg_ros.node.outputs import CameraOutputs
from fcn_seg_ros.node.settings import Settings
from fcn_seg_ros.node.statistics import RecentTimes


@dataclass(frozen=True)
class Frame:
    """A camera image message and when it was taken from the middleware (monotonic seconds)."""

    message: Image | CompressedImage
    taken: float


class CameraChannel:
    """
    The subscriptions, publishers and times of one camera.

    While it is active, it subscribes to the images as long as somebody listens to one of its
    outputs, and to the camera info as long as somebody listens to that. Frames go to ``slots``;
    while they are awaited, ``latency`` is wanted.
    Methods are for the executor's thread; ``image_shape`` and ``network_shape`` are the worker's,
    who notes there what the last image was, and read by the loader; ``monitor`` is the worker's.
    """

    def __init__(self, node: LifecycleNode, name: str, settings: Settings, slots: FrameSlots,
                 latency: CpuLatency) -> None:
        own = settings.cameras[name]
        self.name = name
        self.times = RecentTimes()
        self.monitor = PictureMonitor()
        self.image_shape: tuple[int, int] | None = None
        self.network_shape: tuple[int, int] | None = None
        # The newest, replaced as a whole by the executor.
        self.camera_info: CameraInfo | None = None
        self._node = node
        self._slots = slots
        self._latency = latency
        self._active = False
        self._info_subscription: Subscription | None = None
        self.images = ImageInput(node, own.topic, own.transport, settings.reliability,
                                 self._on_frame)
        # As image_transport's camera publishers have it: beside the image.
        image_topic = node.resolve_topic_name(own.topic)
        self._info_topic = f'{image_topic.rpartition("/")[0]}/camera_info'
        self.outputs = CameraOutputs(node, name, settings.mask_deadline_ms, self.update)

    def activate(self) -> None:
        """Subscribe, as soon as somebody listens."""
        self._active = True
        self.update()

    def deactivate(self) -> None:
        """Unsubscribe."""
        self._active = False
        self.update()

    def update(self) -> None:
        """Subscribe to what is needed now, and to nothing else."""
        awaited = self._active and self.outputs.watched()
        self._latency.want(self.name, awaited)
        if awaited:
            self.images.open()
        else:
            self.images.close()
        wanted = self._active and self.outputs.watched('camera_info')
        if wanted and self._info_subscription is None:
            # Best effort takes from reliable and best-effort cameras alike.
            profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
            self._info_subscription = self._node.create_subscription(
                CameraInfo, self._info_topic, self._on_camera_info, profile)
        elif not wanted and self._info_subscription is not None:
            self._node.destroy_subscription(self._info_subscription)
            self._info_subscription = self.camera_info = None

    def destroy(self) -> None:
        """Leave the graph."""
        self._active = False
        self._latency.want(self.name, False)
        self.images.close()
        if self._info_subscription is not None:
            self._node.destroy_subscription(self._info_subscription)
            self._info_subscription = None
        self.outputs.destroy()

    def _on_frame(self, message: Image | CompressedImage) -> None:
        self._slots.put(self.name, Frame(message, time.monotonic()))

    def _on_camera_info(self, message: CameraInfo) -> None:
        self.camera_info = message
