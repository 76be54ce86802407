# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One camera: what is subscribed to and published for it, both on demand."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo

from fcn_seg_ros.inference.monitor import PictureMonitor
from fcn_seg_ros.node.cpu_latency import CpuLatency
from fcn_seg_ros.node.depth_watch import DepthWatch
from fcn_seg_ros.node.frame_slot import FrameSlots
from fcn_seg_ros.node.image_input import ImageInput
from fcn_seg_ros.node.info_input import InfoInput
from fcn_seg_ros.node.outputs import CameraOutputs
from fcn_seg_ros.node.settings import Settings
from fcn_seg_ros.node.statistics import RecentTimes


@dataclass(frozen=True)
class Frame:
    """
    A camera image message as it was on the wire, and when it was taken from the middleware.

    ``kind`` is its type, ``taken`` in monotonic seconds. It is read by the worker: one that cannot
    be read is counted there, and one that is replaced by a newer need not be read at all.
    """

    serialised: bytes
    kind: type
    taken: float


class CameraChannel:
    """
    The subscriptions, publishers and times of one camera.

    While it is active, it subscribes to the images and the camera info as long as somebody listens
    to one of its outputs. Frames go to ``slots``; while they are awaited, ``latency`` is wanted.
    Methods are for the executor's thread; ``image_shape``, ``network_shape`` and ``depth`` are
    the worker's, who notes there what the last images were, and so is ``monitor``.
    """

    def __init__(self, node: LifecycleNode, name: str, settings: Settings, slots: FrameSlots,
                 latency: CpuLatency) -> None:
        own = settings.cameras[name]
        self.name = name
        self.times = RecentTimes()
        self.monitor = PictureMonitor()
        self.image_shape: tuple[int, int] | None = None
        self.network_shape: tuple[int, int] | None = None
        self.depth = DepthWatch()
        self._node = node
        self._slots = slots
        self._latency = latency
        self._active = False
        self.images = ImageInput(node, own.topic, own.transport, settings.reliability,
                                 self._on_frame)
        # As image_transport's camera publishers have it: beside the image.
        image_topic = node.resolve_topic_name(own.topic)
        self._info = InfoInput(node, f'{image_topic.rpartition("/")[0]}/camera_info')
        self.outputs = CameraOutputs(node, name, settings.mask_deadline_ms, self.update)

    @property
    def camera_info(self) -> CameraInfo | None:
        """Return the camera's newest, None before there was one."""
        return self._info.newest

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
            # Its focal length also decides how large the network's input is.
            self._info.open()
        else:
            self.images.close()
            self._info.close()

    def destroy(self) -> None:
        """Leave the graph."""
        self._active = False
        self._latency.want(self.name, False)
        self.images.close()
        self._info.close()
        self.outputs.destroy()

    def _on_frame(self, serialised: bytes, kind: type) -> None:
        self._slots.put(self.name, Frame(serialised, kind, time.monotonic()))
