# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frames are counted exactly once, whatever happens between the threads."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from fcn_seg_ros.node.frame_slot import Drop, FrameSlots


def adds_up(counts):
    return counts.received == (counts.published + sum(counts.dropped.values())
                               + counts.in_flight)


@given(st.lists(st.sampled_from(['put a', 'put b', 'take', 'ok', 'error', 'open', 'close'])))
def test_counts_always_add_up(steps):
    slots, taken = FrameSlots(['a', 'b']), []
    for step in steps:
        if step.startswith('put'):
            slots.put(step[-1], object())
        elif step == 'take':
            item = slots.take(timeout=0)
            taken += [item[0]] if item else []
        elif step in ('ok', 'error') and taken:
            slots.finish(taken.pop(), Drop.ERROR if step == 'error' else None)
        elif step == 'open':
            slots.open()
        elif step == 'close':
            slots.close()
        assert all(adds_up(c) and 0 <= c.in_flight <= 2 + len(taken)
                   for c in slots.counts().values())


def test_only_the_newest_waits():
    slots = FrameSlots(['a'])
    slots.open()
    for frame in range(5):
        slots.put('a', frame)
    assert slots.take(timeout=0) == ('a', 4)
    assert slots.take(timeout=0) is None
    slots.finish('a')
    counts = slots.counts()['a']
    assert (counts.received, counts.published, counts.dropped[Drop.REPLACED]) == (5, 1, 4)


def test_a_fast_camera_does_not_starve_a_slow_one():
    slots = FrameSlots(['slow', 'fast'])
    slots.open()
    slots.put('fast', 0)
    slots.put('slow', 0)
    slots.put('fast', 1)
    order = []
    for _ in range(4):
        camera, _ = slots.take(timeout=0)
        order.append(camera)
        slots.finish(camera)
        slots.put('fast', 2)
        if camera == 'slow':
            slots.put('slow', 1)
    assert order == ['fast', 'slow', 'fast', 'slow']


def test_cameras_that_fire_together_take_turns():
    """Of two whose slots are empty when all fire, the first to fire must not win every time."""
    slots = FrameSlots(['left', 'front', 'right'])
    slots.open()
    served = []
    for fires, takes in (('left front right', 2), ('left front', 2), ('left front right', 2)):
        for camera in fires.split():
            slots.put(camera, 0)
        for _ in range(takes):
            camera, _ = slots.take(timeout=0)
            served.append(camera)
            slots.finish(camera)
    assert served == ['left', 'front', 'right'] * 2


def test_closed_slots_count_as_inactive():
    slots = FrameSlots(['a'])
    slots.put('a', 0)
    slots.open()
    slots.put('a', 1)
    slots.close()
    assert slots.take(timeout=0) is None
    assert slots.counts()['a'].dropped[Drop.INACTIVE] == 2


def test_threads():
    slots, stop = FrameSlots(['a', 'b']), threading.Event()
    slots.open()

    def work():
        while not stop.is_set():
            item = slots.take(timeout=0.01)
            if item:
                slots.finish(item[0], Drop.TOO_OLD if item[1] % 7 == 0 else None)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for number in range(5000):
        slots.put('ab'[number % 2], number)
    deadline = time.monotonic() + 10
    while any(c.in_flight for c in slots.counts().values()) and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    for worker in workers:
        worker.join()
    for counts in slots.counts().values():
        assert counts.received == 2500 and counts.in_flight == 0 and adds_up(counts)
