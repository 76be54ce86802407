# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A road grid that remembers obstacles, carried along by odometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.grid import UNSEEN, GridSpec
from fcn_seg_ros.ground.motion import PlanarPose, turned

# What an odometry that stands still may turn between two frames, rad.
_LEAST_TURN = 0.02


@dataclass(frozen=True)
class TemporalOptions:
    """
    How evidence is kept.

    A cell that was not road is free again after ``frames`` frames in a row that show road there. A
    cell that is no longer seen is remembered as not road for ``keep_s`` seconds. The memory is
    cleared after a gap of more than ``gap_s`` seconds between frames, and by motion faster than
    ``speed`` (m/s) or ``turn`` (rad/s), which no vehicle has.
    """

    frames: int = 3
    keep_s: float = 3.0
    gap_s: float = 0.5
    speed: float = 60.0
    turn: float = 3.0


class TemporalFilter:
    """
    Keeps what is not road until it is seen to be road again.

    What is not road in the latest frame is so at once. The memory is a square of cells fixed to the
    ground around the vehicle, so that slow motion is not lost in rounding; as the vehicle moves,
    cells leave it on one side and enter it, empty, on the other.
    """

    def __init__(self, spec: GridSpec, options: TemporalOptions | None = None) -> None:
        self.options = options or TemporalOptions()
        self._cell = spec.cell
        x, y = spec.centres()
        self._centres = x.ravel(), y.ravel()
        reach = float(np.hypot(np.abs(x).max(), np.abs(y).max()))
        self._size = 2 * int(np.ceil(reach / spec.cell)) + 4
        cells = self._size * self._size
        # Frames of road still wanted, the value to publish until then, when it was last not road.
        self._wanted = np.zeros(cells, np.uint8)
        self._value = np.zeros(cells, np.int8)
        self._at = np.zeros(cells, np.float32)
        # The numbers of the memory's first cells along x and y, in the odometry's frame.
        self._first: tuple[int, ...] | None = None
        self._begin = 0.0
        self._last: tuple[float, PlanarPose] | None = None
        #: Why the memory was cleared at the latest frame, '' if it was not.
        self.reset_by = ''

    def update(self, grid: np.ndarray, stamp: float, pose: PlanarPose | None, highest: float
               ) -> np.ndarray:
        """
        Change a frame's grid, int8 (rows, columns), in place and return it.

        ``stamp`` is in seconds, ``pose`` that of the base frame at that time, None if unknown.
        Values up to ``highest`` are free. Free and unseen cells may become not road; what is not
        road stays as it is.
        """
        self.reset_by = self._fault(stamp, pose)
        if self.reset_by or self._last is None:
            self._clear(stamp)
        if pose is None or not pose.is_finite:
            self._last = None
            return grid
        self._last = stamp, pose
        self._follow(pose)
        index, values = self._cells(pose), grid.reshape(-1)
        now = np.float32(stamp - self._begin)
        blocked, free = values > highest, (values >= 0) & (values <= highest)
        wanted = self._wanted.take(index)
        wanted[(values == UNSEEN) & (now - self._at.take(index) > self.options.keep_s)] = 0
        wanted -= free & (wanted > 0)
        held = (wanted > 0) & ~blocked
        values[held] = self._value.take(index[held])
        self._wanted[index] = wanted
        # Afterwards, since two cells of a turned grid may share one of the memory.
        at = index[blocked]
        self._wanted[at], self._value[at] = self.options.frames, values[blocked]
        self._at[at] = now
        return grid

    def _fault(self, stamp: float, pose: PlanarPose | None) -> str:
        """Return why the memory cannot be carried to this frame, '' if it can."""
        if pose is None or not pose.is_finite:
            return "no odometry at the image's time"
        if self._last is None:
            return ''
        before, last = self._last
        seconds = stamp - before
        if seconds < 0.0:
            return f'time went back by {-seconds:.2f} s'
        if seconds > self.options.gap_s:
            return f'{seconds:.2f} s without a frame'
        moved = float(np.hypot(pose.x - last.x, pose.y - last.y))
        turn = abs(turned(last.yaw, pose.yaw))
        if moved > self.options.speed * seconds + self._cell or (
                turn > self.options.turn * seconds + _LEAST_TURN):
            return (f'odometry jumped by {moved:.1f} m and {np.rad2deg(turn):.0f} degrees in '
                    f'{seconds:.2f} s')
        return ''

    def _clear(self, stamp: float) -> None:
        self._wanted.fill(0)
        self._begin, self._first = stamp, None

    def _follow(self, pose: PlanarPose) -> None:
        """Move the memory with the vehicle; clear the rows and columns of cells that enter it."""
        first = tuple(int(np.floor(at / self._cell)) - self._size // 2 for at in (pose.x, pose.y))
        if self._first is not None:
            wanted = self._wanted.reshape(self._size, self._size)
            for axis, (old, new) in enumerate(zip(self._first, first, strict=True)):
                shift = new - old
                entered = np.arange(min(abs(shift), self._size))
                entered = (old + entered if shift > 0 else new + entered) % self._size
                if axis == 0:
                    wanted[entered] = 0
                else:
                    wanted[:, entered] = 0
        self._first = first

    def _cells(self, pose: PlanarPose) -> np.ndarray:
        """Return the number of the memory's cell below the centre of each of the grid's."""
        x, y = self._centres
        sine, cosine = np.sin(pose.yaw), np.cos(pose.yaw)
        row = np.floor((pose.x + cosine * x - sine * y) / self._cell).astype(np.intp) % self._size
        column = np.floor((pose.y + sine * x + cosine * y) / self._cell).astype(np.intp)
        return row * self._size + column % self._size
