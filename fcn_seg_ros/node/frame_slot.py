# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The slots where frames wait, only the newest one of each camera."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Drop(Enum):
    """Why a received frame gets no mask."""

    REPLACED = 'replaced'
    TOO_OLD = 'too_old'
    MALFORMED = 'malformed'
    INACTIVE = 'inactive'
    ERROR = 'error'


@dataclass(frozen=True)
class Counts:
    """
    Counts of what happened to one camera's frames.

    Always ``received == published + sum(dropped.values()) + in_flight``.
    """

    received: int
    published: int
    dropped: dict[Drop, int]
    in_flight: int


@dataclass
class _Camera:
    waiting: Any = None
    order: int = 0
    served: int = 0
    received: int = 0
    published: int = 0
    dropped: dict[Drop, int] = field(default_factory=lambda: dict.fromkeys(Drop, 0))
    in_work: int = 0


class FrameSlots:
    """
    One slot per camera for its latest frame, between executor (``put``) and worker (``take``).

    A frame that arrives while an earlier frame of its camera waits replaces that one. Every frame
    ends up in exactly one count. All methods are thread-safe.
    """

    def __init__(self, cameras: Iterable[str]) -> None:
        self._cameras = {name: _Camera() for name in cameras}
        self._changed = threading.Condition()
        self._open = False
        self._woken = False
        self._arrivals = 0
        self._taken = 0

    def set_cameras(self, cameras: Iterable[str]) -> None:
        """Replace the set of cameras; those that remain keep their counts."""
        with self._changed:
            self._cameras = {name: self._cameras.get(name) or _Camera() for name in cameras}

    def put(self, camera: str, frame: Any) -> None:
        """Store a frame as its camera's newest, or drop it as inactive while closed."""
        with self._changed:
            slot = self._cameras[camera]
            slot.received += 1
            if not self._open:
                slot.dropped[Drop.INACTIVE] += 1
                return
            if slot.waiting is not None:
                slot.dropped[Drop.REPLACED] += 1
            else:
                # A camera keeps its place in the queue when a newer frame replaces the waiting one;
                # otherwise a fast camera would always queue behind a slow one.
                self._arrivals += 1
                slot.order = self._arrivals
            slot.waiting = frame
            self._changed.notify_all()

    def take(self, timeout: float | None = None) -> tuple[str, Any] | None:
        """
        Wait for a frame and return (camera, frame) for the camera that was served longest ago.

        Returns None after ``timeout`` seconds (None: no limit) or a call of ``wake``. The caller
        must call ``finish`` for the frame.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._waiting(self._cameras), timeout)
            self._woken = False
            return next(iter(self._take(self._cameras, 1)), None)

    def take_more(self, cameras: Collection[str], most: int) -> list[tuple[str, Any]]:
        """Return up to ``most`` waiting frames of ``cameras``, in the order of ``take``."""
        with self._changed:
            return self._take(cameras, most)

    def waiting(self, cameras: Collection[str]) -> int:
        """Return how many of ``cameras`` have a waiting frame."""
        with self._changed:
            return len(self._waiting(cameras))

    def wake(self) -> None:
        """Make the current call of ``take``, or else the next one, return."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def finish(self, camera: str, dropped: Drop | None = None) -> None:
        """Count a frame that was taken as published, or as dropped for a reason."""
        with self._changed:
            slot = self._cameras[camera]
            slot.in_work -= 1
            if dropped is None:
                slot.published += 1
            else:
                slot.dropped[dropped] += 1

    def open(self) -> None:
        """Accept frames."""
        with self._changed:
            self._open = True

    def close(self) -> None:
        """Refuse frames, and drop the waiting ones as inactive."""
        with self._changed:
            self._open = False
            for slot in self._cameras.values():
                if slot.waiting is not None:
                    slot.waiting = None
                    slot.dropped[Drop.INACTIVE] += 1

    def counts(self) -> dict[str, Counts]:
        """Return a consistent snapshot of every camera's counts."""
        with self._changed:
            return {name: Counts(slot.received, slot.published, dict(slot.dropped),
                                 slot.in_work + (slot.waiting is not None))
                    for name, slot in self._cameras.items()}

    def _waiting(self, cameras: Collection[str]) -> list[str]:
        """
        Return the names of the cameras with a waiting frame, the one served longest ago first.

        If only the order of arrival counted, the first of several cameras that fire together would
        be served first whenever all slots are empty, and so get a larger share.
        """
        def turn(name: str) -> tuple[int, int]:
            return self._cameras[name].served, self._cameras[name].order
        return sorted((name for name in cameras if self._cameras[name].waiting is not None),
                      key=turn)

    def _take(self, cameras: Collection[str], most: int) -> list[tuple[str, Any]]:
        taken = []
        for name in self._waiting(cameras)[:most]:
            slot = self._cameras[name]
            taken.append((name, slot.waiting))
            slot.waiting = None
            slot.in_work += 1
            self._taken += 1
            slot.served = self._taken
        return taken
