# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""When frames are due: as far apart as recorded, whatever that is."""

from __future__ import annotations

import threading
import time

import pytest
from measure_play_times import BAGS

from fcn_seg_ros.drives.drive import rate_of
from fcn_seg_ros.drives.pace import Pace
from fcn_seg_ros.drives.prefetch import Prefetch


def due(pace: Pace, times_s: list[float], turns: int = 1) -> list[float]:
    """Return when each frame is due."""
    return [pace.due_s(round(t * 1e9), index == 0)
            for _ in range(turns) for index, t in enumerate(times_s)]


@pytest.mark.parametrize('name', BAGS)
def test_distances_are_the_recorded_ones(name: str) -> None:
    times = BAGS[name][0]
    assert due(Pace(0.1), [1e9 + t for t in times]) == pytest.approx(times, abs=1e-6)
    assert due(Pace(0.1, speed=4.0), times) == pytest.approx([t / 4 for t in times], abs=1e-6)


def test_a_rate_is_even_whatever_was_recorded() -> None:
    assert due(Pace(0.1, rate_hz=50.0), [0.0, 5.0, 5.1, 90.0], 2) == pytest.approx(
        [i / 50 for i in range(8)])


def test_a_loop_goes_on_one_period_after_the_last_frame() -> None:
    assert due(Pace(0.1), [7.0, 7.1, 9.0], 3) == pytest.approx(
        [0.0, 0.1, 2.0, 2.1, 2.2, 4.1, 4.2, 4.3, 6.2])
    assert due(Pace(0.1, speed=2.0), [7.0, 7.1], 2) == pytest.approx([0.0, 0.05, 0.1, 0.15])


def test_times_that_go_back_do_not_take_the_player_back() -> None:
    assert due(Pace(0.1), [1.0, 1.2, 1.1, 1.3]) == pytest.approx([0.0, 0.2, 0.2, 0.3])


def test_the_rate_of_bursts_and_gaps() -> None:
    for name, (times, _) in BAGS.items():
        rate = rate_of([round(t * 1e9) for t in times[:30]], 10.0)
        assert rate == pytest.approx(30.0, rel=0.01), name
    assert rate_of([5, 5, 5], 10.0) == 10.0
    assert rate_of([0, 10**8], 3.0) == 10.0


def test_prefetch_keeps_within_its_bounds() -> None:
    made: list[int] = []

    def items():
        for index in range(100):
            made.append(index)
            yield bytes(10)
    for least, budget, ahead in ((3, 0, 3), (1, 55, 5), (200, 0, 100)):
        made.clear()
        prefetch = Prefetch(items(), least, budget, len)
        prefetch.wait_until_ahead(5.0)
        # One more is made, and waits for its place.
        assert len(made) == min(ahead + 1, 100)
        assert len(list(prefetch)) == 100
        prefetch.close()
        assert not prefetch.is_running


def test_prefetch_ends_when_asked_and_raises_what_was_raised() -> None:
    def broken():
        yield b'1'
        raise OSError('disk')
    received = []
    with pytest.raises(OSError, match='disk'):
        for item in Prefetch(broken(), 8, 0, len):
            received.append(item)
    assert received == [b'1']
    stop = threading.Event()
    prefetch = Prefetch(iter(lambda: b'x', None), 2, 0, len, stop.is_set)
    next(iter(prefetch))
    stop.set()
    assert list(prefetch) == []
    start = time.monotonic()
    prefetch.close()
    assert not prefetch.is_running and time.monotonic() - start < 0.5
