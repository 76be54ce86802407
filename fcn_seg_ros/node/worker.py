# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The thread that turns frames into masks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from rclpy.clock import Clock
from rclpy.impl.rcutils_logger import RcutilsLogger
from sensor_msgs.msg import Image

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.encodings import to_rgb
from fcn_seg_ros.inference.segmenter import RoadSegmenter, resolve_threshold
from fcn_seg_ros.node.frame_slot import Drop, FrameSlots
from fcn_seg_ros.node.outputs import CameraOutputs
from fcn_seg_ros.node.parameters import Settings
from fcn_seg_ros.node.statistics import RecentTimes

# What a device, a driver or OpenCV raises when it cannot do a frame; anything else is a bug.
_FRAME_ERRORS = (RuntimeError, MemoryError, cv2.error)
_WARN_EVERY_S = 5.0


@dataclass(frozen=True)
class Frame:
    """A camera image message and when it was taken from the middleware (monotonic seconds)."""

    message: Image
    taken: float


class Worker:
    """
    Takes frames from the slots, segments and publishes them, on a thread of its own.

    ``settings`` is called once per frame, so that a frame sees one set of them. ``on_bug`` is
    called with an exception that no frame should be able to cause; the thread ends then.
    """

    def __init__(self, slots: FrameSlots, segmenter: RoadSegmenter,
                 outputs: dict[str, CameraOutputs], times: dict[str, RecentTimes],
                 settings: Callable[[], Settings], clock: Clock, logger: RcutilsLogger,
                 on_bug: Callable[[BaseException], None]) -> None:
        self._slots = slots
        self._segmenter = segmenter
        self._outputs = outputs
        self._times = times
        self._settings = settings
        self._clock = clock
        self._logger = logger
        self._on_bug = on_bug
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name='segmentation', daemon=True)

    def start(self) -> None:
        """Begin to accept and segment frames."""
        self._slots.open()
        self._thread.start()

    def stop(self) -> None:
        """Finish the frame in work and end; frames that wait are counted as inactive."""
        self._slots.close()
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            taken = self._slots.take(timeout=0.1)
            if taken is None:
                continue
            camera, frame = taken
            outcome: Drop | None = Drop.ERROR
            try:
                outcome = self._process(camera, frame)
            except BaseException as error:
                self._on_bug(error)
                return
            finally:
                self._slots.finish(camera, outcome)

    def _process(self, camera: str, frame: Frame) -> Drop | None:
        """Publish the masks of one frame; return why there are none, or None."""
        settings, outputs = self._settings(), self._outputs[camera]
        started = time.monotonic()
        header = frame.message.header
        if settings.max_age_ms:
            stamp = header.stamp.sec * 10**9 + header.stamp.nanosec
            if self._clock.now().nanoseconds - stamp > 1e6 * settings.max_age_ms:
                return Drop.TOO_OLD
        if not outputs.watched():
            return Drop.INACTIVE
        try:
            image = _decode(frame.message)
            converted = time.monotonic()
            result = self._segmenter.segment(
                image, resolve_threshold(settings.threshold, self._segmenter.info.threshold))
            segmented = time.monotonic()
            outputs.publish(header, image, result, settings)
        except InputError as error:
            self._logger.warning(f'{camera}: image refused: {error}',
                                 throttle_duration_sec=_WARN_EVERY_S)
            return Drop.MALFORMED
        except _FRAME_ERRORS as error:
            reason = ' '.join(f'{type(error).__name__}: {error}'.split())
            self._logger.error(f'{camera}: image of {frame.message.width}x{frame.message.height} '
                               f'not segmented: {reason}', throttle_duration_sec=_WARN_EVERY_S)
            return Drop.ERROR
        done = time.monotonic()
        self._times[camera].add({
            'wait': 1e3 * (started - frame.taken), 'convert': 1e3 * (converted - started),
            'segment': 1e3 * (segmented - converted), 'publish': 1e3 * (done - segmented),
            'processing': 1e3 * (done - frame.taken)})
        return None


def _decode(message: Image) -> np.ndarray:
    return to_rgb(message.data, message.height, message.width, message.encoding, message.step,
                  bool(message.is_bigendian))
