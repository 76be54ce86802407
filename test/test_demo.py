# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demo as a command: its results, what it says when the node goes wrong, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from measure_play_loss import write_drive

from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.resources import default_checkpoint

TEST = Path(__file__).resolve().parent
MARK = 'FCN_SEG_DEMO_TEST'


@dataclass
class Run:
    """A demo that was started, and the mark in the environment of all its processes."""

    process: subprocess.Popen[str]
    mark: str

    def read_until(self, text: str) -> None:
        """Read stderr until a line with ``text`` has come."""
        assert self.process.stderr is not None
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if text in line:
                return
        raise AssertionError(f'{text!r} never came: {lines}')

    def processes(self) -> list[int]:
        """Return the processes of this run that are alive."""
        found = []
        for folder in Path('/proc').iterdir():
            try:
                if (folder.name.isdigit() and self.mark.encode() in
                        (folder / 'environ').read_bytes()):
                    found.append(int(folder.name))
            except OSError:
                continue  # it ended meanwhile, or is a zombie
        return found

    def wait_until_alone(self, seconds: float = 10.0) -> list[int]:
        """Wait until none is alive, and return those that are after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.processes()


def start(command: list[str], *arguments: str) -> Run:
    """Start a demo in a session of its own, which stands for the terminal's process group."""
    mark = f'{MARK}={uuid.uuid4()}'
    environ = os.environ | {'PYTHONPATH': str(TEST.parent), MARK: mark.partition('=')[2]}
    environ.pop('ROS_DOMAIN_ID', None)
    return Run(subprocess.Popen(
        [sys.executable, *command, *arguments], env=environ, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE), mark)


def with_stand_in(fault: str) -> list[str]:
    """Return the command of the demo with the stand-in node."""
    return [str(TEST / 'demo_with_stand_in.py'), fault]


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a drive of 30 images."""
    return write_drive(tmp_path_factory.mktemp('drive'), 30)


@pytest.fixture
def no_leftovers() -> Iterator[list[Run]]:
    """Collect runs; kill what a failing test leaves."""
    runs: list[Run] = []
    yield runs
    for run in runs:
        for pid in run.processes():
            os.kill(pid, signal.SIGKILL)


def test_results(drive: Path, tmp_path: Path) -> None:
    out = tmp_path / 'deep' / 'out'
    run = start(with_stand_in('none'), '--input', str(drive), '--out', str(out), '--rate', '15')
    output, errors = run.process.communicate(timeout=120)
    assert run.process.returncode == 0, errors
    assert sorted(p.name for p in out.iterdir()) == [
        'contact_sheet.png', 'overlay.mp4', 'report.json']
    report = json.loads((out / 'report.json').read_text())
    assert report['frames_played'] == report['frames_in'] == report['masks_received'] == 30
    assert report['problems'] == [] and report['headers_equal']
    assert 0.0 < report['latency_ms']['p50'] <= report['latency_ms']['p95']
    assert 'time from image to mask' in output and '95 % within' in output
    frames = list(open_drive(str(out / 'overlay.mp4')))
    assert len(frames) == 30
    # The camera's image above the overlay: the stand-in halves it and adds 100 where it is bright.
    image = next(iter(open_drive(str(drive)))).data
    bright = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) > 100
    overlay = image // 2 + 100 * bright.astype(np.uint8)[:, :, None]
    shown = frames[0].data.reshape(584, 960, 3).astype(int)
    for top, expected in ((0, image), (294, overlay)):
        part = cv2.resize(expected, (960, 290), interpolation=cv2.INTER_AREA)
        assert np.abs(shown[top:top + 290] - part).mean() < 12
    said = [line for line in errors.splitlines() if "no bird's-eye view" in line]
    assert len(said) == 1 and 'the pose of the camera over the ground is not known' in said[0]
    assert run.wait_until_alone() == []


def test_the_truth_is_scored(tmp_path: Path) -> None:
    run = start(with_stand_in('none'), '--seed', '3', '--frames', '5', '--out', str(tmp_path))
    _, errors = run.process.communicate(timeout=120)
    assert run.process.returncode == 0, errors
    # The stand-in has no grid.
    assert errors.count("no bird's-eye view: the drive has no CameraInfo that fits") == 1
    intersection = union = 0
    for frame in open_drive('rendered:3:steady', limit=5):
        road = cv2.cvtColor(frame.data, cv2.COLOR_RGB2GRAY) > 100
        assert frame.truth is not None
        intersection += int((road & (frame.truth == 1)).sum())
        union += int((road | (frame.truth == 1)).sum())
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['frames_with_truth'] == 5
    assert report['iou'] == pytest.approx(intersection / union, abs=1e-9)


@pytest.mark.parametrize(('fault', 'message', 'kept'), [
    ('dies', 'seg_node exited with status 7: seg_node: out of tarmac', False),
    ('silent', 'no mask came; the node received 30 and published 0', False),
    ('never_active', 'seg_node is configuring, not active, 4 s after its start', False),
    ('miscounts', 'seg_node\'s counts do not add up: expected', True),
    ('wrong_header', '1 of 30 masks have a header that no image has', True)])
def test_faults_of_the_node_are_one_line(
        drive: Path, tmp_path: Path, fault: str, message: str, kept: bool) -> None:
    (tmp_path / 'report.json').write_text('of an earlier run')
    run = start(with_stand_in(fault), '--input', str(drive), '--out', str(tmp_path), '--rate',
                '30', '--start-timeout', '4' if fault == 'never_active' else '60')
    _, errors = run.process.communicate(timeout=120)
    assert run.process.returncode == 1
    complaints = [line for line in errors.splitlines() if line.startswith('demo: error: ')]
    assert len(complaints) == 1 and message in complaints[0], errors
    assert 'Traceback' not in errors
    assert len(list(tmp_path.iterdir())) == (3 if kept else 0)
    assert run.wait_until_alone() == []


def send(run: Run, how: str) -> int:
    """Send a signal as a terminal, a supervisor or the kernel does; return the status it gives."""
    if how == 'ctrl-c':
        os.killpg(run.process.pid, signal.SIGINT)
        return 130
    number = signal.Signals[how]
    run.process.send_signal(number)
    return -number if number == signal.SIGKILL else 128 + number


MOMENTS = [('starting', 0.0), ('starting', 0.3), ('active', 0.0), ('playing', 0.5),
           ('writing', 0.0)]


@pytest.mark.parametrize(('how', 'moment', 'delay'), [
    *(('ctrl-c', *when) for when in MOMENTS), *(('SIGKILL', *when) for when in MOMENTS),
    ('SIGINT', 'playing', 0.2), ('SIGTERM', 'starting', 0.1), ('SIGTERM', 'playing', 0.8)])
def test_signals_leave_no_process_and_no_half_result(
        drive: Path, tmp_path: Path, no_leftovers: list[Run], how: str, moment: str,
        delay: float) -> None:
    out = tmp_path / 'out'
    run = start(with_stand_in('none'), '--input', str(drive), '--out', str(out), '--rate', '15')
    no_leftovers.append(run)
    run.read_until(moment)
    time.sleep(delay)
    began = time.monotonic()
    status = send(run, how)
    _, errors = run.process.communicate(timeout=30)
    assert run.wait_until_alone() == []
    print(f'{how} at {moment} + {delay}: gone after {time.monotonic() - began:.2f} s')
    assert run.process.returncode == status
    if how != 'SIGKILL':
        assert errors.splitlines()[-1] == 'demo: interrupted' and 'Traceback' not in errors
        assert not out.exists()


@pytest.mark.parametrize('delay', [0.05, 0.2, 0.5])
def test_ctrl_c_while_it_is_being_loaded(
        drive: Path, tmp_path: Path, no_leftovers: list[Run], delay: float) -> None:
    run = start(with_stand_in('none'), '--input', str(drive), '--out', str(tmp_path / 'out'))
    no_leftovers.append(run)
    time.sleep(delay)
    send(run, 'ctrl-c')
    run.process.communicate(timeout=30)
    assert run.process.returncode != 0
    assert run.wait_until_alone() == []
    assert not (tmp_path / 'out').exists()


def test_a_node_that_does_not_end_is_killed(
        drive: Path, tmp_path: Path, no_leftovers: list[Run]) -> None:
    run = start(with_stand_in('stuck'), '--input', str(drive), '--out', str(tmp_path / 'out'))
    no_leftovers.append(run)
    run.read_until('playing')
    time.sleep(0.5)
    send(run, 'ctrl-c')
    run.process.communicate(timeout=30)
    assert run.process.returncode == 130
    assert run.wait_until_alone() == []


@pytest.mark.parametrize(('arguments', 'parts'), [
    (['--input', '/nowhere'], ['/nowhere', 'expected a folder of images']),
    (['--rate', '0'], ['rate', 'found 0']),
    (['--seed', 'x'], ['--seed', "'x'"]),
    (['--seed', '1', '--input', 'a.mp4'], ['--seed', 'a.mp4']),
    (['--pose', '0', '0', '-1', '0', '0', '0'], ['camera pose', 'found z = -1']),
    (['--checkpoint', '/nowhere.safetensors', '--frames', '2'], ['/nowhere.safetensors'])])
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    run = start(['-m', 'fcn_seg_ros', 'demo'], *arguments, '--out', str(tmp_path / 'out'))
    _, errors = run.process.communicate(timeout=120)
    assert run.process.returncode == 2, errors
    complaint = errors.splitlines()[-1]
    assert complaint.startswith('demo: error: ') and 'Traceback' not in errors
    assert all(part in complaint for part in parts), complaint
    assert not (tmp_path / 'out').exists()
    assert run.wait_until_alone() == []


@pytest.mark.skipif(not default_checkpoint().is_file(), reason='there is no default checkpoint')
@pytest.mark.parametrize(('moment', 'delay'), [('starting', 1.0), ('playing', 0.5)])
def test_ctrl_c_with_the_real_node(
        drive: Path, tmp_path: Path, no_leftovers: list[Run], moment: str, delay: float) -> None:
    out = tmp_path / 'out'
    run = start(['-m', 'fcn_seg_ros', 'demo'], '--input', str(drive), '--out', str(out))
    no_leftovers.append(run)
    run.read_until(moment)
    time.sleep(delay)
    send(run, 'ctrl-c')
    _, errors = run.process.communicate(timeout=60)
    assert run.process.returncode == 130, errors
    assert run.wait_until_alone() == [] and not out.exists()
