# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The watch over a start: it ends what a library holds, and says what goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from source_tree import ROOT

# A library that keeps the interpreter's lock: no Python code of that process runs any more.
HELD = """
import ctypes
from fcn_seg_ros import start_watch
from fcn_seg_ros.stop_signal import StopSignal
start_watch.TELL_S, start_watch.GIVE_UP_S, start_watch.OBEY_S = {tell}, {give_up}, 0.2
stopped = StopSignal()
watch = start_watch.StartWatch('node')
{joining}
print('held', flush=True)
library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)
library.usleep({held_us})
if {for_ever}:
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
watch.done()
print('done', stopped.number, flush=True)
"""


def start(tell: float = 60.0, give_up: float = 60.0, held_s: float | None = None,
          joining: bool = True) -> subprocess.Popen[str]:
    """Start a process that is held so long, None for ever."""
    code = HELD.format(tell=tell, give_up=give_up, held_us=round(1e6 * (held_s or 0.0)),
                       for_ever=held_s is None,
                       joining='watch.joining()' if joining else '')
    process = subprocess.Popen([sys.executable, '-c', code], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == 'held\n'
    return process


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('joining', [True, False])
def test_a_start_that_does_not_obey_a_signal_is_killed(number, joining):
    process = start(joining=joining)
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL and output == ''
    assert errors == 'node: killed: it did not react to a signal while joining ROS\n'


def test_a_start_that_obeys_a_signal_is_not():
    process = start(held_s=0.05)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, '') and output.startswith('done')


def test_a_long_start_is_told_and_goes_on():
    output, errors = start(tell=0.1, held_s=1.0).communicate(timeout=30)
    assert output == 'done 0\n'
    assert errors.startswith('node: joining ROS has taken 0.1 s so far.') and '/dev/shm' in errors
    assert errors.count('\n') == 1


def test_an_endless_start_is_given_up():
    process = start(give_up=0.3)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL and 'still joining ROS after 0.3 s' in errors


def test_what_comes_before_joining_may_take_long():
    output, errors = start(tell=0.1, give_up=0.2, held_s=0.6, joining=False).communicate(timeout=30)
    assert (output, errors) == ('done 0\n', '')


def test_the_watch_ends_with_its_parent():
    process = start()
    children = subprocess.run(['pgrep', '-P', str(process.pid)], capture_output=True, text=True)
    process.kill()
    process.communicate(timeout=30)
    deadline = time.monotonic() + 20.0
    watch = int(children.stdout)
    while subprocess.run(['ps', '-o', 'stat=', '-p', str(watch)], capture_output=True,
                         text=True).stdout.strip()[:1] not in ('', 'Z'):
        assert time.monotonic() < deadline
        time.sleep(0.05)
