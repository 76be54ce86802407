# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle is on the plane, at any time that its odometry covers."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# No frame's origin is further away, metres.
_FURTHEST = 1e9
# Poses closer together than this tell the same, seconds.
_LEAST_APART_S = 0.005


@dataclass(frozen=True)
class PlanarPose:
    """A base frame in the odometry's frame: x, y in metres, yaw in rad (REP 103)."""

    x: float
    y: float
    yaw: float

    @classmethod
    def from_quaternion(cls, x: float, y: float, quaternion: Sequence[float]) -> PlanarPose:
        """Return the pose for an orientation (x, y, z, w); yaw is NaN if its length is not 1."""
        qx, qy, qz, qw = quaternion
        if not abs(math.hypot(qx, qy, qz, qw) - 1.0) < 0.01:
            return cls(x, y, math.nan)
        return cls(x, y, math.atan2(2.0 * (qw * qz + qx * qy), 1.0 - 2.0 * (qy * qy + qz * qz)))

    @property
    def is_usable(self) -> bool:
        """Return whether all three are numbers, and the place is on Earth."""
        # The comparisons also refuse NaN.
        return max(abs(self.x), abs(self.y)) <= _FURTHEST and math.isfinite(self.y + self.yaw)


class MotionTrack:
    """
    The latest poses of a vehicle, with their times in seconds.

    Between two poses that are at most ``gap_s`` apart the pose is interpolated; up to
    ``beyond_s`` after the last one it is extrapolated, since odometry may come after the image.
    Of poses that follow each other within 5 ms one is kept, besides the newest: however many come,
    there are never more than ``keep_s`` has room for.
    """

    def __init__(self, gap_s: float = 0.5, beyond_s: float = 0.1, keep_s: float = 5.0) -> None:
        self.gap_s, self.beyond_s, self.keep_s = gap_s, beyond_s, keep_s
        # Replaced as a whole: one thread may add while another one asks.
        self._poses: list[tuple[float, PlanarPose]] = []

    def add(self, stamp: float, pose: PlanarPose) -> None:
        """Add a pose; it begins a new track if it is older than the last or no numbers."""
        poses = self._poses
        if not pose.is_usable or (poses and stamp < poses[-1][0]):
            poses = []
        if pose.is_usable:
            first = bisect.bisect_left(poses, stamp - self.keep_s, key=lambda item: item[0])
            # The newest one goes if it repeats the one before, or if this one replaces it.
            close = bool(poses) and (poses[-1][0] == stamp or (
                len(poses) > 1 and poses[-1][0] - poses[-2][0] < _LEAST_APART_S))
            poses = [*poses[first:len(poses) - close], (stamp, pose)]
        self._poses = poses

    @property
    def ends(self) -> tuple[float, float] | None:
        """Return the times of the first and the last pose, None without any."""
        poses = self._poses
        return (poses[0][0], poses[-1][0]) if poses else None

    def at(self, stamp: float) -> PlanarPose | None:
        """Return the pose at a time, None where the track has none."""
        poses = self._poses
        if len(poses) < 2:
            return poses[0][1] if poses and poses[0][0] == stamp else None
        after = bisect.bisect_left(poses, stamp, key=lambda item: item[0])
        if after == len(poses):
            if stamp - poses[-1][0] > self.beyond_s:
                return None
            after -= 1
        if after == 0:
            return poses[0][1] if poses[0][0] == stamp else None
        (begin, a), (end, b) = poses[after - 1], poses[after]
        if end - begin > self.gap_s:
            return b if stamp == end else None
        part = (stamp - begin) / (end - begin)
        return PlanarPose(a.x + part * (b.x - a.x), a.y + part * (b.y - a.y),
                          a.yaw + part * turned(a.yaw, b.yaw))


def turned(before: float, after: float) -> float:
    """Return the angle between two headings, in rad from -pi to pi."""
    return float((after - before + np.pi) % (2.0 * np.pi) - np.pi)
