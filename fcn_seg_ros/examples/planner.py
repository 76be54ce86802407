# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A planner that follows the freespace: keeps right, and stops for what stands in its way.

It needs the scan ``<cam>/road/freespace`` and the vehicle's own motion, nothing else, and no ROS;
planner_node.py is the node around it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.examples.road_edges import RoadEdges, carried
from fcn_seg_ros.examples.vehicle import Vehicle

# The line to follow is known at these distances ahead, metres; the driven path in steps of STEP.
_X = np.arange(0.0, 48.1, 1.0)
STEP = 0.5
# A thing beside the line counts from this far before it to this far behind it, metres.
_BEFORE, _AFTER = 14.0, 12.0
# Points this near along the road are of one thing, metres.
_LENGTHWISE = 1.5
# What a scan saw is remembered for so long once it is too near to be seen, seconds.
_REMEMBERED = 4.0
# The road begins within this many rad of straight ahead, where 2 x _SLIT + 1 rays see far.
_WITHIN, _SLIT = 0.35, 2
# Rays further to the side may begin late, rad.
_ASIDE = 0.4
# Below this speed it passes closer by, m/s.
_SLOW = 3.0
# After so long without a scan the road ahead is another one, seconds.
_GAP = 1.0


@dataclass(frozen=True)
class PlannerOptions:
    """
    How it drives: m/s, m/s^2, metres.

    ``gap`` is kept to what stands ahead, ``keep`` to the right edge, ``clearance`` to anything at
    the sides; ``oncoming`` is left for oncoming vehicles beside the left edge; ``horizon`` is how
    far it looks ahead.
    """

    speed: float = 7.0
    acceleration: float = 1.5
    braking: float = 2.0
    sideways: float = 1.5
    gap: float = 4.0
    keep: float = 0.8
    clearance: float = 0.3
    oncoming: float = 2.9
    horizon: float = 30.0


@dataclass(frozen=True)
class Scan:
    """
    The freespace of a frame, as the LaserScan has it.

    ``bearings`` (rad, rising) and ``ranges`` (metres; inf: free to ``range_max``, NaN: not seen)
    are float64 (rays,); nothing is seen nearer than ``range_min``.
    """

    bearings: np.ndarray
    ranges: np.ndarray
    range_min: float
    range_max: float

    @property
    def ends(self) -> np.ndarray:
        """Return the points at which the road ends, float64 (N, 2): x, y."""
        seen = np.isfinite(self.ranges)
        r, b = self.ranges[seen], self.bearings[seen]
        return np.stack([r * np.cos(b), r * np.sin(b)], axis=1)

    @property
    def furthest(self) -> float:
        """Return the bearing, not far from straight ahead, at which the road is seen furthest."""
        ahead = np.abs(self.bearings) < _WITHIN
        reach = np.where(np.isnan(self.ranges) | ~ahead, 0.0,
                         np.minimum(self.ranges, self.range_max))
        # A slit between two vehicles is no view.
        wide = np.min([np.roll(reach, shift) for shift in range(-_SLIT, _SLIT + 1)], axis=0)
        return float(self.bearings[wide >= wide.max()].mean()) if len(wide) else 0.0

    def is_free(self, points: np.ndarray) -> np.ndarray:
        """
        Return whether points (..., 2) are free as far as is seen.

        What is too near to be in view counts as free, to the sides up to twice as far.
        """
        r, b = np.hypot(points[..., 0], points[..., 1]), np.arctan2(points[..., 1], points[..., 0])
        aside = r < np.where(np.abs(b) > _ASIDE, 2.0, 1.0) * self.range_min
        if not len(self.bearings):
            return aside
        step = (self.bearings[-1] - self.bearings[0]) / max(len(self.bearings) - 1, 1)
        at = np.rint((b - self.bearings[0]) / max(step, 1e-9)).astype(int)
        inside = (at >= 0) & (at < len(self.bearings))
        reach = np.where(inside, self.ranges[np.clip(at, 0, len(self.bearings) - 1)], np.nan)
        seen = r < np.minimum(np.nan_to_num(reach, nan=0.0, posinf=np.inf), self.range_max)
        return seen | (r < self.range_min) | (aside & np.isnan(reach))


@dataclass(frozen=True)
class Plan:
    """
    What to do now.

    ``path``, float64 (N, 3): x, y and direction that the rear axle will take, in base_link, as far
    as the vehicle can go; ``speed`` in m/s; ``curvature`` in 1/m, positive to the left; ``free``,
    how many metres before the front bumper are free on the path.
    """

    path: np.ndarray
    speed: float
    curvature: float
    free: float

    @property
    def yaw_rate(self) -> float:
        """Return the turn that belongs to the speed, rad/s to the left."""
        return self.speed * self.curvature


@dataclass
class _Memory:
    """What was seen and is now too near to be seen: x, y and age, float64 (N, 3)."""

    points: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))

    def update(self, ends: np.ndarray, near: float, forward: float, turned: float,
               seconds: float) -> None:
        """Carry the points along, drop those behind and old ones, add those of a scan."""
        old = self.points
        moved = carried(old[:, :2], forward, turned)
        age = old[:, 2] + seconds
        kept = (moved[:, 0] > -4.0) & (np.hypot(*moved.T) < near) & (age < _REMEMBERED)
        # A point is a candidate while it is in view, and remembered once it no longer is.
        close = ends[np.hypot(*ends.T) < near + 4.0]
        self.points = np.concatenate([
            np.column_stack([moved[kept], age[kept]]),
            np.column_stack([close, np.zeros(len(close))])])


class Planner:
    """Pure pursuit of a line along the right half of the road; call ``plan`` with each scan."""

    def __init__(self, options: PlannerOptions | None = None,
                 vehicle: Vehicle | None = None) -> None:
        self.options = options or PlannerOptions()
        self.vehicle = vehicle or Vehicle()
        self._edges = RoadEdges()
        self._memory = _Memory()
        self._commanded = 0.0

    def plan(self, scan: Scan, speed: float, yaw_rate: float, seconds: float) -> Plan:
        """
        Return what to do.

        ``speed`` (m/s) and ``yaw_rate`` (rad/s, positive to the left) are the vehicle's own;
        ``seconds`` have passed since the last scan. Where no road is known it stops.
        """
        if not 0.0 < seconds < _GAP:
            self._edges = RoadEdges()
            self._memory = _Memory()
            seconds = 0.0
        forward, turned = speed * seconds, yaw_rate * seconds
        ends = scan.ends
        self._memory.update(ends, scan.range_min, forward, turned, seconds)
        if not self._edges.update(ends, scan.furthest, forward, turned):
            self._commanded = 0.0
            return Plan(np.zeros((1, 3)), 0.0, 0.0, 0.0)
        path, curvatures = self._follow(self._line(ends), speed)
        free = self._free(scan, path, speed)
        wanted = min(self._stopping(free, speed), self._in_curve(curvatures))
        # From standstill the ramp has to begin somewhere; a vehicle that lags is not run away from.
        ramp = min(self._commanded, speed + 1.0) + self.options.acceleration * seconds
        self._commanded = min(wanted, ramp)
        return Plan(path[:int(free / STEP) + 1], self._commanded, float(curvatures[0]), free)

    def _line(self, ends: np.ndarray) -> np.ndarray:
        """Return y of the line to follow, at _X."""
        options, width = self.options, self.vehicle.width
        right, left = self._edges.right(_X), self._edges.left(_X)
        own = self._own_half(right, left)
        points = np.concatenate([ends, self._memory.points[:, :2]])
        points = points[points[:, 0] < _X[-1]]
        x, y = points.T
        at = np.interp(x, _X, right)
        room = np.interp(x, _X, own)
        # What reaches nearly across the own half is in the way, not beside it.
        across = x[(y > room - width / 2) & (y < room)]
        beside = (y > at) & (y < room - width / 2)
        beside &= (np.abs(x[:, None] - across) > _LENGTHWISE).all(axis=1)
        near = ((x[None] > _X[:, None] - _AFTER) & (x[None] < _X[:, None] + _BEFORE) & beside[None])
        intrusion = np.where(near, (y - at)[None], 0.0).max(axis=1, initial=0.0)
        # The clearance on the right comes first: what is on the left may come no further.
        nearest = right + intrusion + options.clearance + width / 2
        wanted = np.minimum(right + intrusion + options.keep + width / 2,
                            own - options.clearance - width / 2)
        return np.minimum(np.maximum(wanted, nearest), own - width / 2)

    def _own_half(self, right: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Return y of the left limit of the own half of the road, at _X."""
        options = self.options
        half = np.minimum(left - options.oncoming, (right + left) / 2)
        narrowest = right + self.vehicle.width + 2 * options.clearance
        return np.maximum(half, narrowest)

    def _follow(self, line: np.ndarray, speed: float) -> tuple[np.ndarray, np.ndarray]:
        """Drive along a line by pure pursuit; return poses (N, 3) and the curvatures."""
        ahead = 4.0 + 0.7 * speed
        limit = self.vehicle.most_curved
        poses, curvatures = [np.zeros(3)], []
        for _ in range(int(self.options.horizon / STEP)):
            x, y, direction = poses[-1]
            off = np.hypot(_X - x, line - y)
            far = np.flatnonzero((off >= ahead) & (x < _X))
            goal = int(far[0]) if far.size else len(_X) - 1
            bearing = np.arctan2(line[goal] - y, _X[goal] - x) - direction
            bend = float(np.clip(2.0 * np.sin(bearing) / off[goal], -limit, limit))
            curvatures.append(bend)
            middle = direction + bend * STEP / 2
            poses.append(np.array([x + STEP * np.cos(middle), y + STEP * np.sin(middle),
                                   direction + bend * STEP]))
        return np.array(poses), np.array(curvatures)

    def _free(self, scan: Scan, path: np.ndarray, speed: float) -> float:
        """Return how far the front bumper can go on a path, metres."""
        clearance = self.options.clearance * (0.5 + 0.5 * min(speed / _SLOW, 1.0))
        side = self.vehicle.width / 2 + clearance
        across = np.linspace(-side, side, 7)
        bumper = np.stack([np.full(7, self.vehicle.front), across], axis=1)
        c, s = np.cos(path[:, 2, None]), np.sin(path[:, 2, None])
        points = np.stack([path[:, 0, None] + c * bumper[:, 0] - s * bumper[:, 1],
                           path[:, 1, None] + s * bumper[:, 0] + c * bumper[:, 1]], axis=2)
        blocked = ~scan.is_free(points).all(axis=1) | self._hits(path)
        return float(np.argmax(blocked) * STEP) if blocked.any() else self.options.horizon

    def _hits(self, path: np.ndarray) -> np.ndarray:
        """Return for each pose whether the bumper is at something that is remembered."""
        known = self._memory.points
        right = known[:, 0] - path[:, :1], known[:, 1] - path[:, 1:2]
        c, s = np.cos(path[:, 2:]), np.sin(path[:, 2:])
        forward, aside = c * right[0] + s * right[1], c * right[1] - s * right[0]
        front = self.vehicle.front
        inside = ((forward > front - 1.0) & (forward < front + STEP)
                  & (np.abs(aside) < self.vehicle.width / 2))
        return inside.any(axis=1)

    def _stopping(self, free: float, speed: float) -> float:
        """Return the speed from which it stops before what is ahead."""
        room = free - self.options.gap
        if room <= 0.0 or (speed < 0.1 and room < 1.5):
            return 0.0
        return min(self.options.speed, float(np.sqrt(2.0 * self.options.braking * room)))

    def _in_curve(self, curvatures: np.ndarray) -> float:
        """Return the speed for the sharpest bend of the next metres."""
        sharpest = float(np.abs(curvatures[:int(15.0 / STEP)]).max())
        return float(np.sqrt(self.options.sideways / max(sharpest, 1e-3)))
