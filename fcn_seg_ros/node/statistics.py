# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How long the recent frames took."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

# One and a half minutes of a 10 Hz camera: long enough for a p95, short enough to be recent.
_WINDOW = 1000


class RecentTimes:
    """Milliseconds of the stages of the last frames; written by one thread, read by another."""

    def __init__(self) -> None:
        self._frames: deque[dict[str, float]] = deque(maxlen=_WINDOW)
        self._lock = threading.Lock()

    def add(self, stages: dict[str, float]) -> None:
        """Keep the stage times of one frame, in milliseconds."""
        with self._lock:
            self._frames.append(stages)

    def percentiles(self) -> dict[str, tuple[float, float]]:
        """Return (p50, p95) of every stage in milliseconds, nothing before the first frame."""
        with self._lock:
            frames = list(self._frames)
        if not frames:
            return {}
        return {stage: (float(np.percentile([f[stage] for f in frames], 50)),
                        float(np.percentile([f[stage] for f in frames], 95)))
                for stage in frames[0]}
