# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""When frames that wait together go through the network together, and what follows a failure."""

import pytest

from fcn_seg_ros.node.batching import Batching
from fcn_seg_ros.node.failure_policy import FALL_BACK_AFTER, GIVE_UP_AFTER, FailurePolicy, Recovery


def batching(device: str = 'cuda:0', **milliseconds: float) -> Batching:
    """Return a Batching that has seen batches: ``batching(of1=10, of2=12)``."""
    made = Batching(device)
    for name, value in milliseconds.items():
        made.record(int(name.removeprefix('of')), 1000.0)  # compiles
        made.record(int(name.removeprefix('of')), value)
    return made


def test_on_a_cpu_frames_go_one_by_one():
    assert batching('cpu', of1=10.0, of2=11.0).limit(3, 0.0, 0.0) == 1


def test_on_a_gpu_all_that_wait_go_together_until_it_does_not_pay():
    assert batching().limit(3, 0.0, 0.0) == 3
    assert batching(of1=10.0, of3=20.0).limit(3, 0.0, 0.0) == 3
    assert batching(of1=10.0, of3=31.0).limit(3, 0.0, 0.0) == 2
    assert batching(of1=10.0, of2=20.0, of3=31.0).limit(3, 0.0, 0.0) == 1
    assert batching().limit(1, 0.0, 0.0) == 1


@pytest.mark.parametrize(('age_ms', 'size'), [(0.0, 3), (29.0, 3), (31.0, 2), (39.0, 1),
                                              (500.0, 1)])
def test_a_batch_is_as_large_as_its_oldest_frame_allows(age_ms, size):
    # Of two nothing is known but what one takes: twice that is assumed.
    assert batching(of1=8.0, of3=20.0).limit(3, age_ms, 50.0) == size


def test_what_a_batch_takes_is_followed():
    made = batching(of1=10.0, of2=12.0)
    for _ in range(30):
        made.record(2, 25.0)
    assert made.limit(2, 0.0, 0.0) == 1


def test_a_device_that_fails_is_tried_again_ever_later_then_left():
    policy = FailurePolicy()
    assert policy.delay_s == 0.0
    recoveries, delays = [], []
    for _ in range(FALL_BACK_AFTER + 9):
        recoveries.append(policy.device_failed(RuntimeError('out\nof memory'), lost=False))
        delays.append(policy.delay_s)
    assert policy.reason == 'RuntimeError: out of memory'
    assert [number for number, recovery in enumerate(recoveries, start=1)
            if recovery is Recovery.FALL_BACK] == [3, 6, 9, 12]
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8] and max(delays) == 5.0
    policy.succeeded()
    assert policy.delay_s == 0.0 and policy.reason == ''
    assert policy.device_failed(RuntimeError('gone'), lost=True) is Recovery.FALL_BACK


def test_only_unexplained_errors_in_a_row_end_the_process():
    policy = FailurePolicy()
    for _ in range(3):
        recoveries = [policy.unexplained(ValueError('x')) for _ in range(GIVE_UP_AFTER - 1)]
        assert set(recoveries) == {Recovery.RETRY} and policy.delay_s == 0.0
        policy.succeeded()
    for _ in range(GIVE_UP_AFTER - 1):
        policy.unexplained(ValueError('x'))
    assert policy.unexplained(ValueError('x')) is Recovery.GIVE_UP
