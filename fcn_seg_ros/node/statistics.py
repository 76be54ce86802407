# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Processing times of recent frames, and the age of their masks."""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np

# 100 s of a 10 Hz camera: long enough for a p95, short enough to be recent.
_WINDOW = 1000
_WINDOW_S = 100.0

Summary = tuple[float, float, float]


class RecentTimes:
    """
    Stage times of the last frames in milliseconds, written by one thread and read by another.

    The stage ``age`` is the node's clock at publishing minus the image's stamp: negative if the
    stamp lies in the future or simulated time jumped back. Ages on arrival at the worker are kept
    separately, since images that get no mask have them too.
    """

    def __init__(self) -> None:
        self._frames: deque[tuple[float, dict[str, float]]] = deque(maxlen=_WINDOW)
        self._arrivals: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        self._lock = threading.Lock()

    def add(self, stages: dict[str, float]) -> None:
        """Add one frame's stage times in milliseconds, always of the same stages."""
        with self._lock:
            self._frames.append((time.monotonic(), stages))

    def since(self, moment: float) -> list[tuple[float, dict[str, float]]]:
        """Return (monotonic seconds, stages) of the frames added since a time, oldest first."""
        with self._lock:
            return [entry for entry in self._frames if entry[0] > moment]

    def add_arrival(self, age_ms: float) -> None:
        """Add the age of an image that the worker has taken, even if it gets no mask."""
        with self._lock:
            self._arrivals.append((time.monotonic(), age_ms))

    def arrival_ages_since(self, moment: float) -> list[float]:
        """Return the ages of the images taken since a time in monotonic seconds."""
        with self._lock:
            return [age for taken, age in self._arrivals if taken > moment]

    def percentiles(self) -> dict[str, Summary]:
        """Return (p50, p95, max) of every stage in milliseconds, {} without recent frames."""
        frames = self.since(time.monotonic() - _WINDOW_S)
        if not frames:
            return {}
        names = list(frames[0][1])
        table = np.array([[stages[name] for name in names] for _, stages in frames])
        p50, p95, longest = np.percentile(table, (50, 95, 100), axis=0)
        return {name: (float(p50[i]), float(p95[i]), float(longest[i]))
                for i, name in enumerate(names)}
