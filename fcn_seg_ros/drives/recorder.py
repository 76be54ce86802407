# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Record the outputs of a segmentation node without delaying them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, Image

from fcn_seg_ros.drives.recording import MaskRecord, Recording
from fcn_seg_ros.drives.ros_session import RosSession
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.images.encodings import to_rgb
from fcn_seg_ros.messages import from_image, header_key, stamp_ns

RECORDER_NAME = 'recorder'
QOS = QoSProfile(depth=30, reliability=ReliabilityPolicy.RELIABLE)


class Recorder(Node):
    """
    Subscribes to the outputs of one camera and fills a Recording.

    The input's headers come from ``<camera>/camera_info``, which has the same ones: images may be
    lost on the way here. Callbacks only note the time and pass the message to a worker thread.
    """

    def __init__(self, camera: str, recording: Recording, context: Context, grids: bool = False
                 ) -> None:
        """Subscribe to the node's outputs and start the worker."""
        super().__init__(RECORDER_NAME, context=context, start_parameter_services=False)
        self.camera = camera
        self.recording = recording
        self.diagnostics: dict[str, str] = {}
        self.diagnostics_at = 0.0
        self.last_mask_at = 0.0
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._run_worker, name='recorder', daemon=True)
        self._error: Exception | None = None
        self._worker.start()
        road = f'{camera}/road'
        self.mask_subscription: Subscription[Image] = self.create_subscription(
            Image, f'{road}/mask', self._on_mask, QOS)
        self.overlay_subscription: Subscription[Image] = self.create_subscription(
            Image, f'{road}/overlay', self._on_overlay, QOS)
        if grids:
            self._listen_to_grids(f'{road}/grid')
        self.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, QOS)

    def listen_to_inputs(self) -> None:
        """
        Subscribe to the player's topics: the headers of the input, and the truth.

        A player that waits for this node to subscribe to camera_info starts after this call. The
        others are subscribed to first, so that they are matched by then. A picture without its
        image is no loss, so images need not be sent again.
        """
        self.create_subscription(Image, f'{self.camera}/image_raw', self._on_image,
                                 QoSProfile(depth=5,
                                            reliability=ReliabilityPolicy.BEST_EFFORT),
                                 raw=True)
        self.create_subscription(Image, f'{self.camera}/road/truth', self._on_truth, QOS)
        self.create_subscription(CameraInfo, f'{self.camera}/camera_info', self._on_info, QOS)

    def matched(self) -> bool:
        """Return whether somebody publishes masks and overlays."""
        return (self.mask_subscription.get_publisher_count() > 0
                and self.overlay_subscription.get_publisher_count() > 0)

    def finish(self) -> None:
        """Wait until the worker is done; raise the error that stopped it, if any."""
        self._work.put(None)
        self._worker.join()
        if self._error is not None:
            raise self._error

    def _on_mask(self, message: Image) -> None:
        arrived_ns = time.time_ns()
        key = header_key(message.header)
        self.last_mask_at = time.monotonic()
        self.recording.masks.append(MaskRecord(key, arrived_ns - key[0]))
        self._work.put(lambda: self.recording.add_mask_pixels(key, from_image(message)))

    def _on_overlay(self, message: Image) -> None:
        key = header_key(message.header)
        self._work.put(lambda: self.recording.add_overlay(key, from_image(message)))

    def _on_image(self, serialised: bytes) -> None:
        self._work.put(lambda: self._add_image(deserialize_message(serialised, Image)))

    def _add_image(self, message: Image) -> None:
        with suppress(InputError):  # the node counts it as malformed; there is nothing to show
            self.recording.add_image(header_key(message.header), to_rgb(
                message.data, message.height, message.width, message.encoding, message.step,
                bool(message.is_bigendian)))

    def _on_grid(self, message: Any) -> None:
        info = message.info
        cell = round(info.resolution, 6)  # from a float32
        spec = GridSpec(info.width * cell, info.height * cell, cell, info.origin.position.x)
        self._work.put(lambda: self.recording.add_grid(
            stamp_ns(message.header), spec,
            np.frombuffer(message.data, np.int8).reshape(info.height, info.width)))

    def _listen_to_grids(self, topic: str) -> None:
        try:
            from nav_msgs.msg import OccupancyGrid
        except ImportError:
            return  # nor has the node

        self.create_subscription(OccupancyGrid, topic, self._on_grid, QOS)

    def _on_truth(self, message: Image) -> None:
        key = header_key(message.header)
        self._work.put(lambda: self.recording.add_truth(key, from_image(message)))

    def _on_info(self, message: CameraInfo) -> None:
        self.recording.add_input(header_key(message.header))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.endswith(f': {self.camera}'):
                self.diagnostics = {item.key: item.value for item in status.values}
                self.diagnostics_at = time.monotonic()

    def _run_worker(self) -> None:
        while (job := self._work.get()) is not None:
            try:
                job()
            # Raised again by finish(); nothing is recorded after a broken message.
            except Exception as error:
                self._error = error
                return


class RecorderSession:
    """A recorder in a RosSession, as a context manager."""

    def __init__(self, camera: str, grids: bool = False) -> None:
        """Join ROS and receive in the background."""
        self.recording = Recording()
        self._ros = RosSession(lambda context: Recorder(camera, self.recording, context, grids))
        self.recorder = self._ros.node

    def __enter__(self) -> RecorderSession:
        """Return the session."""
        return self

    def __exit__(self, *error: object) -> None:
        """Leave ROS and free the recording's disk space."""
        self._ros.leave()
        self.recording.close()

    def finish(self) -> Recording:
        """Stop receiving, process what has arrived, and return the recording."""
        self._ros.leave()
        self.recorder.finish()
        return self.recording
