# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""play over the real middleware: nothing lost, headers and pixels right, signals obeyed."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from measure_play_loss import receive, start_play, wait_until_it_catches_signals, write_drive
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from fcn_seg_ros.dds import use_private_domain
from fcn_seg_ros.drives.drive import Calibration, DriveFrame
from fcn_seg_ros.drives.notes import Notes
from fcn_seg_ros.drives.player import DrivePlayer, PlayOptions
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.messages import from_image, header_key


def wait_until(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    """Wait until a condition holds, or time is up."""
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.fixture
def domain() -> int:
    """Return a ROS domain that parallel test runs do not share."""
    return int(use_private_domain({}))


def test_two_processes_exchange_90_images_best_effort_without_loss(
        tmp_path: Path, domain: int) -> None:
    drive = write_drive(tmp_path / 'drive', 90)
    expected = [f.data for f in open_drive(str(drive), limit=20)]
    keys, info_keys, wrong = [], [], []

    def on_image(message: Image) -> None:
        if not np.array_equal(from_image(message), expected[len(keys) % len(expected)]):
            wrong.append(len(keys))
        assert (message.encoding, message.step) == ('rgb8', 3 * 1242)
        keys.append(header_key(message.header))

    def on_info(message: CameraInfo) -> None:
        assert (message.width, message.height) == (1242, 375)
        info_keys.append(header_key(message.header))

    process = start_play([str(drive), '--rate', '30', '--json',
                          '--wait-for-info-subscribers', '1'], domain)
    before = time.time_ns()
    receive(process, domain, {'camera/image_raw': (Image, on_image),
                              'camera/camera_info': (CameraInfo, on_info)})
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    summary = json.loads(output)
    print(f'achieved {summary["rate_hz"]:.3f} Hz, {summary["late"]} late')
    assert summary['frames'] == 90
    assert len(keys) == 90 and keys == info_keys and not wrong
    stamps = [stamp for stamp, _ in keys]
    assert before < stamps[0] and stamps == sorted(set(stamps))
    # Frame i is due at start + i / rate: never before it, so the whole is never too short.
    assert stamps[-1] - stamps[0] > 89 / 30 * 1e9 - 5e7


class TruthDrive:
    """Six frames of changing size whose truth is known, with a calibration."""

    name = 'truth'
    notes = Notes()
    rate_hz = 50.0
    length: int | None = 6

    def __iter__(self) -> Iterator[DriveFrame]:
        """Yield them, their stamps 20 ms apart."""
        for index in range(6):
            rng = np.random.default_rng(index)
            height, width = 20 + index, 30
            rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
            yield DriveFrame.from_rgb(
                rgb, 5 * 10**9 + index * 20_000_000, frame_id='front',
                calibration=Calibration(width, height, 'plumb_bob', (0.5,) * 5, (7.0,) * 9),
                truth=(rgb[:, :, 0] > 127).astype(np.uint8))


def play_and_listen(options: PlayOptions, wanted: int) -> dict[str, list]:
    """Play TruthDrive in this process until so many images have come; return the messages."""
    rclpy.init(domain_id=int(use_private_domain({})))
    got: dict[str, list] = {'image_raw': [], 'camera_info': [], 'road/truth': []}
    stop = threading.Event()
    try:
        listener = Node('listener')
        for topic, messages in got.items():
            kind = CameraInfo if topic == 'camera_info' else Image
            listener.create_subscription(kind, f'front/{topic}', messages.append, 20)
        player = DrivePlayer(TruthDrive(), options, stop.is_set)
        thread = threading.Thread(target=player.play)
        thread.start()
        executor = SingleThreadedExecutor()
        executor.add_node(listener)
        deadline = time.monotonic() + 30
        while min(map(len, got.values())) < wanted and time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.1)
        stop.set()
        thread.join()
        executor.shutdown()
        listener.destroy_node()
    finally:
        rclpy.shutdown()
    return got


@pytest.mark.parametrize('preload', [False, True])
def test_recorded_stamps_truth_and_calibration_in_a_loop(preload: bool) -> None:
    got = play_and_listen(PlayOptions('front', loop=True, wall_stamps=False, preload=preload,
                                      wait_for_info_subscribers=1), 15)
    frames = list(TruthDrive())
    for index, (image, info, truth) in enumerate(zip(*got.values(), strict=False)):
        frame = frames[index % 6]  # the stamps jump back with each turn
        assert header_key(image.header) == (frame.stamp_ns, 'front')
        assert image.header == info.header == truth.header
        np.testing.assert_array_equal(from_image(image), frame.data)
        np.testing.assert_array_equal(from_image(truth), frame.truth)
        assert truth.encoding == 'mono8'
        assert (info.height, info.k[0], list(info.d)) == (20 + index % 6, 7.0, [0.5] * 5)
    assert len(got['image_raw']) >= 15


def test_wall_stamps_are_the_time_of_publishing() -> None:
    before = time.time_ns()
    got = play_and_listen(PlayOptions('front', rate_hz=100.0, wait_for_info_subscribers=1), 6)
    stamps = [header_key(m.header)[0] for m in got['image_raw']]
    assert before < stamps[0] and stamps[-1] < time.time_ns()
    assert len(stamps) == 6 and stamps == sorted(set(stamps))
    assert [m.header for m in got['road/truth']] == [m.header for m in got['image_raw']]


def test_nobody_listens(tmp_path: Path, domain: int) -> None:
    drive = write_drive(tmp_path / 'drive', 3)
    process = start_play([str(drive), '--rate', '100', '--wait-timeout', '0.2'], domain)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert 'nobody listens to /camera/image_raw after 0.2 s' in errors
    assert output.startswith('play: 3 frames published at ')


@pytest.mark.parametrize(('arguments', 'number', 'status'), [
    (['--wait-timeout', 'inf'], signal.SIGINT, 130),
    (['--wait-timeout', 'inf'], signal.SIGTERM, 143),
    (['--wait-for-subscribers', '0', '--rate', '0.1'], signal.SIGINT, 130),
    (['--wait-for-subscribers', '0', '--loop'], signal.SIGTERM, 0),
])
def test_signals_end_it_at_once_and_cleanly(
        tmp_path: Path, domain: int, arguments: list[str], number: int, status: int) -> None:
    drive = write_drive(tmp_path / 'drive', 3)
    process = start_play([str(drive), *arguments], domain)
    wait_until_it_catches_signals(process)
    time.sleep(0.5)
    start = time.monotonic()
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    print(f'ended {time.monotonic() - start:.2f} s after the signal')
    assert process.returncode == status
    assert 'interrupted' in output and 'Traceback' not in errors


def test_ros_arguments_remap_the_topics(tmp_path: Path, domain: int) -> None:
    drive = write_drive(tmp_path / 'drive', 5, 64, 48)
    keys = []
    process = start_play([str(drive), '--rate', '50', '--cam', 'front', '--ros-args', '-r',
                          '__ns:=/car', '-r', 'front/image_raw:=eye'], domain)
    receive(process, domain, {'/car/eye': (Image, lambda m: keys.append(m.width))})
    process.communicate()
    assert keys == [64] * 5


def test_a_private_domain_is_free_and_stays_here(domain: int) -> None:
    environ: dict[str, str] = {}
    chosen = int(use_private_domain(environ))
    assert 1 <= chosen <= 100
    assert environ == {'ROS_DOMAIN_ID': str(chosen), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    environ = {'ROS_DOMAIN_ID': '7', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}
    assert use_private_domain(environ) == '7'
    assert environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'SUBNET'
