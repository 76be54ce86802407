# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A snapshot of the health of the node and its cameras."""

from __future__ import annotations

from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ROSClock

from fcn_seg_ros.ground.horizon_watch import HorizonReport
from fcn_seg_ros.inference.monitor import PictureReport
from fcn_seg_ros.node.frame_slot import Counts
from fcn_seg_ros.node.grid_memory import MemoryReport
from fcn_seg_ros.node.statistics import RecentTimes

STUCK_S = 5.0


@dataclass(frozen=True)
class CameraHealth:
    """
    A snapshot of one camera.

    ``lost``, ``missed``, ``incompatible``, ``matched`` and ``reliability`` come from its
    ImageInput, ``unpublished`` from its PublisherWatch, ``picture`` from its monitor, ``silent``
    from its CameraOutputs, ``horizon`` from its HorizonWatch, ``memory`` from its GridMemory;
    ``subscribed`` means that the node subscribes to the images, since somebody subscribes to an
    output.
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
    unpublished: str = ''
    depth_hint: str = ''
    picture: PictureReport = field(default_factory=PictureReport)
    silent: str = ''
    horizon: HorizonReport = field(default_factory=HorizonReport)
    memory: MemoryReport = field(default_factory=MemoryReport)


@dataclass(frozen=True)
class Health:
    """
    A snapshot of the node and its cameras.

    ``state`` is the lifecycle state. ``reason`` says why the last transition failed, ``warning``
    how the node deviates from what was asked for; each is '' otherwise. ``network`` says what runs
    where, ``busy_s`` how long the worker has been busy with its batch (0 while it waits),
    ``simulated_s`` is the time on /clock, None if time is real; ``outputs`` are facts about those
    that the cameras share.
    """

    state: str
    reason: str
    warning: str
    network: dict[str, str]
    busy_s: float
    expected_processing_ms: float
    cameras: dict[str, CameraHealth]
    simulated_s: float | None = None
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """
    A level of DiagnosticStatus, a message, and values computed over time.

    ``hints`` are warnings by topic, to be logged as well; ``news`` is a change in the picture's
    faults, reported once.
    """

    level: bytes
    message: str
    values: dict[str, str]
    hints: dict[str, str] = field(default_factory=dict)
    news: str = ''


def simulated_seconds(clock: Clock) -> float | None:
    """Return the time on /clock in seconds, None before the first message or if time is real."""
    seconds: float = clock.now().nanoseconds / 1e9
    simulated = isinstance(clock, ROSClock) and clock.ros_time_is_active
    return seconds if simulated and seconds > 0.0 else None


def common_problems(health: Health) -> list[tuple[bytes, str]]:
    """Return what is wrong with the node as a whole, as (level, message) pairs."""
    problems = []
    if health.reason:
        problems.append((DiagnosticStatus.ERROR, health.reason))
    if health.busy_s >= STUCK_S:
        problems.append((DiagnosticStatus.ERROR,
                         f'the worker has been busy with one batch for {health.busy_s:.0f} s'))
    return problems


def worst(problems: list[tuple[bytes, str]], fine: str) -> tuple[bytes, str]:
    """Return the worst level and all messages, worst first; OK and ``fine`` without any."""
    order = (DiagnosticStatus.ERROR, DiagnosticStatus.STALE, DiagnosticStatus.WARN)
    ranked = sorted(problems, key=lambda problem: order.index(problem[0]))
    if not ranked:
        return DiagnosticStatus.OK, fine
    return ranked[0][0], '; '.join(words for _, words in ranked)
