# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: camera images in, road masks out."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from functools import partial

import numpy as np
import rclpy
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.preprocess import network_size
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.node.diagnostics import DiagnosticsBeat, Health
from fcn_seg_ros.node.frame_slot import FrameSlots
from fcn_seg_ros.node.outputs import CameraOutputs
from fcn_seg_ros.node.parameters import Settings, declare, read, refuse_or_accept
from fcn_seg_ros.node.statistics import RecentTimes
from fcn_seg_ros.node.worker import Frame, Worker
from fcn_seg_ros.resources import default_checkpoint

# Only the newest image counts. Best effort takes from reliable and best-effort cameras alike.
_IMAGE_QOS = QoSProfile(depth=1, history=HistoryPolicy.KEEP_LAST,
                        reliability=ReliabilityPolicy.BEST_EFFORT)
# The shape that is compiled before the first image is seen: KITTI's.
_WARM_UP_SHAPE = (375, 1242, 3)


class SegNode(LifecycleNode):
    """
    Segments the road in the images of one or more cameras.

    The executor only stores frames and serves parameters; a worker thread segments and publishes
    while the node is active; diagnostics beat from a third thread. ``failure`` is the reason why
    the last transition failed, or None. Loading ends with KeyboardInterrupt, between two of its
    steps, once ``stopped`` says so.
    """

    def __init__(self, stopped: Callable[[], bool] = lambda: False) -> None:
        super().__init__('seg_node')
        # What destroy_node looks at comes first: rclpy calls it also where the rest is refused.
        self._worker: Worker | None = None
        self._beat: DiagnosticsBeat | None = None
        self.failure: InputError | None = None
        self.bug: BaseException | None = None
        declare(self)
        self.settings: Settings = read(self)
        self._stopped: Callable[[], bool] = stopped
        self._state_name: str = 'unconfigured'
        self._slots: FrameSlots = FrameSlots(list(self.settings.cameras))
        self._times: dict[str, RecentTimes] = {}
        self._segmenter: RoadSegmenter | None = None
        self._outputs: dict[str, CameraOutputs] = {}
        self._image_subscriptions: list[Subscription] = []
        self._reset_times()
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self._beat = DiagnosticsBeat(self, self._health)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up the network, and join the graph."""
        self._state_name, self.failure = 'configuring', None
        try:
            self.settings = read(self)
            self._outputs = {camera: CameraOutputs(self, camera)
                             for camera in self.settings.cameras}
            self._segmenter = self._load()
            self._image_subscriptions = [
                self.create_subscription(Image, f'{camera}/image_raw',
                                         partial(self._on_image, camera), _IMAGE_QOS)
                for camera in self.settings.cameras]
        except InputError as error:
            return self._fail(error)
        except Exception as error:  # rclpy would swallow it
            self.get_logger().error(traceback.format_exc())
            return self._fail(InputError(f'configure: {type(error).__name__}: {error}'))
        self._state_name = 'inactive'
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to segment."""
        assert self._segmenter is not None
        result: TransitionCallbackReturn = super().on_activate(state)
        self._worker = Worker(self._slots, self._segmenter, self._outputs, self._times,
                              lambda: self.settings, self.get_clock(), self.get_logger(),
                              self._on_bug)
        self._worker.start()
        self._state_name = 'active'
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to segment, after the frame in work."""
        self._stop_worker()
        self._state_name = 'inactive'
        result: TransitionCallbackReturn = super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Leave the graph and free the network."""
        self._release()
        self._state_name = 'unconfigured'
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and free everything but the diagnostics."""
        self._stop_worker()
        self._release()
        self._state_name = 'finalized'
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Stop the threads before the middleware goes."""
        self._stop_worker()
        if self._beat is not None:
            self._beat.stop()
        super().destroy_node()

    def _load(self) -> RoadSegmenter:
        settings = self.settings
        self._stop_if_told()
        start = time.monotonic()
        segmenter = RoadSegmenter(
            settings.checkpoint or default_checkpoint(), settings.device, settings.precision,
            settings.network_height, threads=settings.threads)
        self._stop_if_told()
        segmenter.segment(np.zeros(_WARM_UP_SHAPE, np.uint8))
        self._stop_if_told()
        warm = segmenter.segment(np.zeros(_WARM_UP_SHAPE, np.uint8))
        info, backend = segmenter.info, segmenter.backend
        self.get_logger().info(
            f'{info.decoder} on {info.encoder}, {segmenter.network_height} rows, on '
            f'{backend.device} with {backend.name} in {backend.precision}: ready after '
            f'{time.monotonic() - start:.1f} s, {warm.times.total:.0f} ms an image')
        return segmenter

    def _stop_if_told(self) -> None:
        if self._stopped():
            raise KeyboardInterrupt

    def _on_image(self, camera: str, message: Image) -> None:
        self._slots.put(camera, Frame(message, time.monotonic()))

    def _on_set_parameters(self, changes: list[Parameter]) -> object:
        result, self.settings = refuse_or_accept(self, changes)
        return result

    def _health(self) -> Health:
        network: dict[str, str] = {}
        segmenter = self._segmenter
        if segmenter is not None:
            rows, columns = network_size(*_WARM_UP_SHAPE[:2], segmenter.network_height)
            network = {'backend': segmenter.backend.name, 'device': segmenter.backend.device,
                       'precision': segmenter.backend.precision,
                       'network_size': f'{columns}x{rows}'}
        return Health(self._state_name, str(self.failure or ''), network, self._slots.counts(),
                      {camera: times.percentiles() for camera, times in self._times.items()})

    def _on_bug(self, error: BaseException) -> None:
        """Take the node down: a fault that no frame may cause must be seen, not repeated."""
        self.bug = error
        self.get_logger().fatal(''.join(traceback.format_exception(error)))
        rclpy.try_shutdown(context=self.context)

    def _fail(self, error: InputError) -> TransitionCallbackReturn:
        self.failure = error
        self._state_name = 'unconfigured'
        self.get_logger().error(str(error))
        self._release()
        return TransitionCallbackReturn.FAILURE

    def _stop_worker(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _release(self) -> None:
        for subscription in self._image_subscriptions:
            self.destroy_subscription(subscription)
        for outputs in self._outputs.values():
            outputs.destroy()
        self._image_subscriptions, self._outputs, self._segmenter = [], {}, None
        self._reset_times()

    def _reset_times(self) -> None:
        self._times = {camera: RecentTimes() for camera in self.settings.cameras}
