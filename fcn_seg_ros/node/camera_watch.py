# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The level of a camera on /diagnostics.

The first row that applies decides it; the message lists every row that applies.

| level | when |
|---|---|
| ERROR | the last transition failed (its reason) |
| ERROR | the worker has been busy with one batch for 5 s |
| ERROR | images could not be segmented in the last second |
| STALE | active and subscribed, no image for 10 s |
| WARN | active and subscribed, no image for 1 s (of simulated time, if that is used) |
| WARN | active and subscribed, the topic has had no publisher for 5 s |
| WARN | a matched publisher of the topic has sent nothing for 3 s |
| WARN | a publisher of the topic does not match (quality of service or type) |
| WARN | malformed images in the last second |
| WARN | the middleware lost images in the last second |
| WARN | more than half of the images of the last 5 s were replaced by newer ones, or too old |
| WARN | the images of the last second are more than 10 s old, or in the future |
| WARN | 16-bit images never use their upper bits |
| WARN | processing the last mask took longer than ``expected_processing_ms`` |
| WARN | the picture had a fault (``inference/monitor.py``) in the last two seconds |
| WARN | an output that somebody subscribes to cannot be computed: no CameraInfo, no pose |
| WARN | a grid was not filtered in the last two seconds: no odometry, a gap, a jump |
| WARN | the road disagrees with the camera's pose (``ground/horizon_watch.py``) |
| OK | otherwise |

The node's status is ERROR by the first two rows, WARN if it does not run as asked (for instance on
the CPU after a GPU failure), else OK.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.ground.horizon_watch import HorizonReport
from fcn_seg_ros.inference.monitor import PictureReport
from fcn_seg_ros.node.frame_slot import Drop
from fcn_seg_ros.node.health import CameraHealth, Health, Verdict, common_problems, worst

QUIET_WARN_S, QUIET_HINT_S, QUIET_STALE_S = 1.0, 3.0, 10.0
RATE_WINDOW_S = 5.0
AGE_LIMIT_MS = 10_000.0
# An older report says nothing about the present.
PICTURE_FRESH_S = 2.0
# Shortest time between two log lines about a camera's picture.
_TELL_EVERY_S = 10.0
# Simulated time may run faster than real time, but a jump must not count as silence.
_LONGEST_BEAT_S = 60.0
# With fewer images in the window, the share of dropped images is meaningless.
_ENOUGH_IMAGES = 5


@dataclass(frozen=True)
class _Beat:
    time: float
    camera: CameraHealth
    listening: bool
    # Measures silence, since a simulation may be slower than real time or stand still.
    clock: float


class CameraWatch:
    """Follows one camera from one diagnostics message to the next, and judges it."""

    def __init__(self) -> None:
        self._beats: deque[_Beat] = deque()
        self._quiet_since: float = 0.0
        # Whether the current publishers have sent an image.
        self._heard: bool = False
        self._in_range_at: float | None = None
        self._judged_until: float = 0.0
        self._told: frozenset[str] = frozenset()
        self._told_at: float = float('-inf')

    def judge(self, health: Health, name: str, now: float) -> Verdict:
        """Return the verdict on a camera; ``now`` is in monotonic seconds and must not decrease."""
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
        values |= _picture_values(picture, now) | _horizon_values(camera.horizon, now)
        problems = list(common_problems(health))
        hints: dict[str, str] = {}
        if active:
            quiet = clock - self._quiet_since
            hints = self._hints(camera, ages, quiet)
            problems += self._count_problems(camera, previous.camera)
            problems += _silence(quiet)
            problems += _pose_problems(camera, now)
            if camera.subscribed and camera.silent:
                problems.append((DiagnosticStatus.WARN, camera.silent))
            if camera.subscribed and now - camera.memory.time <= PICTURE_FRESH_S:
                problems.append((DiagnosticStatus.WARN,
                                 f'grid not filtered: {camera.memory.reason}'))
            # Without a subscriber nobody waits for images, so the log is enough.
            problems += [(DiagnosticStatus.WARN, words) for about, words in hints.items()
                         if about != 'publisher' or camera.subscribed]
            if delay is not None and delay[1] > 0.0:
                problems.append((DiagnosticStatus.WARN,
                                 f'processing took {delay[0]:.0f} ms, expected at most '
                                 f'{health.expected_processing_ms:g} ms'))
        faults = picture.faults if now - picture.time <= PICTURE_FRESH_S else {}
        problems += [(DiagnosticStatus.WARN, words) for words in faults.values()]
        fine = 'active, nobody subscribes' if active and not camera.subscribed else health.state
        level, message = worst(problems, fine)
        return Verdict(level, message, values, hints, self._news(faults, now))

    def _news(self, faults: Mapping[str, str], now: float) -> str:
        """Return what to log about the picture, '' if it was logged already or too recently."""
        if faults.keys() == self._told or now - self._told_at < _TELL_EVERY_S:
            return ''
        self._told, self._told_at = frozenset(faults), now
        return '; '.join(faults.values()) or 'the picture is good again'

    def _follow(self, beat: _Beat) -> _Beat:
        """Record the present counts and return the previous ones (at first, the present ones)."""
        counts = beat.camera.counts
        if self._beats and counts.received < self._beats[-1].camera.counts.received:
            self._beats.clear()  # the node restarted its counts
        previous = self._beats[-1] if self._beats else beat
        received = counts.received > previous.camera.counts.received
        # The clock may jump back or change from real to simulated time.
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
        Return the last mask's processing time and, if too long, for how long that has been so.

        Both are in milliseconds, as Autoware defines them; the second is 0 if the last mask was in
        time. Returns None if no mask was published since the last message.
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

    def _hints(self, camera: CameraHealth, ages: list[float], quiet: float) -> dict[str, str]:
        hints = {'age': _age_hint(ages), 'bit_depth': camera.depth_hint,
                 'silence': self._silence_hint(camera, quiet), 'publisher': camera.unpublished}
        return {about: words for about, words in hints.items() if words}

    def _silence_hint(self, camera: CameraHealth, quiet: float) -> str:
        """Say why nothing arrives from a matched publisher; '' if something did or it is new."""
        if not camera.matched or self._heard or quiet < QUIET_HINT_S:
            return ''
        return (f'{camera.matched} is matched but silent: if it does publish, it runs as another '
                'user, or in a container that does not share /dev/shm (docker run --ipc=host)')


def _silence(quiet: float) -> list[tuple[bytes, str]]:
    if quiet < QUIET_WARN_S:
        return []
    level = DiagnosticStatus.STALE if quiet >= QUIET_STALE_S else DiagnosticStatus.WARN
    return [(level, f'no image for {quiet:.0f} s')]


def _picture_values(picture: PictureReport, now: float) -> dict[str, str]:
    if now - picture.time > PICTURE_FRESH_S:
        return {}
    return {keys.PICTURE_FAULTS: ', '.join(picture.faults)} | {
        f'{keys.PICTURE_PREFIX}{name}': f'{value:.3g}' for name, value in picture.values.items()}


def _horizon_values(horizon: HorizonReport, now: float) -> dict[str, str]:
    if now - horizon.time > PICTURE_FRESH_S or np.isnan(horizon.error):
        return {}
    return {keys.HORIZON_PITCH: f'{horizon.pitch:.2f}', keys.HORIZON_ERROR: f'{horizon.error:.2f}'}


def _pose_problems(camera: CameraHealth, now: float) -> list[tuple[bytes, str]]:
    horizon = camera.horizon
    if not horizon.fault or not camera.subscribed or now - horizon.time > PICTURE_FRESH_S:
        return []
    return [(DiagnosticStatus.WARN, horizon.fault)]


def _age_hint(ages_ms: list[float]) -> str:
    # The median, since one image may be compared with the wrong clock when a bag restarts.
    age = float(np.median(ages_ms)) if ages_ms else 0.0
    if abs(age) <= AGE_LIMIT_MS:
        return ''
    where = 'old' if age > 0 else 'in the future'
    return (f'images are {abs(age) / 1e3:.0f} s {where}: to replay a bag, set use_sim_time on this '
            'node and play with --clock')
