# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the node leaves behind, and a start without shared memory, with real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from node_client import PACKAGED, Client, wait_for_end
from node_client import running as running_node
from source_tree import ROOT

SHARED = '/dev/shm'
# A shared memory of its own, which ends with it, and what is done there first.
OWN = 'mount -t tmpfs -o size={size} tmpfs /dev/shm && {before} && '


def mapped(pid: int | str) -> set[str]:
    """Return the Fast DDS files in shared memory that a process has mapped."""
    lines = Path(f'/proc/{pid}/maps').read_text().splitlines()
    return {line.split()[-1] for line in lines if f'{SHARED}/fastdds_' in line}


def start_in_own_memory(size: str, before: str, *arguments: str, after: str = ''
                        ) -> subprocess.Popen[str]:
    """Start the node with a /dev/shm of its own; skip where that is not allowed."""
    if subprocess.run(['unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs', SHARED],
                      capture_output=True).returncode:
        pytest.skip('expected to be allowed to mount a tmpfs in a namespace of its own')
    node = f'{sys.executable} -m fcn_seg_ros seg_node --ros-args ' + ' '.join(arguments)
    script = OWN.format(size=size, before=before)
    script += f'{{ {node}; {after}; }}' if after else f'exec {node}'
    return subprocess.Popen(['unshare', '-m', 'sh', '-c', script], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def until_log_has(node: subprocess.Popen[str], words: str) -> str:
    """Read what a node prints to stderr until some words come; return it."""
    lines = ''
    for line in node.stderr:
        lines += line
        if words in line:
            return lines
    raise AssertionError(lines)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_clean_end_leaves_nothing_in_shared_memory_nor_in_the_graph(number):
    client = Client(outputs=('mask',))
    before = {str(path) for path in Path(SHARED).iterdir()}
    try:
        with running_node(*PACKAGED) as node:
            client.connect()
            own = mapped(node.pid) - before
            assert len(own) >= 2 and any(os.stat(path).st_size > 2**24 for path in own)
            node.send_signal(number)
            assert wait_for_end(node).count('Traceback') == 0
            client.until(lambda: 'seg_node' not in client.node.get_node_names(), 5.0)
        # A port stays as long as anybody has it open, here the client.
        assert not {path for path in own - mapped('self') if os.path.exists(path)}
    finally:
        client.close()


def test_a_refused_start_leaves_nothing():
    node = start_in_own_memory('64m', 'true', '-p', 'threshold:=7.0',
                               after='echo status $?; ls /dev/shm')
    output, errors = node.communicate(timeout=120)
    assert 'status 2' in output and 'threshold' in errors
    assert 'fastdds' not in output


def test_a_start_that_hangs_is_told_and_obeys_a_signal():
    """An empty port is waited for without end, with the interpreter's lock held."""
    domain = int(os.environ['ROS_DOMAIN_ID'])
    ports = [7000, *(7400 + 250 * domain + offset for offset in range(10, 30))]
    # Young ones: they may be in the making, so that the node does not remove them.
    before = ' && '.join(f'touch -d "+1 hour" {SHARED}/fastdds_port{port}' for port in ports)
    node = start_in_own_memory('64m', before, *PACKAGED)
    until_log_has(node, 'joining ROS has taken 5 s so far')
    start = time.monotonic()
    node.send_signal(signal.SIGINT)
    _, errors = node.communicate(timeout=60)
    assert node.returncode == -signal.SIGKILL and 'did not react to a signal' in errors
    assert time.monotonic() - start < 3.0 + 0.5 * os.getloadavg()[0]


def test_leftovers_that_would_hang_it_are_removed():
    domain = int(os.environ['ROS_DOMAIN_ID'])
    ports = [7000, *(7400 + 250 * domain + offset for offset in range(10, 30))]
    before = ' && '.join(f'touch -d "-1 minute" {SHARED}/fastdds_port{port} '
                         f'{SHARED}/sem.fastdds_port{port}_mutex' for port in ports)
    node = start_in_own_memory('64m', before, *PACKAGED)
    until_log_has(node, 'ready after')
    node.send_signal(signal.SIGINT)
    assert wait_for_end(node) is not None and node.returncode == 0


@pytest.mark.parametrize('free_kb', [100, 544, 600, 2000])
def test_without_room_it_starts_and_says_what_that_means(free_kb):
    """So little fills up in the middle of joining."""
    node = start_in_own_memory(f'{free_kb}k', 'true', *PACKAGED)
    client = Client(outputs=('mask',))
    try:
        errors = until_log_has(node, 'ready after')
        assert 'seg_node: warning: /dev/shm: expected 18 MB free, found' in errors
        if free_kb == 100:  # with more, it takes this process, which has another, for a neighbour
            client.until(lambda: any('images travel over UDP' in text for text in client.messages))
        node.send_signal(signal.SIGINT)
        wait_for_end(node)
        assert node.returncode == 0
    finally:
        client.close()
        node.kill()


def test_with_next_to_nothing_it_says_why_not():
    node = start_in_own_memory('40k', 'true', *PACKAGED)
    _, errors = node.communicate(timeout=60)
    assert node.returncode == 2
    assert errors.startswith('seg_node: error: /dev/shm: expected at least 64 kB free, found 40 kB')
