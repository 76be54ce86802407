# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""seg_node's lifecycle over the real middleware: transitions, signals, death and respawn."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from node_client import (
    ACTIVATE,
    CLEANUP,
    CONFIGURE,
    DEACTIVATE,
    FAST,
    Client,
    image_message,
    running,
    start_node,
    wait_for_end,
)

from fcn_seg_ros.cli.seg_node import _import
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.messages import from_image

# The promise; a machine with a loaded processor gets some grace on top.
STOP_S = 2.0


@pytest.fixture
def client():
    """Return a client of one camera."""
    client = Client(outputs=('mask',))
    yield client
    client.close()


def test_a_manager_walks_it_through_its_states(client, random_checkpoint, rendered_frames):
    """As Nav2's lifecycle_manager does: change_state and get_state, without autostart or bond."""
    message = image_message(rendered_frames[0].image, 4)
    with running('-p', f'checkpoint:={random_checkpoint}', '-p', 'autostart:=false', *FAST):
        assert client.state() == 'unconfigured'
        client.until(lambda: client.status.get('state') == 'unconfigured')
        assert client.node.count_publishers('camera/road/mask') == 0
        assert client.set('device', 'cuda:7').successful  # it may, but cannot be configured with it
        assert not client.change(CONFIGURE) and client.state() == 'unconfigured'
        client.until(lambda: any('CUDA devices that PyTorch finds' in text
                                 for text in client.messages))
        assert client.set('device', 'cpu').successful
        expected = None
        for _ in range(3):
            assert client.change(CONFIGURE) and client.state() == 'inactive'
            client.until(lambda: client.status['state'] == 'inactive')
            client.until(lambda: client.node.count_publishers('camera/road/mask') == 1)
            assert client.publishers['camera'].get_subscription_count() == 0
            for _ in range(2):
                assert client.change(ACTIVATE) and client.state() == 'active'
                client.connect()
                mask = from_image(client.exchange(message)['mask']).copy()
                assert expected is None or np.array_equal(mask, expected)
                expected = mask
                assert client.change(DEACTIVATE) and client.state() == 'inactive'
                client.until(lambda: client.publishers['camera'].get_subscription_count() == 0)
            assert not client.change(CONFIGURE)
            assert client.change(CLEANUP) and client.state() == 'unconfigured'
        client.counts_become(published=6)


def test_a_warm_start_does_not_load_pytorch(client, random_checkpoint, rendered_frames):
    """Its import takes longer than all the rest of a start, and more memory than the node."""
    RoadSegmenter(random_checkpoint, 'cpu', 'fp32', backend='openvino').close()  # to the cache
    with running('-p', f'checkpoint:={random_checkpoint}', '-p', 'device:=cpu',
                 '-p', 'precision:=fp32', '-p', 'backend:=openvino') as node:
        client.connect()
        client.exchange(image_message(rendered_frames[0].image, 4))
        mapped = Path(f'/proc/{node.pid}/maps').read_text()
        assert 'libopenvino' in mapped and 'libtorch' not in mapped


def test_cameras_change_while_unconfigured(random_checkpoint, rendered_frames):
    client = Client('left', outputs=('mask',))
    with running('-p', f'checkpoint:={random_checkpoint}', '-p', 'autostart:=false',
                 '-p', 'left.threshold:=0.0', *FAST):
        assert client.set('cameras', ['left', 'right']).successful
        assert client.change(CONFIGURE) and client.change(ACTIVATE)
        client.connect()
        mask = from_image(client.exchange(image_message(rendered_frames[0].image, 4))['mask'])
        assert mask.min() == 1
        client.statuses.clear()
        client.until(lambda: 'right' in client.statuses)
        assert 'camera' not in client.statuses
    client.close()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_stopped_while_it_loads(client, number):
    """Some networks take a minute to compile, and a compilation cannot be interrupted."""
    slow = ('import time; from fcn_seg_ros.inference import segmenter as s; '
            's.make_backend = lambda *arguments: time.sleep(60.0)')
    node = start_node(fault=slow)
    client.until(lambda: client.status.get('state') == 'configuring')
    start = time.monotonic()
    node.send_signal(number)
    output = wait_for_end(node, 30.0)
    taken = time.monotonic() - start
    print(f'ended {taken:.2f} s after the signal')
    assert node.returncode == 0 and 'Traceback' not in output, output
    assert taken < STOP_S + 0.5 * os.getloadavg()[0]


def test_stopped_while_it_imports(tmp_path, monkeypatch):
    (tmp_path / 'slow_to_import.py').write_text('import time\ntime.sleep(5.0)\n')
    monkeypatch.syspath_prepend(tmp_path)
    stop = threading.Event()
    stop.set()
    start = time.monotonic()
    assert _import('slow_to_import', stop.is_set) is None
    assert time.monotonic() - start < 1.0


def test_a_stuck_worker_does_not_hold_the_exit(client, random_checkpoint, rendered_frames):
    """As a driver that does not come back: nothing can be done about the thread."""
    fault = ('from fcn_seg_ros.node.worker import Worker; '
             'Worker._process = lambda *arguments: threading.Event().wait()')
    node = start_node('-p', f'checkpoint:={random_checkpoint}', *FAST, fault=fault)
    client.connect()
    client.publishers['camera'].publish(image_message(rendered_frames[0].image, 1))
    client.counts_become(in_flight=1)
    client.until(lambda: float(client.statuses['seg_node']['worker_busy_s']) > 0.0)
    start = time.monotonic()
    node.send_signal(signal.SIGTERM)
    output = wait_for_end(node, 30.0)
    assert node.returncode == 0 and 'Traceback' not in output, output
    assert time.monotonic() - start < STOP_S + 0.5 * os.getloadavg()[0]


def test_unexplained_errors_in_a_row_end_it_for_a_respawn(client, random_checkpoint,
                                                          rendered_frames):
    fault = ('from fcn_seg_ros.node.worker import Worker; '
             'Worker._process = lambda *arguments: {}["missing"]')
    node = start_node('-p', f'checkpoint:={random_checkpoint}', *FAST, fault=fault)
    client.connect()
    message = image_message(rendered_frames[0].image, 1)
    for number in range(1, 10):
        client.publishers['camera'].publish(message)
        client.counts_become(dropped_error=number)
    assert node.poll() is None
    assert client.set('overlay_alpha', 0.1).successful  # the executor lives
    client.publishers['camera'].publish(message)
    output = wait_for_end(node, 30.0)
    assert node.returncode == 1, output
    assert "KeyError: 'missing'" in output and '10 times in a row' in output


def test_killed_and_started_again_it_is_back_with_masks(client, random_checkpoint,
                                                        rendered_frames):
    message = image_message(rendered_frames[0].image, 4)
    arguments = '-p', f'checkpoint:={random_checkpoint}', *FAST
    node = start_node(*arguments)
    client.connect()
    expected = from_image(client.exchange(message)['mask']).copy()
    node.kill()
    node.communicate()
    start = time.monotonic()
    with running(*arguments):
        masks = client.got['camera']['mask']
        del masks[:]

        def answered() -> bool:
            client.publishers['camera'].publish(message)
            client.spin(0.05)
            return bool(masks)
        client.until(answered)
        print(f'masks again {time.monotonic() - start:.1f} s after the start')
        assert np.array_equal(from_image(masks[0]), expected)
