# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A road grid that remembers obstacles, carried along by odometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.grid import GridSpec
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


def memory_bits(spec: GridSpec) -> int:
    """Return n where the memory of a grid is a square of 2**n x 2**n cells, of 6 bytes each."""
    (x, y), columns = spec.corner, spec.shape[1]
    reach = float(np.hypot(max(abs(x / spec.cell + 0.5), abs(x / spec.cell + columns - 0.5)),
                           abs(y / spec.cell + 0.5)))
    # A power of two, so that cells are found by their last bits.
    return int(np.ceil(np.log2(2.0 * np.ceil(reach) + 4.0)))


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
        x, y = (edges[:-1] / spec.cell + 0.5 for edges in spec.edges())
        self._centres = x, y
        self._bits = memory_bits(spec)
        self._size = 1 << self._bits
        cells = self._size * self._size
        # Frames of road still wanted, the value to publish until then, when it was last not road;
        # and a spare cell that nobody reads.
        self._wanted = np.zeros(cells + 1, np.uint8)
        self._value = np.zeros(cells + 1, np.int8)
        self._at = np.zeros(cells + 1, np.float32)
        # The numbers of the memory's first cells along x and y, in the odometry's frame.
        self._first: tuple[int, ...] | None = None
        self._begin = 0.0
        self._last: tuple[float, PlanarPose] | None = None
        self._work = _Work(spec.shape)
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
        if pose is None or not pose.is_usable:
            self._last = None
            return grid
        self._last = stamp, pose
        self._follow(pose)
        self._apply(self._cells(pose), grid.reshape(-1), np.float32(stamp - self._begin), highest)
        return grid

    def _apply(self, index: np.ndarray, values: np.ndarray, now: np.float32, highest: float
               ) -> None:
        """Hold what is remembered, then remember what is not road; ``index``: the cells' places."""
        work = self._work
        unseen = np.less(values, 0, out=work.unseen)
        blocked = np.greater(values, highest, out=work.blocked)
        wanted = np.take(self._wanted, index, out=work.wanted, mode='clip')  # others use a buffer
        at = np.take(self._at, index, out=work.at, mode='clip')
        forgotten = np.less(at, now - np.float32(self.options.keep_s), out=work.flags)
        np.putmask(wanted, np.logical_and(forgotten, unseen, out=forgotten), 0)
        held = np.greater(wanted, 0, out=work.flags)
        free = np.logical_not(np.logical_or(unseen, blocked, out=unseen), out=unseen)
        np.subtract(wanted, np.logical_and(held, free, out=free).view(np.uint8), out=wanted)
        np.greater(np.greater(wanted, 0, out=held), blocked, out=held)
        np.copyto(values, np.take(self._value, index, out=work.value, mode='clip'), where=held)
        self._wanted[index] = wanted
        # Afterwards, since two cells of a turned grid may share one of the memory. What is not
        # blocked goes to the spare cell.
        work.place.fill(len(self._wanted) - 1)
        np.copyto(work.place, index, where=blocked)
        self._wanted[work.place], self._at[work.place] = self.options.frames, now
        self._value[work.place] = values

    def _fault(self, stamp: float, pose: PlanarPose | None) -> str:
        """Return why the memory cannot be carried to this frame, '' if it can."""
        if pose is None or not pose.is_usable:
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
            wanted = self._wanted[:-1].reshape(self._size, self._size)
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
        work, last = self._work, self._size - 1
        for out, at, along, across in ((work.index, pose.x, cosine * x, -sine * y),
                                       (work.place, pose.y, sine * x, cosine * y)):
            # Small and positive, so that single precision will do and the cast rounds down.
            start = (at / self._cell) % self._size + self._size
            np.add((across + start).astype(np.float32)[:, None], along.astype(np.float32),
                   out=work.number)
            np.copyto(out, work.number.reshape(-1), casting='unsafe')
            np.bitwise_and(out, last, out=out)
        np.left_shift(work.index, self._bits, out=work.index)
        return np.bitwise_or(work.index, work.place, out=work.index)


class _Work:
    """Arrays for a frame's steps, so that none takes memory anew."""

    def __init__(self, shape: tuple[int, int]) -> None:
        cells = shape[0] * shape[1]
        self.number = np.empty(shape, np.float32)
        self.index, self.place = (np.empty(cells, np.intp) for _ in range(2))
        self.wanted, self.value = np.empty(cells, np.uint8), np.empty(cells, np.int8)
        self.at = np.empty(cells, np.float32)
        self.blocked, self.unseen, self.flags = (np.empty(cells, np.bool_) for _ in range(3))
