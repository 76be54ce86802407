# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Play a drive as the topics of a camera driver."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from fcn_seg_ros.drives.drive import Drive
from fcn_seg_ros.drives.messages import PreparedFrame
from fcn_seg_ros.drives.pace import Pace
from fcn_seg_ros.drives.prefetch import Prefetch
from fcn_seg_ros.drives.promptness import ask_for_short_slices
from fcn_seg_ros.messages import to_header

# Reliable, so that every kind of subscriber matches. Ten images of 1242x375 are 14 MB, which fit in
# the 24 MB segment of config/fastdds.xml.
QOS = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10,
                 reliability=ReliabilityPolicy.RELIABLE)

# Frames decoded ahead: at least this many, and more up to this many bytes.
PREFETCH_FRAMES = 8
PREFETCH_BYTES = 64 * 2**20
# The longest time for which the decoding thread may hold the interpreter's lock.
SWITCH_INTERVAL_S = 0.0005
# A publisher sees a subscriber before the subscriber sees the publisher; a best-effort subscriber
# misses what is sent in between.
SETTLE_S = 0.5
# A burst, recorded or from catching up, would push images out of the publisher's history before
# reliable subscribers have them. After this many images within this time, wait for
# acknowledgements.
BURST_FRAMES = QOS.depth // 2
BURST_S = 0.1
# A late player catches up at twice the speed, so that subscribers can keep up.
CATCH_UP = 2.0
# Longest wait for decoding ahead before the first image.
FILL_S = 2.0
ACKNOWLEDGE_S = 3.0
# Longest sleep between two checks for a signal.
SLICE_S = 0.05
# A gap that a user might think is a fault.
LONG_GAP_S = 10.0


@dataclass(frozen=True)
class PlayOptions:
    """How a drive is played."""

    camera: str = 'camera'
    rate_hz: float | None = None
    speed: float = 1.0
    loop: bool = False
    wall_stamps: bool = True
    wait_for_subscribers: int = 1
    wait_for_info_subscribers: int = 0
    wait_timeout_s: float = 30.0
    preload: bool = False
    wait_for_listener: str = ''


@dataclass
class PlaySummary:
    """What was played."""

    frames: int = 0
    late: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    interrupted: bool = False
    lost: int = 0
    more_lost: bool = False

    @property
    def rate_hz(self) -> float:
        """Return the achieved rate, 0 for fewer than two frames."""
        span = self.last_s - self.first_s
        return (self.frames - 1) / span if span > 0.0 else 0.0

    def line(self) -> str:
        """Return the summary as text."""
        return (f'{self.frames} frames published at {self.rate_hz:.2f} Hz, {self.late} late'
                + (f', {self.lost}{" or more" if self.more_lost else ""} lost'
                   if self.lost or self.more_lost else '')
                + (', interrupted' if self.interrupted else ''))

    def as_dict(self) -> dict[str, float | bool]:
        """Return the summary as JSON values."""
        return {**asdict(self), 'rate_hz': self.rate_hz}


class DrivePlayer(Node):
    """
    Publishes ``<camera>/image_raw``, ``<camera>/camera_info`` and, if known, the true mask.

    The truth goes to ``<camera>/road/truth`` (mono8: 1 road, 0 not road). All messages of a frame
    share one header. Playing ends within 50 ms once ``stopped`` returns True.
    """

    def __init__(self, drive: Drive, options: PlayOptions,
                 stopped: Callable[[], bool] = lambda: False) -> None:
        """Create the publishers of image and camera info."""
        super().__init__('play', start_parameter_services=False)
        self.drive = drive
        self.options = options
        self.stopped = stopped
        camera = options.camera
        self.info_publisher = self.create_publisher(CameraInfo, f'{camera}/camera_info', QOS)
        self.image_publisher = self.create_publisher(Image, f'{camera}/image_raw', QOS)
        self.truth_publisher: Publisher | None = None

    def play(self) -> PlaySummary:
        """Wait for subscribers, play to the end, and wait until everything has arrived."""
        summary = PlaySummary()
        self._source = Prefetch(
            self._prepared(), PREFETCH_FRAMES, PREFETCH_BYTES,
            lambda frame: len(frame.image.data), self.stopped)
        source = self._source
        switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        try:
            frames: Iterable[PreparedFrame] = list(source) if self.options.preload else source
            frames = self._with_truth_publisher(frames)
            self._publish_all(frames, summary)
        finally:
            sys.setswitchinterval(switch_interval)
            source.close()
        if not self.stopped():
            self._wait_for_acknowledgement()
        summary.interrupted = self.stopped()
        summary.lost, summary.more_lost = self.drive.notes.lost, self.drive.notes.more_lost
        return summary

    @property
    def is_reading(self) -> bool:
        """Return whether a thread is still reading or decoding; one that hangs cannot be ended."""
        return self._source is not None and self._source.is_running

    def _prepared(self) -> Iterator[PreparedFrame]:
        """Yield the messages of the drive once, or endlessly with ``loop``."""
        while True:
            begins = True
            for frame in self.drive:
                yield PreparedFrame.of(frame, begins)
                begins = False
            if begins or self.options.preload or not self.options.loop:
                return

    def _with_truth_publisher(self, frames: Iterable[PreparedFrame]) -> Iterator[PreparedFrame]:
        """
        Yield the frames once there are subscribers; with ``loop`` preloaded frames repeat.

        The first frame shows whether there is a truth. Its publisher must exist before the wait, or
        its subscribers would miss the first frames.
        """
        ready = False
        while True:
            for frame in frames:
                if frame.truth is not None and self.truth_publisher is None:
                    self.truth_publisher = self.create_publisher(
                        Image, f'{self.options.camera}/road/truth', QOS)
                if not ready:
                    self.wait_for_subscribers()
                    # With few frames decoded ahead, the first hitch would make frames late.
                    self._source.wait_until_ahead(FILL_S)
                    ready = True
                yield frame
            if not (self.options.loop and self.options.preload) or self.stopped():
                return

    def wait_for_subscribers(self) -> bool:
        """Wait for the requested subscribers; return whether all are there."""
        options = self.options
        after = f'after {options.wait_timeout_s:g} s'
        deadline = time.monotonic() + options.wait_timeout_s
        told = False
        awaited = self._awaited()
        for what, there, lacking in awaited:
            while not there():
                if self.stopped():
                    return False
                if time.monotonic() >= deadline:
                    say(f'{lacking(after)}; playing anyway')
                    return False
                if not told:
                    say(f'waiting for {what}, {options.wait_timeout_s:g} s at most')
                    told = True
                time.sleep(0.02)
        if awaited:
            self._sleep_until(time.monotonic() + SETTLE_S)
        return True

    def _awaited(self) -> list[tuple[str, Callable[[], bool], Callable[[str], str]]]:
        """Return (name, whether it is there, what is missing) for each subscriber to wait for."""
        options = self.options
        awaited = [self._subscribers(publisher, count) for publisher, count in (
            (self.image_publisher, options.wait_for_subscribers),
            (self.info_publisher, options.wait_for_info_subscribers)) if count]
        if name := options.wait_for_listener:
            topic = self.info_publisher.topic_name
            awaited.append((f'{name} to listen to {topic}', lambda: self._listens(name),
                            lambda after: f'{name} does not listen to {topic} {after}'))
        return awaited

    @staticmethod
    def _subscribers(publisher: Publisher, count: int
                     ) -> tuple[str, Callable[[], bool], Callable[[str], str]]:
        def lacking(after: str) -> str:
            found = publisher.get_subscription_count()
            return (f'{"too few listen" if found else "nobody listens"} to {publisher.topic_name} '
                    f'{after}: expected {count}, found {found} subscribers')
        return (f'{count} subscriber(s) of {publisher.topic_name}',
                lambda: publisher.get_subscription_count() >= count, lacking)

    def _listens(self, name: str) -> bool:
        """Return whether the node ``name`` listens to camera_info, and is connected."""
        publisher = self.info_publisher
        known = self.get_subscriptions_info_by_topic(publisher.topic_name)
        return (any(info.node_name == name for info in known)
                and publisher.get_subscription_count() >= len(known))

    def _publish_all(self, frames: Iterable[PreparedFrame], summary: PlaySummary) -> None:
        """Publish each frame when it is due."""
        options = self.options
        ask_for_short_slices()
        period = 1.0 / (options.rate_hz or self.drive.rate_hz * options.speed)
        pace = Pace(1.0 / self.drive.rate_hz, options.rate_hz, options.speed)
        start, due = None, 0.0
        sent: deque[float] = deque([-math.inf] * BURST_FRAMES, BURST_FRAMES)
        for frame in frames:
            start = time.monotonic() if start is None else start
            before, due = due, start + pace.due_s(frame.time_ns, frame.begins)
            if due - time.monotonic() > LONG_GAP_S:
                say(f'the recording has a gap of {due - time.monotonic():.0f} s here; --rate plays '
                    'without gaps')
            self._sleep_until(max(due, sent[-1] + (due - before) / CATCH_UP))
            if self.stopped():
                return
            now = time.monotonic()
            if now - sent[0] < BURST_S:
                self.image_publisher.wait_for_all_acked(Duration(seconds=BURST_S))
            self._publish(frame)
            sent.append(now)
            if summary.frames == 0:
                summary.first_s = now
            summary.late += now - due > 0.5 * period
            summary.frames += 1
            summary.last_s = now

    def _publish(self, frame: PreparedFrame) -> None:
        """Publish the messages of a frame, the image after its CameraInfo, the truth last."""
        stamp_ns = time.time_ns() if self.options.wall_stamps else frame.stamp_ns
        header = to_header(stamp_ns, frame.frame_id)
        frame.info.header = frame.image.header = header
        self.info_publisher.publish(frame.info)
        self.image_publisher.publish(frame.image)
        if frame.truth is not None and self.truth_publisher is not None:
            frame.truth.header = header
            self.truth_publisher.publish(frame.truth)

    def _sleep_until(self, due: float) -> None:
        """Sleep until a monotonic time or until stopped."""
        while not self.stopped():
            remaining = due - time.monotonic()
            if remaining <= 0.0:
                return
            time.sleep(min(remaining, SLICE_S))

    def _wait_for_acknowledgement(self) -> None:
        """Wait until reliable subscribers have all messages; leaving now would lose some."""
        deadline = time.monotonic() + ACKNOWLEDGE_S
        for publisher in (self.info_publisher, self.image_publisher, self.truth_publisher):
            while publisher is not None and not self.stopped():
                if publisher.wait_for_all_acked(Duration(seconds=SLICE_S)):
                    break
                if time.monotonic() > deadline:
                    say(f'not all messages on {publisher.topic_name} were acknowledged within '
                        f'{ACKNOWLEDGE_S:g} s')
                    return
        # Best-effort subscribers acknowledge nothing, so give the last image a moment to arrive.
        self._sleep_until(time.monotonic() + 0.1)


def say(text: str) -> None:
    """Print a line on stderr."""
    print(f'play: {text}', file=sys.stderr, flush=True)
