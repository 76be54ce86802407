# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decode ahead in a background thread, up to a limit."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar('T')

POLL_S = 0.05


class Prefetch(Generic[T]):
    """
    An iterator over ``items`` that a background thread reads ahead.

    It reads at least ``least`` items ahead, and more while their total ``size`` is below ``budget``
    bytes. An exception from ``items`` is raised here, after the items before it. The iteration ends
    when ``stop`` returns True.
    """

    def __init__(self, items: Iterable[T], least: int, budget: int, size: Callable[[T], int],
                 stop: Callable[[], bool] = lambda: False) -> None:
        """Start the thread."""
        self._items = items
        self._least = least
        self._budget = budget
        self._size = size
        self._stop = stop
        self._closed = False
        self._ahead: deque[T] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._is_full = False
        self._finished = False
        self._error: BaseException | None = None
        # A daemon: a decoder that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name='prefetch', daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        """Yield the items in order."""
        while not self._stop():
            with self._changed:
                if not self._ahead and not self._finished:
                    self._changed.wait(POLL_S)
                if not self._ahead:
                    if self._finished:
                        break
                    continue
                item = self._ahead.popleft()
                self._bytes -= self._size(item)
                self._is_full = False
                self._changed.notify_all()
            yield item
        if self._error is not None and not self._stop():
            raise self._error

    def wait_until_ahead(self, timeout_s: float) -> None:
        """Wait until the thread is fully ahead, has ended, or the time is up."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not (self._is_full or self._finished or self._stop()):
                remaining = deadline - time.monotonic()
                if remaining <= 0.0:
                    return
                self._changed.wait(min(remaining, POLL_S))

    @property
    def is_running(self) -> bool:
        """Return whether the thread is still running."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End the thread at its next item, and wait briefly for it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout=0.5)

    def _work(self) -> None:
        try:
            for item in self._items:
                with self._changed:
                    while not self._closed and not self._has_room(item):
                        self._is_full = True
                        self._changed.notify_all()
                        self._changed.wait()
                    if self._closed:
                        return
                    self._ahead.append(item)
                    self._bytes += self._size(item)
                    self._changed.notify_all()
        # Raised again in the thread that iterates.
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    def _has_room(self, item: T) -> bool:
        return (len(self._ahead) < self._least
                or self._bytes + self._size(item) <= self._budget)
