# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decode ahead of time, in a thread of its own and no further ahead than a bound."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar('T')

POLL_S = 0.05


class Prefetch(Generic[T]):
    """
    An iterator over ``items`` that a background thread keeps ``depth`` items ahead.

    What ``items`` raises is raised here, after the items before it. ``stop`` is asked while it
    waits: once it returns True the iteration ends.
    """

    def __init__(self, items: Iterable[T], depth: int,
                 stop: Callable[[], bool] = lambda: False) -> None:
        """Start the thread."""
        self._items = items
        self._stop = stop
        self._closed = False
        self._queue: queue.Queue[T] = queue.Queue(depth)
        self._error: BaseException | None = None
        # A daemon: a decoder that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name='prefetch', daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        """Yield the items in their order."""
        while not self._stop():
            # Asked before the queue: what a finished thread has put is all in the queue by then.
            finished = not self._thread.is_alive()
            try:
                yield self._queue.get(block=not finished, timeout=POLL_S)
            except queue.Empty:
                if finished:
                    break
        if self._error is not None and not self._stop():
            raise self._error

    @property
    def is_running(self) -> bool:
        """Tell whether the thread has not ended yet."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End the thread at its next item, and wait for a moment until it has ended."""
        self._closed = True
        self._thread.join(timeout=0.5)

    def _work(self) -> None:
        try:
            for item in self._items:
                while not self._closed:
                    try:
                        self._queue.put(item, timeout=POLL_S)
                        break
                    except queue.Full:
                        continue
                if self._closed:
                    return
        # Carried over to the thread that iterates, whatever it is.
        except BaseException as error:
            self._error = error
