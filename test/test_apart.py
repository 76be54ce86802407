# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Work in a process of its own: its result, its errors, and its end."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.apart import run_apart
from fcn_seg_ros.inference.backends import onnxruntime, openvino
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.resources import PACKAGE_DIR


@pytest.mark.parametrize(('convert', 'arguments'), [
    (openvino.convert_to_bytes, ()), (onnxruntime.convert, ('fp32',))])
def test_the_result_is_that_of_this_process(random_checkpoint, convert, arguments):
    stored = read_checkpoint(random_checkpoint)
    found = run_apart(convert, stored, *arguments)
    assert len(found) > 1e6
    assert abs(len(found) - len(convert(stored, *arguments))) < 1000


def test_bad_input_is_the_same_line(random_checkpoint):
    stored = read_checkpoint(random_checkpoint)
    other = dataclasses.replace(stored, info=dataclasses.replace(stored.info, encoder='resnet18'))
    with pytest.raises(InputError, match='expected the weights of fcn8s on resnet18') as caught:
        run_apart(openvino.convert_to_bytes, other)
    with pytest.raises(InputError) as here:
        openvino.convert_to_bytes(other)
    assert str(caught.value) == str(here.value)


def test_what_is_printed_is_no_part_of_the_result():
    assert run_apart(eval, 'print("hello", flush=True) or b"bytes"') == b'bytes'


def test_other_errors_are_their_last_words():
    with pytest.raises(RuntimeError, match=r"ended with 1: ValueError: .*'no number'"):
        run_apart(int, 'no number')
    with pytest.raises(RuntimeError, match=r'ended with -9: it said nothing'):
        run_apart(signal.raise_signal, signal.SIGKILL)


def test_no_process(monkeypatch):
    monkeypatch.setattr(sys, 'executable', '/nonexistent')
    with pytest.raises(FileNotFoundError):
        run_apart(bytes, 1)


def test_no_place_for_files():
    with pytest.raises(OSError, match='/nonexistent/file'):
        run_apart(open, '/nonexistent/file', 'w')


def test_it_dies_with_its_parent(tmp_path):
    started = tmp_path / 'started'
    sleep = f'open({str(started)!r}, "w").write(str(os.getpid())); time.sleep(60)'
    parent = subprocess.Popen(
        [sys.executable, '-c', f'from fcn_seg_ros.inference.apart import run_apart\n'
         f'run_apart(exec, {"import os, time; " + sleep!r})'],
        env=os.environ | {'PYTHONPATH': str(PACKAGE_DIR.parent)})
    deadline = time.monotonic() + 60
    while not (started.exists() and started.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child = Path(f'/proc/{started.read_text()}')
    assert child.exists()
    parent.kill()
    parent.wait()
    while child.exists() and 'State:\tZ' not in (child / 'status').read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
