# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The node's health, and what is made of it: the levels on /diagnostics.

A camera's level is that of the first row that holds; the message names every row that does.

| level | when |
|---|---|
| ERROR | the last transition failed (its reason) |
| ERROR | the worker has been busy with one batch for 5 s |
| ERROR | images could not be segmented in the last second |
| STALE | active and subscribed, no image for 10 s |
| WARN | active and subscribed, no image for 1 s (by the node's clock where time is simulated) |
| WARN | a publisher of the topic fits and was never heard, for 3 s |
| WARN | a publisher of the topic cannot be heard (quality of service or type) |
| WARN | malformed images in the last second |
| WARN | the middleware lost images in the last second |
| WARN | more than half of the images of the last 5 s replaced by newer ones, or too old |
| WARN | the last second's images are more than 10 s old, or in the future |
| WARN | 16-bit images never use their upper bits |
| WARN | the last mask's processing took longer than ``expected_processing_ms`` |
| WARN | the picture cannot be believed (``inference/monitor.py``), in the last two seconds |
| OK | otherwise |

The node's own status is ERROR by the first two rows, WARN where it runs otherwise than asked (it
fell to the CPU, say), else OK.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.inference.monitor import PictureReport
from fcn_seg_ros.node.frame_slot import Counts, Drop
from fcn_seg_ros.node.image_input import ImageInput
from fcn_seg_ros.node.statistics import RecentTimes

STUCK_S = 5.0
QUIET_WARN_S, QUIET_HINT_S, QUIET_STALE_S = 1.0, 3.0, 10.0
RATE_WINDOW_S = 5.0
AGE_LIMIT_MS = 10_000.0
# What was seen earlier says nothing of now.
PICTURE_FRESH_S = 2.0
# A camera's picture is in the log at most so often.
_TELL_EVERY_S = 10.0
# Simulated time may run faster than real time, but a jump is no silence.
_LONGEST_BEAT_S = 60.0
# Fewer images than this in the window say nothing about the share that is dropped.
_ENOUGH_IMAGES = 5


@dataclass(frozen=True)
class CameraHealth:
    """
    What is known of one camera at one moment.

    ``lost``, ``missed``, ``incompatible``, ``matched`` and ``reliability`` are its ImageInput's;
    ``subscribed`` tells whether the node listens to the camera, as somebody listens to the node;
    ``picture`` is what its monitor says.
    """

    counts: Counts
    times: RecentTimes
    subscribed: bool = False
    lost: int = 0
    missed: int = 0
    transport: str = ''
    reliability: str = ''
    incompatible: str = ''
    matched: str = ''
    depth_hint: str = ''
    picture: PictureReport = field(default_factory=PictureReport)

    @classmethod
    def of(cls, counts: Counts, times: RecentTimes, images: ImageInput, depth_hint: str,
           picture: PictureReport) -> CameraHealth:
        """Return the health of a camera of a configured node."""
        return cls(counts, times, images.is_open, images.lost, images.missed, images.transport,
                   images.reliability_in_use, images.incompatible, images.matched, depth_hint,
                   picture)


@dataclass(frozen=True)
class Health:
    """
    What one beat says.

    ``state`` is the lifecycle state, or ``configuring`` while the network loads; ``reason`` is why
    the last transition failed, and ``warning`` in what the node runs otherwise than asked, each ''
    without one; ``network`` what runs where; ``busy_s`` how long the worker has been busy with the
    frames it took, 0 while it waits; ``simulated_s`` the time of /clock, None where time is real.
    """

    state: str
    reason: str
    warning: str
    network: dict[str, str]
    busy_s: float
    expected_processing_ms: float
    cameras: dict[str, CameraHealth]
    simulated_s: float | None = None


@dataclass(frozen=True)
class Verdict:
    """
    A level of DiagnosticStatus, the words for it, and figures that need more than one beat.

    ``hints`` are what somebody who only reads the log should be told, by what they are about;
    ``news`` that a picture has become bad, or good again, said once.
    """

    level: bytes
    message: str
    values: dict[str, str]
    hints: dict[str, str] = field(default_factory=dict)
    news: str = ''


@dataclass(frozen=True)
class _Beat:
    time: float
    camera: CameraHealth
    listening: bool
    # By which silence is judged: a simulation may be slower than real time, or stand still.
    clock: float


class CameraWatch:
    """Follows one camera from beat to beat and judges it."""

    def __init__(self) -> None:
        self._beats: deque[_Beat] = deque()
        self._quiet_since: float = 0.0
        # Whether an image has come from the publishers that are there.
        self._heard: bool = False
        self._in_range_at: float | None = None
        self._judged_until: float = 0.0
        self._told: frozenset[str] = frozenset()
        self._told_at: float = float('-inf')

    def judge(self, health: Health, name: str, now: float) -> Verdict:
        """Return the verdict on a camera; ``now`` in monotonic seconds, later at every call."""
        camera = health.cameras[name]
        active = health.state == 'active'
        clock = now if health.simulated_s is None else health.simulated_s
        previous = self._follow(_Beat(now, camera, active and camera.subscribed, clock))
        values = self._rates(camera, now)
        frames = camera.times.since(self._judged_until)
        ages = camera.times.arrival_ages_since(self._judged_until)
        self._judged_until = now
        delay = self._delay_ms(frames, health.expected_processing_ms, now)
        if delay is not None:
            values |= {keys.PROCESSING_TIME: f'{delay[0]:.2f}',
                       keys.PROCESSING_IN_RANGE: str(delay[1] == 0.0),
                       keys.PROCESSING_DELAY: f'{delay[1]:.2f}'}
        picture = camera.picture if active and camera.subscribed else PictureReport()
        values |= _picture_values(picture, now)
        problems = list(common_problems(health))
        hints: dict[str, str] = {}
        if active:
            quiet = clock - self._quiet_since
            hints = {about: words for about, words in (
                ('age', _age_hint(ages)), ('bit_depth', camera.depth_hint),
                ('silence', self._silence_hint(camera, quiet))) if words}
            problems += self._count_problems(camera, previous.camera)
            problems += _silence(quiet)
            problems += [(DiagnosticStatus.WARN, words) for words in hints.values()]
            if delay is not None and delay[1] > 0.0:
                problems.append((DiagnosticStatus.WARN,
                                 f'processing took {delay[0]:.0f} ms, expected at most '
                                 f'{health.expected_processing_ms:g} ms'))
        faults = picture.faults if now - picture.time <= PICTURE_FRESH_S else {}
        problems += [(DiagnosticStatus.WARN, words) for words in faults.values()]
        fine = 'active, nobody listens' if active and not camera.subscribed else health.state
        level, message = worst(problems, fine)
        return Verdict(level, message, values, hints, self._news(faults, now))

    def _news(self, faults: Mapping[str, str], now: float) -> str:
        """Return what the log is to say of the picture, '' where it was said or is too soon."""
        if faults.keys() == self._told or now - self._told_at < _TELL_EVERY_S:
            return ''
        self._told, self._told_at = frozenset(faults), now
        return '; '.join(faults.values()) or 'the picture is good again'

    def _follow(self, beat: _Beat) -> _Beat:
        """Note a beat and return the one before it, or itself where it is the first."""
        counts = beat.camera.counts
        if self._beats and counts.received < self._beats[-1].camera.counts.received:
            self._beats.clear()  # the node counts from zero again
        previous = self._beats[-1] if self._beats else beat
        received = counts.received > previous.camera.counts.received
        # The clock may jump back, or change from real to simulated.
        if (not (beat.listening and previous.listening) or previous is beat or received
                or not 0.0 <= beat.clock - previous.clock <= _LONGEST_BEAT_S):
            self._quiet_since = beat.clock
        self._heard = received or (self._heard and (
            beat.camera.matched == previous.camera.matched or not beat.listening))
        self._beats.append(beat)
        while beat.time - self._beats[0].time > RATE_WINDOW_S + 0.5:
            self._beats.popleft()
        return previous

    def _rates(self, camera: CameraHealth, now: float) -> dict[str, str]:
        first = self._beats[0]
        seconds = now - first.time
        if seconds <= 0.0:
            return {}
        before, now_counts = first.camera.counts, camera.counts
        return {keys.INPUT_RATE: f'{(now_counts.received - before.received) / seconds:.2f}',
                keys.OUTPUT_RATE: f'{(now_counts.published - before.published) / seconds:.2f}'}

    def _delay_ms(self, frames: list[tuple[float, dict[str, float]]], expected: float, now: float
                  ) -> tuple[float, float] | None:
        """
        Return the last mask's processing time and how long it has been too long, in milliseconds.

        The second is 0 where the last one was not, as in Autoware: the time since the last mask
        that was in time. None where no mask was published since the last beat.
        """
        if not frames:
            return None
        for moment, stages in frames:
            if stages['processing'] <= expected or self._in_range_at is None:
                self._in_range_at = moment
        last = frames[-1][1]['processing']
        assert self._in_range_at is not None
        return last, 0.0 if last <= expected else 1e3 * (now - self._in_range_at)

    def _count_problems(self, camera: CameraHealth, before: CameraHealth
                        ) -> list[tuple[bytes, str]]:
        problems = []
        dropped, dropped_before = camera.counts.dropped, before.counts.dropped
        if dropped[Drop.ERROR] > dropped_before[Drop.ERROR]:
            problems.append((DiagnosticStatus.ERROR,
                             'images could not be segmented in the last second'))
        if camera.incompatible:
            problems.append((DiagnosticStatus.WARN, camera.incompatible))
        if dropped[Drop.MALFORMED] > dropped_before[Drop.MALFORMED]:
            problems.append((DiagnosticStatus.WARN, 'malformed images in the last second'))
        if camera.lost > before.lost:
            problems.append((DiagnosticStatus.WARN,
                             f'{camera.lost - before.lost} images lost before the node in the '
                             'last second'))
        first = self._beats[0].camera.counts
        received = camera.counts.received - first.received
        late = sum(dropped[drop] - first.dropped[drop] for drop in (Drop.REPLACED, Drop.TOO_OLD))
        if received >= _ENOUGH_IMAGES and 2 * late > received:
            problems.append((DiagnosticStatus.WARN,
                             f'{late} of the last {received} images came too fast or too late'))
        return problems

    def _silence_hint(self, camera: CameraHealth, quiet: float) -> str:
        """Say why a publisher may be there and yet not be heard; '' where it was, or is new."""
        if not camera.matched or self._heard or quiet < QUIET_HINT_S:
            return ''
        return (f'{camera.matched} is matched but silent: if it publishes, it belongs to another '
                'user, or to a container without a common /dev/shm (docker run --ipc=host)')


def _silence(quiet: float) -> list[tuple[bytes, str]]:
    if quiet < QUIET_WARN_S:
        return []
    level = DiagnosticStatus.STALE if quiet >= QUIET_STALE_S else DiagnosticStatus.WARN
    return [(level, f'no image for {quiet:.0f} s')]


def common_problems(health: Health) -> list[tuple[bytes, str]]:
    """Return what is wrong with the node as a whole, as (level, words)."""
    problems = []
    if health.reason:
        problems.append((DiagnosticStatus.ERROR, health.reason))
    if health.busy_s >= STUCK_S:
        problems.append((DiagnosticStatus.ERROR,
                         f'the worker has been busy with one batch for {health.busy_s:.0f} s'))
    return problems


def worst(problems: list[tuple[bytes, str]], fine: str) -> tuple[bytes, str]:
    """Return the most serious level and all words, the most serious first; else OK and ``fine``."""
    order = (DiagnosticStatus.ERROR, DiagnosticStatus.STALE, DiagnosticStatus.WARN)
    ranked = sorted(problems, key=lambda problem: order.index(problem[0]))
    if not ranked:
        return DiagnosticStatus.OK, fine
    return ranked[0][0], '; '.join(words for _, words in ranked)


def _picture_values(picture: PictureReport, now: float) -> dict[str, str]:
    if now - picture.time > PICTURE_FRESH_S:
        return {}
    return {keys.PICTURE_FAULTS: ', '.join(picture.faults)} | {
        f'{keys.PICTURE_PREFIX}{name}': f'{value:.3g}' for name, value in picture.values.items()}


def _age_hint(ages_ms: list[float]) -> str:
    # The median: when a bag begins anew, one image may be judged by the wrong clock.
    age = float(np.median(ages_ms)) if ages_ms else 0.0
    if abs(age) <= AGE_LIMIT_MS:
        return ''
    where = 'old' if age > 0 else 'in the future'
    return (f'images are {abs(age) / 1e3:.0f} s {where}: a bag needs use_sim_time on this node '
            'and --clock on its player')
