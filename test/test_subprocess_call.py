# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Work in a process of its own: its result, its errors, and its end."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fcn_seg_ros import processes
from fcn_seg_ros.drives.child import executable
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import onnxruntime, openvino
from fcn_seg_ros.inference.subprocess_call import call_in_subprocess
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.processes import environment
from fcn_seg_ros.resources import PACKAGE_DIR


@pytest.mark.parametrize(('convert', 'arguments'), [
    (openvino.convert_to_bytes, ()), (onnxruntime.convert, ('fp32',))])
def test_the_result_is_that_of_this_process(random_checkpoint, convert, arguments):
    stored = read_checkpoint(random_checkpoint)
    found = call_in_subprocess(convert, stored, *arguments)
    assert len(found) > 1e6
    assert abs(len(found) - len(convert(stored, *arguments))) < 1000


def test_bad_input_is_the_same_line(random_checkpoint):
    stored = read_checkpoint(random_checkpoint)
    other = dataclasses.replace(stored, info=dataclasses.replace(stored.info, encoder='resnet18'))
    with pytest.raises(InputError, match='expected the weights of fcn8s on resnet18') as caught:
        call_in_subprocess(openvino.convert_to_bytes, other)
    with pytest.raises(InputError) as here:
        openvino.convert_to_bytes(other)
    assert str(caught.value) == str(here.value)


def test_what_is_printed_is_no_part_of_the_result():
    assert call_in_subprocess(eval, 'print("hello", flush=True) or b"bytes"') == b'bytes'


def test_other_errors_are_their_last_words():
    with pytest.raises(RuntimeError, match=r"ended with status 1: ValueError: .*'no number'"):
        call_in_subprocess(int, 'no number')
    with pytest.raises(RuntimeError, match=r'ended with status -9: it said nothing'):
        call_in_subprocess(signal.raise_signal, signal.SIGKILL)


def write_shadows(folder: Path) -> None:
    """Write modules that say so where they are imported in place of the real ones."""
    for name in ('torch', 'numpy', 'pickle', 'json', 'typing', 'fcn_seg_ros', 'sitecustomize'):
        (folder / f'{name}.py').write_text('open("imported", "a").write(__name__)')


@pytest.mark.parametrize('path', ['', '.', ':', 'other:', ':./'])
def test_nothing_is_imported_from_the_current_folder(tmp_path, monkeypatch, path):
    write_shadows(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', path)
    code = ("__import__('json').dumps([__import__('os').getcwd(), "
            "__import__('torch').__file__, __import__('fcn_seg_ros').__file__]).encode()")
    folder, torch_file, package = json.loads(call_in_subprocess(eval, code))
    assert folder == '/' and Path(package) == PACKAGE_DIR / '__init__.py'
    assert not Path(torch_file).is_relative_to(tmp_path)
    assert not (tmp_path / 'imported').exists()


def test_executables_neither(tmp_path, monkeypatch):
    """They stay in the current folder, where their arguments are looked up."""
    write_shadows(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = subprocess.run([*executable('segment'), '--help'], env=environment({'PYTHONPATH': ''}),
                            capture_output=True, text=True, check=True)
    assert 'segment [-h]' in ' '.join(result.stdout.split())  # argparse wraps after a long path
    assert not (tmp_path / 'imported').exists()


def test_python_m_neither(tmp_path):
    """But for what Python imports before the package: nothing can be done about that."""
    for name in ('json', 'argparse', 'difflib', 'importlib_metadata', 'numpy', 'torch'):
        (tmp_path / f'{name}.py').write_text('open("imported", "a").write(__name__)')
    for arguments in (['--help'], ['segment', 'nothing', '--mask', 'm']):
        subprocess.run([sys.executable, '-m', 'fcn_seg_ros', *arguments], cwd=tmp_path,
                       env=os.environ | {'PYTHONPATH': str(PACKAGE_DIR.parent)},
                       capture_output=True, check=False)
    assert not (tmp_path / 'imported').exists()


def test_the_path_of_python_is_kept_but_for_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = environment({'PYTHONPATH': ':/a:.:b/c::./:/d', 'FCN_SEG_CACHE': 'own'})
    assert path['PYTHONPATH'] == f'/a:{tmp_path}/b/c:/d'
    assert path['FCN_SEG_CACHE'] == f'{tmp_path}/own' and path['PYTHONSAFEPATH'] == '1'
    assert environment({'FCN_SEG_CACHE': ''})['FCN_SEG_CACHE'] == ''


def test_a_folder_that_is_gone(tmp_path, monkeypatch):
    (tmp_path / 'gone').mkdir()
    monkeypatch.chdir(tmp_path / 'gone')
    (tmp_path / 'gone').rmdir()
    assert call_in_subprocess(eval, 'b"bytes"') == b'bytes'


def test_a_user_without_a_name(monkeypatch):
    def unknown(number):
        raise KeyError(number)
    monkeypatch.setattr(processes.pwd, 'getpwuid', unknown)
    found = environment({})
    assert (found['USER'], found['HOME']) == (str(os.geteuid()), '/nonexistent')
    found = environment({'USER': 'me', 'HOME': '/home/me'})
    assert (found['USER'], found['HOME']) == ('me', '/home/me')


def test_no_folder_for_temporary_files(monkeypatch):
    def full():
        raise FileNotFoundError(2, 'No usable temporary directory found')
    monkeypatch.setattr(processes.tempfile, 'gettempdir', full)
    assert environment({'TMPDIR': '/full'})['TMPDIR'] == '/dev/shm'


def test_no_process(monkeypatch):
    monkeypatch.setattr(sys, 'executable', '/nonexistent')
    with pytest.raises(FileNotFoundError):
        call_in_subprocess(bytes, 1)


def test_no_place_for_files():
    with pytest.raises(OSError, match='/nonexistent/file'):
        call_in_subprocess(open, '/nonexistent/file', 'w')


def test_it_dies_with_its_parent(tmp_path):
    started = tmp_path / 'started'
    sleep = f'open({str(started)!r}, "w").write(str(os.getpid())); time.sleep(60)'
    parent = subprocess.Popen(
        [sys.executable, '-c',
         'from fcn_seg_ros.inference.subprocess_call import call_in_subprocess\n'
         f'call_in_subprocess(exec, {"import os, time; " + sleep!r})'],
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
