# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The thread that turns frames into masks."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import BackendError
from fcn_seg_ros.inference.segmenter import RoadSegmenter, Segmentation, SegmentOptions
from fcn_seg_ros.messages import stamp_ns
from fcn_seg_ros.node.batching import Batching
from fcn_seg_ros.node.camera_channel import CameraChannel, Frame
from fcn_seg_ros.node.decode import decode_image, deserialise
from fcn_seg_ros.node.failure_policy import GIVE_UP_AFTER, FailurePolicy, Recovery
from fcn_seg_ros.node.frame_slot import Drop, FrameSlots
from fcn_seg_ros.node.model_slot import ModelSlot
from fcn_seg_ros.node.settings import Settings
from fcn_seg_ros.outputs.camera_info import focal_length

_WARN_EVERY_S = 5.0


@dataclass
class _Job:
    """One frame on its way through the network."""

    camera: str
    frame: Frame
    started: float
    image: np.ndarray | None = None
    message: Image | CompressedImage | None = None
    options: SegmentOptions = field(default_factory=SegmentOptions)
    converted: float = 0.0
    # None once it is published.
    outcome: Drop | None = Drop.ERROR

    @property
    def header(self) -> Header:
        assert self.message is not None
        return self.message.header


class Worker:
    """
    Takes frames from the slots, segments them and publishes the outputs, on a separate thread.

    ``settings`` is called once per batch, so a frame sees one consistent set. ``on_recovery`` is
    called with FailurePolicy's decisions, and ``on_news`` when the faults of a camera's picture
    change, both on the worker's thread.
    """

    def __init__(self, slots: FrameSlots, network: ModelSlot,
                 channels: Mapping[str, CameraChannel], settings: Callable[[], Settings],
                 node: Node, on_recovery: Callable[[Recovery, str], None],
                 on_news: Callable[[], None]) -> None:
        self.failures = FailurePolicy()
        self._slots = slots
        self._network = network
        self._channels = channels
        self._settings = settings
        self._clock = node.get_clock()
        self._logger = node.get_logger()
        self._context = node.context
        self._on_recovery = on_recovery
        self._on_news = on_news
        self._busy_since: float | None = None
        self._stop = threading.Event()
        self._abandoned = False
        self._ended = False
        self._ending = threading.Lock()
        self._thread = threading.Thread(target=self._run, name='segmentation', daemon=True)

    def start(self) -> None:
        """Start accepting and segmenting frames."""
        self._slots.open()
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """
        Finish the current batch and end; waiting frames are dropped as inactive.

        Returns whether it ended within ``seconds``.
        """
        self._slots.close()
        self._stop.set()
        self._slots.wake()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def resume(self) -> bool:
        """Undo a ``stop`` that timed out; return False if the thread has ended meanwhile."""
        with self._ending:
            if self._ended:
                return False
            self._stop.clear()
            self._slots.open()
            return True

    def abandon(self) -> None:
        """Publish nothing from now on, even when the current batch ends."""
        self._abandoned = True

    def busy_s(self) -> float:
        """Return how many seconds ago the current batch was taken, 0 if there is none."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def _is_ended(self) -> bool:
        with self._ending:
            self._ended = self._stop.is_set()
            return self._ended

    def _run(self) -> None:
        while not self._is_ended():
            taken = self._slots.take()
            if taken is not None:
                self._busy_since = time.monotonic()
                self._work_on(*taken)
                self._busy_since = None
                if self.failures.delay_s:
                    self._stop.wait(self.failures.delay_s)

    def _work_on(self, camera: str, frame: Frame) -> None:
        """Process a batch that starts with this frame; each frame is counted exactly once."""
        jobs = [_Job(camera, frame, time.monotonic())]
        recovery = Recovery.RETRY
        try:
            settings = self._settings()
            if not self._read(jobs[0]):
                return
            with self._network.use() as (segmenter, batching):
                jobs += self._companions(jobs[0], settings, batching)
                self._process(jobs, settings, segmenter, batching)
        except (BackendError, MemoryError) as error:
            recovery = self.failures.device_failed(error, getattr(error, 'lost', False))
            self._logger.error(
                f'{camera}: image not segmented: {self.failures.reason}; next attempt in '
                f'{self.failures.delay_s:g} s', throttle_duration_sec=_WARN_EVERY_S)
        except Exception as error:  # log it; the thread must keep running
            if not self._context.ok():
                return  # the middleware was shut down meanwhile
            recovery = self.failures.unexplained(error)
            self._logger.error(f'{camera}: image not segmented, a bug in the node (the process '
                               f'ends after {GIVE_UP_AFTER} in a row):\n'
                               f'{traceback.format_exc()}', throttle_duration_sec=_WARN_EVERY_S)
        finally:
            for job in jobs:
                self._slots.finish(job.camera, job.outcome)
        if recovery is not Recovery.RETRY:
            self._on_recovery(recovery, self.failures.reason)

    def _companions(self, first: _Job, settings: Settings, batching: Batching) -> list[_Job]:
        """Take the other cameras' waiting frames that fit into one batch with the first."""
        shape = self._channels[first.camera].network_shape
        same = [name for name, channel in self._channels.items()
                if shape is not None and channel.network_shape == shape]
        size = batching.limit(1 + self._slots.waiting(same), self._age_ms(first.header),
                              settings.max_age_ms)
        now = time.monotonic()
        return [_Job(camera, frame, now)
                for camera, frame in self._slots.take_more(same, size - 1)]

    def _process(self, jobs: list[_Job], settings: Settings, segmenter: RoadSegmenter,
                 batching: Batching) -> None:
        """Segment and publish frames, batching those with the same network input shape."""
        batches: dict[tuple[int, int], list[_Job]] = {}
        for job in jobs:
            shape = self._prepare(job, settings, segmenter)
            if shape is not None:
                batches.setdefault(shape, []).append(job)
        for batch in batches.values():
            start = time.monotonic()
            results = segmenter.segment_batch(
                [job.image for job in batch if job.image is not None],
                [job.options for job in batch])
            segmented = time.monotonic()
            batching.record(len(batch), 1e3 * (segmented - start))
            for job, result in zip(batch, results, strict=True):
                self._publish(job, result, settings, (start, segmented))
            # After all masks are published, so that none of them waits for this.
            for job, result in zip(batch, results, strict=True):
                self._watch(job, result, settings, segmenter)
            self.failures.succeeded()

    def _prepare(self, job: _Job, settings: Settings, segmenter: RoadSegmenter
                 ) -> tuple[int, int] | None:
        """Decode a frame and return the shape of its network input; None if it gets no mask."""
        if job.message is None and not self._read(job):
            return None
        channel = self._channels[job.camera]
        age_ms = self._age_ms(job.header)
        channel.times.add_arrival(age_ms)
        if settings.max_age_ms and age_ms > settings.max_age_ms:
            job.outcome = Drop.TOO_OLD
            return None
        if self._abandoned or not channel.outputs.watched():
            job.outcome = Drop.INACTIVE
            return None
        try:
            assert job.message is not None
            bit_depth = settings.cameras[job.camera].bit_depth
            job.image, deep = decode_image(job.message, bit_depth)
            if deep:
                channel.depth.note(job.image, bit_depth)
            height, width = job.image.shape[:2]
            job.options = replace(
                settings.cameras[job.camera].options,
                focal_length=focal_length(channel.camera_info, height, width))
            shape = segmenter.network_shape((height, width), job.options.region,
                                            job.options.focal_length)
        except InputError as error:
            self._refuse(job, error)
            return None
        job.converted = time.monotonic()
        channel.image_shape, channel.network_shape = (height, width), shape
        return shape

    def _read(self, job: _Job) -> bool:
        """Deserialise the message; return whether that worked."""
        try:
            job.message = deserialise(job.frame.serialised, job.frame.kind)
        except InputError as error:
            self._refuse(job, error)
        return job.message is not None

    def _refuse(self, job: _Job, error: InputError) -> None:
        self._logger.warning(f'{job.camera}: image refused: {error}',
                             throttle_duration_sec=_WARN_EVERY_S)
        job.outcome = Drop.MALFORMED

    def _publish(self, job: _Job, result: Segmentation, settings: Settings,
                 segmenting: tuple[float, float]) -> None:
        if self._abandoned:  # its publishers are gone
            job.outcome = Drop.INACTIVE
            return
        channel, started = self._channels[job.camera], time.monotonic()
        assert job.image is not None
        channel.outputs.publish(job.header, job.image, result, channel.camera_info, settings)
        job.outcome = None
        done = time.monotonic()
        channel.times.add({
            'wait': 1e3 * (job.started - job.frame.taken),
            'convert': 1e3 * (job.converted - job.started),
            'segment': 1e3 * (segmenting[1] - segmenting[0]), 'publish': 1e3 * (done - started),
            'processing': 1e3 * (done - job.frame.taken), 'age': self._age_ms(job.header)})

    def _watch(self, job: _Job, result: Segmentation, settings: Settings,
               segmenter: RoadSegmenter) -> None:
        """Show a frame to what watches the camera's picture and its pose."""
        assert job.image is not None
        channel = self._channels[job.camera]
        if channel.outputs.tables is not None:
            channel.horizon.look(channel.outputs.tables.level, result.mask,
                                 result.label_map.road_ids, job.frame.taken, settings.horizon)
        if channel.monitor.look(
                job.image, result, stamp_ns(job.header), job.frame.taken, settings.monitor,
                segmenter.info.statistics):
            self._on_news()

    def _age_ms(self, header: Header) -> float:
        """Return the node's clock minus a stamp in milliseconds, which may be any value."""
        return (self._clock.now().nanoseconds - stamp_ns(header)) / 1e6
