# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Choose how many waiting frames go through the network in one batch."""

from __future__ import annotations

# Weight of the newest measurement in the running mean, which should be recent but ignore outliers.
_NEWEST = 0.2
# A batch must take less than this share of the time its frames would take one by one.
_GAIN = 0.95


class Batching:
    """
    Chooses batch sizes by the times measured on this device.

    On a CPU frames are processed one by one: one frame already uses all cores, so a batch of two
    takes about twice as long, and the first frame would wait for the second. On a GPU a batch of n
    frames is tried once n frames wait, and used as long as each frame takes less time in it than
    alone. With ``max_age_ms`` a batch is no larger than its oldest frame can wait for. Not
    thread-safe.
    """

    def __init__(self, device: str) -> None:
        self._on_cpu = device == 'cpu'
        self._mean_ms: dict[int, float] = {}
        self._seen: set[int] = set()

    def record(self, size: int, milliseconds: float) -> None:
        """Record a batch's time; the first batch of each size is ignored as a warm-up."""
        if size in self._seen:
            before = self._mean_ms.get(size, milliseconds)
            self._mean_ms[size] = before + _NEWEST * (milliseconds - before)
        self._seen.add(size)

    def limit(self, waiting: int, age_ms: float, max_age_ms: float) -> int:
        """
        Return the size of the next batch, 1 to ``waiting``.

        ``age_ms`` is the age of its oldest frame, ``max_age_ms`` the limit, 0 for none.
        """
        if self._on_cpu:
            return 1
        sizes = range(waiting, 1, -1)
        return next((size for size in sizes if self._pays(size)
                     and (not max_age_ms or age_ms + self._predicted_ms(size) <= max_age_ms)), 1)

    def _pays(self, size: int) -> bool:
        known = size in self._mean_ms and 1 in self._mean_ms
        return not known or self._mean_ms[size] < _GAIN * size * self._mean_ms[1]

    def _predicted_ms(self, size: int) -> float:
        return self._mean_ms.get(size, size * self._mean_ms.get(1, 0.0))
