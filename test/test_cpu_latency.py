# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The request that processors wake up fast: when it is held, and what happens where it cannot."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from node_client import FAST, Client, image_message, running, start_node, wait_for_end

from fcn_seg_ros.node import cpu_latency
from fcn_seg_ros.node.cpu_latency import CpuLatency


class Logger:
    """Keeps warnings."""

    def __init__(self):
        self.warnings = []

    def warning(self, text):
        self.warnings.append(text)

    def debug(self, text):
        pass


@pytest.fixture
def device(tmp_path, monkeypatch) -> Path:
    """Return a file that stands in for the kernel's."""
    path = tmp_path / 'cpu_dma_latency'
    path.touch()
    monkeypatch.setattr(cpu_latency, 'CPU_LATENCY_DEVICE', str(path))
    return path


def opened(path: Path, process: str = 'self') -> int:
    """Return how often a process has a file open."""
    files = Path(f'/proc/{process}/fd').iterdir()
    return sum(os.path.realpath(file) == str(path) for file in files)


def test_it_is_held_while_anybody_wants_it(device):
    latency = CpuLatency(20, Logger())
    assert opened(device) == 0
    latency.want('left', True)
    latency.want('right', True)
    latency.want('left', True)
    assert opened(device) == 1 and device.read_bytes() == struct.pack('i', 20)
    latency.want('left', False)
    assert opened(device) == 1
    latency.want('right', False)
    latency.want('right', False)
    assert opened(device) == 0
    latency.want('left', True)
    assert opened(device) == 1
    latency.release()
    assert opened(device) == 0 and latency.problem == ''


def test_by_default_nothing_is_asked(device):
    latency = CpuLatency(-1, Logger())
    latency.want('left', True)
    assert opened(device) == 0 and device.read_bytes() == b''


@pytest.mark.parametrize(('path', 'reason'), [
    ('/nowhere/cpu_dma_latency', 'No such file or directory'), ('/', 'Is a directory'),
    ('/dev/full', 'No space left on device')])
def test_where_it_cannot_be_had_there_is_one_warning(monkeypatch, path, reason):
    monkeypatch.setattr(cpu_latency, 'CPU_LATENCY_DEVICE', path)
    logger = Logger()
    latency = CpuLatency(0, logger)
    for _ in range(3):
        latency.want('left', True)
        latency.want('left', False)
    assert logger.warnings == [latency.problem] == [
        f'parameter cpu_latency_us has no effect: cannot write to {path} ({reason})']
    assert path == '/' or opened(Path(path)) == 0


def test_a_node_holds_it_while_somebody_listens(random_checkpoint):
    device = Path('/dev/cpu_dma_latency')
    if not os.access(device, os.W_OK):
        pytest.skip(f'{device} cannot be written here')
    client = Client(outputs=())
    with running('-p', f'checkpoint:={random_checkpoint}', '-p', 'cpu_latency_us:=50',
                 *FAST) as node:
        client.until(lambda: client.status.get('state') == 'active')
        assert opened(device, str(node.pid)) == 0
        mask = client.listen('camera', 'mask')
        client.until(lambda: opened(device, str(node.pid)) == 1)
        client.node.destroy_subscription(mask)
        client.until(lambda: opened(device, str(node.pid)) == 0)
    client.close()


def test_a_node_that_may_not_goes_on_and_says_so(random_checkpoint, rendered_frames):
    client = Client(outputs=('mask',))
    elsewhere = 'import fcn_seg_ros.node.cpu_latency as c; c.CPU_LATENCY_DEVICE = "/nowhere"'
    node = start_node('-p', f'checkpoint:={random_checkpoint}', '-p', 'cpu_latency_us:=0', *FAST,
                      fault=elsewhere)
    try:
        client.connect()
        client.exchange(image_message(rendered_frames[0].image, 4))
        client.until(lambda: any('latency_us has no effect' in text for text in client.messages))
    finally:
        client.close()
        node.send_signal(2)
        output = wait_for_end(node, 20.0)
    assert node.returncode == 0 and output.count('/nowhere') == 1, output
